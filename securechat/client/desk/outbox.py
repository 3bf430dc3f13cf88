"""What we said and the server does not have yet: said once, with its key, however often it must be sent. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from securechat.client.desk import multiline
from securechat.client.desk.entries import Entry, Kind
from securechat.client.desk.reading import ACTION, tame
from securechat.client.text import clean
from securechat.protocol.capabilities import KEY_TAG
from securechat.protocol.message import Message, escape_tag

MAX_WAITING: Final = 500
"""Messages that may wait; what is typed beyond that stays in the input (law 5)."""
_SAID: Final = frozenset({"PRIVMSG", "NOTICE"})


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message. `time` is when it was typed; `key` is unlike that of any other message of this account."""

    key: str
    target: str
    text: str
    time: int
    reply: str = ""


class Settled(NamedTuple):
    """The server has kept a message or, with `why`, refused it."""

    waiting: Waiting
    why: str


class Outbox:
    """Our messages without an echo, in order. Owned by the talk. `fresh` makes a key for each."""

    def __init__(self, fresh: Callable[[], str]) -> None:
        self._fresh = fresh
        self._waiting: dict[str, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def all(self) -> list[Waiting]:
        """Return what waits, in order."""
        return list(self._waiting.values())

    def restore(self, waiting: list[Waiting]) -> None:
        """Take over what waited when the program ended."""
        for one in waiting[:MAX_WAITING]:
            self._waiting[one.key] = one

    def add(self, target: str, text: str, time: int, reply: str, room: int) -> Waiting:
        """Note a message. Raises OverflowError (too many wait) or ValueError (too long); nothing is noted then."""
        if len(self._waiting) >= MAX_WAITING:
            raise OverflowError
        waiting = Waiting(self._fresh(), target, text, time, reply)
        wire(waiting, room)
        self._waiting[waiting.key] = waiting
        return waiting

    def answered(self, label: str, message: Message) -> Settled | None:
        """Take a message that came with a label: an echo or a refusal ends the wait."""
        if label not in self._waiting:
            return None
        if message.command in _SAID:
            return Settled(self._waiting.pop(label), "")
        if message.command in ("FAIL", "ACK") or "400" <= message.command <= "599":
            why = clean(message.params[-1]) if message.params else ""
            return Settled(self._waiting.pop(label), why or "refused")
        return None


def wire(waiting: Waiting, room: int) -> list[bytes]:
    """Return the lines that say a message. Raises ValueError where they do not fit."""
    tags = f"label={waiting.key};{KEY_TAG}={waiting.key}"
    if waiting.reply:
        tags += f";+draft/reply={escape_tag(waiting.reply)}"
    return multiline.lines(waiting.key, waiting.target, waiting.text, room, tags)


def shown(waiting: Waiting, nick: str) -> Entry:
    """Return a message of ours as an entry."""
    text = waiting.text
    kind = Kind.MESSAGE
    if text.startswith(ACTION):
        kind, text = Kind.ACTION, text.removeprefix(ACTION).removesuffix("\x01")
    return Entry(kind, waiting.time, tame(text), nick, own=True, key=waiting.key, reply=waiting.reply)
