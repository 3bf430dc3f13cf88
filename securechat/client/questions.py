"""Questions to the server, each with a label, and what it answers (IRCv3 labeled-response). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from securechat.client.errors import ClientError
from securechat.client.words import _
from securechat.protocol.message import Message, parse_tags

MAX_QUESTIONS: Final = 256
"""Questions that may wait for their answers."""
MAX_ANSWER: Final = 10_000
"""Lines kept of one answer."""
_MAX_BATCHES: Final = 64


class Answered(NamedTuple):
    """The server has answered question `label` with these messages.

    `end` says that there is nothing beyond this page of history (draft/chathistory-end).
    """

    label: str
    messages: tuple[Message, ...]
    end: bool = False


@dataclass(slots=True)
class _Question:
    line: bytes
    private: bool
    again: bool
    outer: str = ""
    end: bool = False
    messages: list[Message] = field(default_factory=list)


class Questions:
    """What was asked and not answered, in order. Owned by whoever feeds it.

    The answer to a private question is nobody else's business (a page of history); others change what everybody
    knows (a JOIN), so their answers are events as well. One asked `again` may be repeated on another connection.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        self._count = 0
        self._open: dict[str, _Question] = {}
        self._batches: dict[str, str] = {}  # reference to label

    def __len__(self) -> int:
        return len(self._open)

    def ask(self, line: bytes, *, private: bool = False, again: bool = False) -> tuple[str, bytes]:
        """Note a question (a line, CR LF included); return its label and the line to send.

        Raises ClientError where too many are open.
        """
        if len(self._open) >= MAX_QUESTIONS:
            raise ClientError(
                _("{} questions wait for the server's answer already; wait for some.").format(MAX_QUESTIONS)
            )
        self._count += 1
        label = f"{self._token}q{self._count}"
        if line.startswith(b"@"):
            labelled = f"@label={label};".encode() + line[1:]
        else:
            labelled = f"@label={label} ".encode() + line
        self._open[label] = _Question(labelled, private, again)
        return label, labelled

    def forget(self, label: str) -> None:
        """Wait for this answer no longer."""
        self._open.pop(label, None)

    def lost(self) -> list[str]:
        """The connection is gone: forget the questions that must not be repeated, and return their labels."""
        self._batches.clear()
        dropped = [label for label, question in self._open.items() if not question.again]
        for label in dropped:
            del self._open[label]
        for question in self._open.values():
            question.messages.clear()
            question.outer, question.end = "", False
        return dropped

    def repeat(self) -> list[bytes]:
        """Return the lines of all that is open, for a new connection."""
        return [question.line for question in self._open.values()]

    def feed(self, message: Message) -> tuple[Answered | None, bool]:
        """Take a message; give the answer that it completes, and whether nobody else should see it."""
        closing = message.command == "BATCH" and message.params[:1] != [] and message.params[0].startswith("-")
        if closing:
            return self._closed(message)
        if not message.tags or ("label=" not in message.tags and not self._batches):
            return None, False
        tags = parse_tags(message.tags)
        label = tags.get("label", "") or self._batches.get(tags.get("batch", ""), "")
        question = self._open.get(label)
        if question is None:
            return None, False
        if message.command == "BATCH" and message.params:
            if len(self._batches) < _MAX_BATCHES:
                self._batches[message.params[0][1:]] = label
                question.outer = question.outer or message.params[0][1:]
                question.end = question.end or "draft/chathistory-end" in tags
            return None, question.private
        if message.command != "ACK" and len(question.messages) < MAX_ANSWER:
            question.messages.append(message)
        return self._done(label) if not question.outer else None, question.private

    def _closed(self, message: Message) -> tuple[Answered | None, bool]:
        reference = message.params[0][1:]
        label = self._batches.pop(reference, "")
        question = self._open.get(label)
        if question is None:
            return None, False
        return self._done(label) if question.outer == reference else None, question.private

    def _done(self, label: str) -> Answered:
        question = self._open.pop(label)
        return Answered(label, tuple(question.messages), question.end)
