"""What we said and the server has not confirmed: it is said again, with the same key, until it is. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from securechat.client.multiline import batch
from securechat.protocol.capabilities import KEY_TAG
from securechat.protocol.message import Message, build

MAX_UNACKNOWLEDGED: Final = 1000
"""Messages that may wait for their echo."""
MAX_BYTES: Final = 512 * 1024
"""What those may take together: half of what a connection holds, so that all of it can be said again at once."""
_SAID: Final = frozenset({"PRIVMSG", "NOTICE"})


class Kept(NamedTuple):
    """The server has kept our message `key`: `message` is its echo."""

    key: str
    target: str
    text: str
    message: Message


class Refused(NamedTuple):
    """The server will not have our message `key`; what it answered, `message`, is given by itself as well."""

    key: str
    target: str
    text: str
    message: Message


class _Said(NamedTuple):
    target: str
    text: str
    line: bytes
    tags: str


class Unacknowledged:
    """Our messages without an echo, in order. Owned by `Resume`. `token` makes our keys different from others'."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._count = 0
        self._lines: dict[str, _Said] = {}
        self._left: set[str] = set()  # those that may have reached the server
        self._size = 0
        self.newest = ""

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def roomy(self) -> bool:
        """Whether half of the room or more is free: who can wait, waits until then."""
        return len(self._lines) <= MAX_UNACKNOWLEDGED // 2 and self._size <= MAX_BYTES // 2

    @property
    def full(self) -> bool:
        """Whether nothing more may be said until something is confirmed."""
        return len(self._lines) >= MAX_UNACKNOWLEDGED or self._size >= MAX_BYTES

    def add(self, target: str, text: str, tags: str = "", room: int = 0, key: str = "") -> bytes:
        """Note a message and return its line, or its lines in one where it has several (see Engine.say).

        `key` is that of a message that was begun by a program before this one. Raises ValueError where it fits
        no message; nothing is noted then.
        """
        begun, key = key, key or f"{self._token}-{self._count + 1}"
        line = _line(key, target, text, tags, room)
        self._left |= {begun} - {""}
        self._count += 1
        self._lines[key] = _Said(target, text, line, tags)
        self._size += len(line)
        self.newest = key
        return line

    def again(self) -> list[bytes]:
        """Return the lines of all of them, which leave now."""
        self._left.update(self._lines)
        return [said.line for said in self._lines.values()]

    def withdraw(self, count: int) -> None:
        """Forget the newest ones: they were not sent after all."""
        for key in list(self._lines)[len(self._lines) - count :]:
            self._pop(key)

    def leaving(self, line: bytes) -> list[bytes]:
        """Return the lines of the newest one, which leave now."""
        self._left.add(self.newest)
        return [line]

    def take_back(self, key: str) -> bool:
        """Say this one no more; tell whether it never left."""
        left = key in self._left
        if key in self._lines:
            self._pop(key)
        return not left

    def all(self) -> list[tuple[str, str, str, str]]:
        """Return key, target, text and client-only tags of all of them."""
        return [(key, said.target, said.text, said.tags) for key, said in self._lines.items()]

    def texts(self) -> list[str]:
        """Return what they say."""
        return [said.text for said in self._lines.values()]

    def answered(self, label: str, message: Message) -> list[Kept | Refused]:
        """Take a message that came with a label: an echo or a refusal ends the wait."""
        if label not in self._lines:
            return []
        if message.command in _SAID:
            return [Kept(label, *self._pop(label), message)]
        # A NOTICE that may not be sent is answered by nothing, which is an ACK with a label.
        if message.command in ("FAIL", "ACK") or "400" <= message.command <= "599":
            return [Refused(label, *self._pop(label), message)]
        return []

    def _pop(self, key: str) -> tuple[str, str]:
        said = self._lines.pop(key)
        self._left.discard(key)
        self._size -= len(said.line)
        return said.target, said.text


def _line(key: str, target: str, text: str, more: str, room: int) -> bytes:
    tags = f"label={key};{KEY_TAG}={key}{';' if more else ''}{more}"
    if "\n" in text or (room and len(text.encode()) > room):
        return batch(key, target, text, tags, room)
    return build("PRIVMSG", target, text, tags=tags)
