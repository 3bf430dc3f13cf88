"""What we said and the server has not confirmed: it is said again, with the same key, until it is. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from securechat.protocol.capabilities import KEY_TAG
from securechat.protocol.message import Message, build

MAX_UNACKNOWLEDGED: Final = 1000
"""Messages that may wait for their echo."""
_NOT_NOW: Final = "NOT_STORED"
_SAID: Final = frozenset({"PRIVMSG", "NOTICE"})


class Kept(NamedTuple):
    """The server has kept our message `key`."""

    key: str
    target: str
    text: str


class Refused(NamedTuple):
    """The server will not have our message `key`; what it answered is given as well."""

    key: str
    target: str
    text: str


class Unacknowledged:
    """Our messages without an echo, in order. Owned by `Resume`. `token` makes our keys different from others'."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._count = 0
        self._lines: dict[str, tuple[str, str]] = {}

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def roomy(self) -> bool:
        """Whether half of the room or more is free: who can wait, waits until then."""
        return len(self._lines) <= MAX_UNACKNOWLEDGED // 2

    @property
    def full(self) -> bool:
        """Whether nothing more may be said until something is confirmed."""
        return len(self._lines) >= MAX_UNACKNOWLEDGED

    def add(self, target: str, text: str) -> bytes:
        """Note a message and return its line. Raises ValueError where it fits no line; nothing is noted then."""
        key = f"{self._token}-{self._count + 1}"
        line = _line(key, target, text)
        self._count += 1
        self._lines[key] = target, text
        return line

    def again(self) -> list[bytes]:
        """Return the lines of all of them."""
        return [_line(key, target, text) for key, (target, text) in self._lines.items()]

    def forget(self, key: str) -> None:
        """Say this one no more."""
        self._lines.pop(key, None)

    def withdraw(self, count: int) -> None:
        """Forget the newest ones: they were not sent after all."""
        for key in list(self._lines)[len(self._lines) - count :]:
            del self._lines[key]

    def texts(self) -> list[str]:
        """Return what they say."""
        return [text for _, text in self._lines.values()]

    def answered(self, label: str, message: Message) -> list[Kept | Refused]:
        """Take a message that came with a label: an echo or a refusal ends the wait."""
        if label not in self._lines:
            return []
        failed = message.command == "FAIL"
        if message.command in _SAID:
            return [Kept(label, *self._lines.pop(label))]
        if failed and len(message.params) > 1 and message.params[1] == _NOT_NOW:
            return []  # its disk is full, say: later
        # A NOTICE that may not be sent is answered by nothing, which is an ACK with a label.
        if failed or message.command == "ACK" or "400" <= message.command <= "599":
            return [Refused(label, *self._lines.pop(label))]
        return []


def _line(key: str, target: str, text: str) -> bytes:
    return build("PRIVMSG", target, text, tags=f"label={key};{KEY_TAG}={key}")
