"""Labelled responses: what one command gives its sender, gathered and marked (IRCv3 labeled-response)."""

from __future__ import annotations

from securechat.chat.effects import Fanout, Output, Reply
from securechat.chat.people import Session
from securechat.chat.render import in_batch, tagged
from securechat.protocol.capabilities import VARIANT_MASK, Cap
from securechat.protocol.message import Message, escape_tag, parse_tags

MAX_LABEL = 64
"""Longest label in bytes (labeled-response, "Tag value")."""


def label_of(session: Session, message: Message) -> str:
    """Return the label of the response that a message will bring, or empty.

    A batch is answered at its end with the label that its beginning had.
    """
    if not session.caps & Cap.LABELED_RESPONSE or session.person is None:
        return ""
    opened = session.batch
    if message.command != "BATCH":
        # The lines of a batch are answered together, at its end.
        return own_label(session, message) if opened is None or "batch=" not in message.tags else ""
    return opened.label if opened is not None and message.params[:1] == [f"-{opened.reference}"] else ""


def own_label(session: Session, message: Message) -> str:
    """Return the label tag of a message as it is escaped on the wire, or empty."""
    if "label=" not in message.tags or not session.caps & Cap.LABELED_RESPONSE:
        return ""
    label = parse_tags(message.tags).get("label", "")
    return escape_tag(label) if len(label.encode()) <= MAX_LABEL else ""


class Response:
    """Gathers what the labelled command of `session` gives that session; others get theirs as ever."""

    def __init__(self, session: Session, label: str, server: str) -> None:
        self._session = session
        self._label = label
        self._server = server
        self._lines: list[bytes] = []

    def take(self, output: Output) -> Output | None:
        """Keep what is for the session and return what is left for others."""
        session = self._session
        if isinstance(output, Reply):
            if output.session is not session:
                return output
            self._lines.append(output.data)
            return None
        if output.skip is session:
            return output
        links = output.audience.groups.get((session.lane, session.caps & VARIANT_MASK), ())
        if session.link not in links:
            return output
        self._lines.append(output.lines.get(session.caps & VARIANT_MASK, b""))
        return Fanout(output.audience, output.lines, session)

    def finish(self) -> Reply:
        """Return the response: ACK for nothing, the label on a single message, else a batch."""
        label = f"label={self._label}"
        lines = [line for line in self._lines if line]
        if not lines:
            return Reply(self._session, f"@{label} :{self._server} ACK\r\n".encode())
        if len(lines) == 1 or not self._session.caps & Cap.BATCH:
            return Reply(self._session, tagged(lines[0], label) + b"".join(lines[1:]))
        start = f"@{label} :{self._server} BATCH +r labeled-response\r\n".encode()
        end = f":{self._server} BATCH -r\r\n".encode()
        return Reply(self._session, start + b"".join(in_batch(line, "r") for line in lines) + end)
