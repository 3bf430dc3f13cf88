"""Messages of several lines: a batch from the server becomes one message, one of ours becomes a batch. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from securechat.client.text import split
from securechat.protocol.capabilities import MULTILINE_BYTES, MULTILINE_LINES
from securechat.protocol.message import Message, build, parse_tags

TYPE: Final = "draft/multiline"
MAX_OPEN: Final = 16
CONCAT: Final = "draft/multiline-concat"


@dataclass(slots=True)
class _Open:
    target: str
    source: str | None
    tags: str
    command: str = "PRIVMSG"
    text: str = ""
    lines: int = 0
    parts: list[str] = field(default_factory=list)


class Joiner:
    """Puts the lines of a multiline batch together. Owned by whoever feeds it, one for each connection."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def feed(self, message: Message) -> Message | None:
        """Take a message; give it, or the message that its batch became, or None while one is open."""
        if message.command == "BATCH" and message.params:
            sign, reference = message.params[0][:1], message.params[0][1:]
            if sign == "+" and message.params[1:2] == [TYPE] and len(self._open) < MAX_OPEN:
                self._open[reference] = _Open("".join(message.params[2:3]), message.source, message.tags)
                return None
            done = self._open.pop(reference, None) if sign == "-" else None
            if done is None:
                return message
            return Message(done.command, [done.target, "".join(done.parts)], done.source, done.tags)
        if "batch=" not in message.tags or len(message.params) < 2:
            return message
        tags = parse_tags(message.tags)
        batch = self._open.get(tags.get("batch", ""))
        if batch is None:
            return message
        if len(batch.parts) < 4 * MULTILINE_LINES:
            join = "" if not batch.parts or CONCAT in tags else "\n"
            batch.parts.append(join + message.params[1])
            batch.command = message.command
        return None


def lines(reference: str, target: str, text: str, room: int, tags: str) -> list[bytes]:
    """Return what says `text` as one message: a line where it fits one of `room` bytes, else a batch.

    `tags` stand on the message. Raises ValueError where it is longer than the server takes.
    """
    rows = text.split("\n")
    if len(rows) == 1 and len(text.encode()) <= room:
        return [build("PRIVMSG", target, text, tags=tags)]
    pieces = [(piece, bool(index)) for row in rows for index, piece in enumerate(_cut(row, room))]
    if len(pieces) > MULTILINE_LINES or len(text.encode()) > MULTILINE_BYTES:
        raise ValueError(f"at most {MULTILINE_LINES} lines and {MULTILINE_BYTES} bytes")
    out = [build("BATCH", f"+{reference}", TYPE, target, tags=tags)]
    for piece, more in pieces:
        concat = f";{CONCAT}" if more else ""
        out.append(build("PRIVMSG", target, piece, tags=f"batch={reference}{concat}"))
    return [*out, build("BATCH", f"-{reference}")]


def _cut(row: str, room: int) -> list[str]:
    """Cut a long row into pieces that are put together again without loss: the space at a cut stays."""
    pieces = split(row, room - 1)
    whole, at = [], 0
    for piece in pieces[:-1]:
        end = at + len(piece)
        end += row[end : end + 1] == " "
        whole.append(row[at:end])
        at = end
    return [*whole, row[at:]]
