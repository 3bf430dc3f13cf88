"""Messages of several lines: one batch on the wire, one message for whoever reads (IRCv3 multiline). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from securechat.client.text import split
from securechat.client.words import _
from securechat.protocol.capabilities import MULTILINE_BYTES, MULTILINE_LINES
from securechat.protocol.message import Message, build, parse_tags

CAPABILITY: Final = "draft/multiline"
_CONCAT: Final = "draft/multiline-concat"
_MAX_OPEN: Final = 16
_MAX_LINES: Final = 1000
_MAX_CHARS: Final = 256 * 1024


@dataclass(slots=True)
class _Open:
    message: Message
    lines: int = 0
    size: int = 0
    pieces: list[str] | None = None


class Joiner:
    """Makes one message of each batch of several lines. Owned by whoever feeds it.

    Such a message has the tags of its batch, and line feeds in its last parameter.
    """

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def clear(self) -> None:
        """Forget what was begun: the connection is another."""
        self._open.clear()

    def feed(self, message: Message) -> Message | None:
        """Return what is to be dealt with now: the message itself, a whole one at its end, or nothing yet."""
        if message.command == "BATCH" and message.params:
            sign, reference = message.params[0][:1], message.params[0][1:]
            if sign == "+" and message.params[1:2] == [CAPABILITY] and len(self._open) < _MAX_OPEN:
                self._open[reference] = _Open(message)
                return None
            if sign == "-" and reference in self._open:
                return _whole(self._open.pop(reference))
            return message
        if self._open and "batch=" in message.tags:
            tags = parse_tags(message.tags)
            begun = self._open.get(tags.get("batch", ""))
            if begun is not None:
                _add(begun, message, concat=_CONCAT in tags)
                return None
        return message


def _add(begun: _Open, message: Message, *, concat: bool) -> None:
    if len(message.params) < 2:
        return
    if begun.pieces is None:
        begun.message = Message(message.command, message.params[:1], message.source, begun.message.tags)
        begun.pieces = []
    begun.lines += 1
    begun.size += len(message.params[1])
    if begun.lines <= _MAX_LINES and begun.size <= _MAX_CHARS:
        begun.pieces.append(message.params[1] if concat or not begun.pieces else "\n" + message.params[1])


def _whole(begun: _Open) -> Message | None:
    if begun.pieces is None:
        return None
    first = begun.message
    return Message(first.command, [*first.params, "".join(begun.pieces)], first.source, first.tags)


def batch(reference: str, target: str, text: str, tags: str, room: int) -> bytes:
    """Return the lines of one message of several lines, each with at most `room` bytes of text.

    Raises ValueError where it has nothing but blank lines or is more than a server takes (MULTILINE_BYTES and
    MULTILINE_LINES of protocol.capabilities).
    """
    lines = text.split("\n")
    if not text.strip("\n"):
        raise ValueError(_("there are blank lines only"))
    if len(text.encode()) > MULTILINE_BYTES or len(lines) > MULTILINE_LINES:
        text = _("a message has at most {bytes} bytes and {lines} lines")
        raise ValueError(text.format(bytes=MULTILINE_BYTES, lines=MULTILINE_LINES))
    out = [build("BATCH", f"+{reference}", CAPABILITY, target, tags=tags)]
    for line in lines:
        for position, piece in enumerate(_pieces(line, room)):
            concat = f";{_CONCAT}" if position else ""
            out.append(build("PRIVMSG", target, piece, tags=f"batch={reference}{concat}"))
    if len(out) - 1 > MULTILINE_LINES:
        raise ValueError(_("a message has at most {} lines as they are sent").format(MULTILINE_LINES))
    out.append(build("BATCH", f"-{reference}"))
    return b"".join(out)


def _pieces(line: str, room: int) -> list[str]:
    """Cut a line so that the pieces, joined by nothing, are that line again."""
    pieces, rest = [], line
    while len(rest.encode()) > room:
        first = split(rest[: room + 1], room)[0]  # a character has a byte or more
        pieces.append(first)
        rest = rest[len(first) :]
    return [*pieces, rest] if rest or not pieces else pieces
