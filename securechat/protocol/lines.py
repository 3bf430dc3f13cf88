"""Received lines to messages: texts that go the same way in a row become one, whatever else one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias, cast

from securechat.protocol.errors import Fault, ProtocolError
from securechat.protocol.framing import MAX_BODY
from securechat.protocol.message import Message, parse

_COMMANDS: Final = (b"PRIVMSG ", b"NOTICE ")
_SPECIAL: Final = (b"\0", b"\r", b"\x01")
"""What no line may hold, and what makes a text more than one (CTCP)."""


class Texts(NamedTuple):
    """Two messages or more that differ in their text alone: each is of this command, for this one target.

    No text is empty or holds CTCP's mark; the longest has `longest` bytes.
    """

    command: str
    target: str
    texts: list[str]
    longest: int

    def __repr__(self) -> str:
        # As with a Message, what somebody says must not end up in a log (law 7).
        return f"<{len(self.texts)} texts by {self.command}>"

    def messages(self) -> Iterator[Message]:
        """Give them one by one."""
        return (Message(self.command, [self.target, text]) for text in self.texts)


Line: TypeAlias = Message | Fault | Texts


def read(lines: Sequence[bytes | Fault]) -> list[Line]:
    """Return what lines (without their ends) say, in order, faults in place.

    A paste, a bot or a flood says the same thing to the same target again and again: that is looked at once.
    """
    if len(lines) < 2:  # nearly always
        return list(map(_message, lines))
    if (texts := _texts(lines)) is not None:
        return [texts]
    given: list[Line] = []
    start = 0
    while start < len(lines):
        alike = _alike(lines, start)
        texts = _texts(alike) if len(alike) > 1 else None
        if texts is not None:
            given.append(texts)
        else:
            given += map(_message, alike or lines[start : start + 1])
        start += len(alike) or 1
    return given


def size(lines: Sequence[Line]) -> int:
    """Return how many lines these were."""
    return sum(len(line.texts) if isinstance(line, Texts) else 1 for line in lines)


def _alike(lines: Sequence[bytes | Fault], start: int) -> list[bytes]:
    """Return the lines from `start` on that are texts for one target; none where the first is something else."""
    first = lines[start]
    head = b"" if isinstance(first, Fault) else _head(first)
    alike: list[bytes] = []
    for index in range(start, len(lines) if head else start):
        line = lines[index]
        if isinstance(line, Fault) or not line.startswith(head):
            break
        alike.append(line)
    return alike


def _head(line: bytes) -> bytes:
    """Return "PRIVMSG target :" where a line begins like that."""
    if not line.startswith(_COMMANDS):
        return b""
    head, colon, _ = line.partition(b" :")
    return head + colon if colon and head.count(b" ") == 1 and not head.endswith(b" ") else b""


def _texts(lines: Sequence[bytes | Fault]) -> Texts | None:
    """Return lines as one; None where they are not alike, or one of them has to be looked at itself.

    Looked at all together, in C: line by line is most of what a line costs.
    """
    if Fault in map(type, lines):
        return None
    lines = cast("Sequence[bytes]", lines)
    head = _head(lines[0])
    whole = b"\n".join(lines)
    if not head or whole.count(b"\n" + head) + 1 < len(lines):
        return None
    longest = max(map(len, lines))
    if longest + 2 > MAX_BODY or min(map(len, lines)) == len(head) or any(byte in whole for byte in _SPECIAL):
        return None
    try:
        start, text = head.decode(), whole.decode()
    except UnicodeDecodeError:
        return None
    command, target = start[:-2].split(" ")
    return Texts(command, target, text.removeprefix(start).split("\n" + start), longest - len(head))


def _message(line: bytes | Fault) -> Message | Fault:
    if isinstance(line, Fault):
        return line
    try:
        return parse(line)
    except ProtocolError as error:
        return error.fault
