"""How far we have got in each conversation: which line is next, which came before, which is missing. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, NamedTuple

from securechat.protocol.capabilities import ORDER_TAG
from securechat.protocol.message import Message
from securechat.protocol.names import fold

MAX_RECENT: Final = 1000
"""Lines of a conversation that are known by number and msgid, to tell what came twice from what came instead."""
MAX_WAITING: Final = 5000
"""New lines that may wait until the older ones are here; beyond it they are asked for like those."""
BEGINNING: Final = "1970-01-01T00:00:00.000Z"


class Gap(NamedTuple):
    """The lines `first` to `last` of a conversation are not to be had.

    `back` says that the server counts from `first` again: its log was restored, and those we had are gone there.
    """

    target: str
    first: int
    last: int
    back: bool = False


class Told(NamedTuple):
    """A line with its number in a conversation. Further lines of one message have its number and no msgid."""

    message: Message
    number: int
    msgid: str
    time: str


class Stage(Enum):
    """What is asked about a conversation at the moment."""

    NOTHING = auto()
    AFTER = auto()  # what came after the last line, by its msgid
    SINCE = auto()  # the same, by its time: the server does not know the msgid
    LATEST = auto()  # the newest line: nothing came since that time, so where does the server count?
    BASE = auto()  # the newest line, to count from there: we have none


def told(message: Message, tags: dict[str, str]) -> Told | None:
    """Return a message as a numbered line; None where it has no number."""
    number = tags.get(ORDER_TAG, "")
    if not (number.isascii() and number.isdecimal() and len(number) < 16 and message.params):
        return None
    msgid = tags.get("msgid", "")
    if not msgid and message.command == "REDACT" and len(message.params) > 1:
        # What is left of a message in history: it stands in its place.
        msgid = message.params[1]
    return Told(message, int(number), msgid, tags.get("time", ""))


def conversation(message: Message, nick: str) -> str:
    """Return the name of the conversation that a message to us or from us (`nick`) is part of."""
    target, sender = message.params[0], (message.source or "").partition("!")[0]
    return target if target.startswith("#") or fold(sender) == fold(nick) else sender


def before(time: str) -> str:
    """Return the millisecond before a moment on the wire; the beginning where it is none."""
    try:
        moment = datetime.fromisoformat(time) - timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return BEGINNING
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{moment.microsecond // 1000:03}Z"


class Place:
    """How far we are in one conversation. Owned by `Resume`. `number` is None until a first line is known."""

    def __init__(self, name: str, number: int | None = None) -> None:
        self.name = name
        self.number = number
        self.msgid = ""
        self.time = ""
        self.stage = Stage.NOTHING
        self.again = False  # too much came meanwhile
        self.waiting: deque[Told] = deque()
        self._recent: OrderedDict[int, str] = OrderedDict()
        self._open = False  # whether the message that came last was given out, and so its further lines

    def wait(self, line: Told) -> None:
        """Keep a line until those before it are here."""
        if len(self.waiting) >= MAX_WAITING or self.again:
            self.again = True
            self.waiting.clear()
        else:
            self.waiting.append(line)

    def take(self, line: Told, *, asked: bool) -> list[Message | Gap] | None:
        """Give out what a line leads to: itself, nothing where it came before, a gap before it.

        None says that lines before it are missing; once the server was `asked` for those, they are a gap.
        """
        if self.number is None:
            return self._give(line)
        if line.number == self.number and not line.msgid:
            return [line.message] if self._open else []
        if line.number <= self.number:
            return self._repeated(line)
        if line.number == self.number + 1:
            return self._give(line)
        if not asked:
            return None
        gap = Gap(self.name, self.number + 1, line.number - 1)
        return [gap, *self._give(line)]

    def restart(self, number: int) -> list[Message | Gap]:
        """Take it that the server counts from `number` on; a gap where that is behind us."""
        if self.number is None or number >= self.number:
            return []
        gap = Gap(self.name, number + 1, self.number, back=True)
        self.number, self.msgid, self._open = number, "", False
        for known in [known for known in self._recent if known > number]:
            del self._recent[known]
        return [gap]

    def _repeated(self, line: Told) -> list[Message | Gap]:
        known = self._recent.get(line.number)
        # By time we may be given lines that are older than all that we remember only if they are others.
        other = line.msgid != known if known is not None else self.stage in (Stage.SINCE, Stage.LATEST)
        if not other:
            self._open = False
            return []
        return [*self.restart(line.number - 1), *self._give(line)]

    def _give(self, line: Told) -> list[Message | Gap]:
        self.number, self.msgid, self.time, self._open = line.number, line.msgid, line.time or self.time, True
        self._recent[line.number] = line.msgid
        if len(self._recent) > MAX_RECENT:
            self._recent.popitem(last=False)
        return [line.message]
