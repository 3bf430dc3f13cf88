"""Channel modes: a table, what a MODE command asks for, and how an entry changes a channel (modern-irc)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from securechat.chat.masks import normalise, wildcard
from securechat.chat.people import Channel, ListEntry
from securechat.protocol.names import fold

MAX_CHANGES: Final = 8
"""Modes with a parameter in one command (ISUPPORT MODES)."""
MAX_LIST: Final = 100
"""Entries in one channel's lists together (ISUPPORT MAXLIST)."""
MAX_KEY: Final = 32


class Sort(Enum):
    """How a mode uses its parameter (ISUPPORT CHANMODES, types A to D)."""

    LIST = "A"
    KEY = "B"
    LIMIT = "C"
    FLAG = "D"
    RANK = "rank"


class Mode(NamedTuple):
    """One channel mode and what it does, in words."""

    sort: Sort
    meaning: str


TABLE: Final[dict[str, Mode]] = {
    "H": Mode(Sort.FLAG, "members read only what was said since they joined; comes with +i, +k and +s"),
    "I": Mode(Sort.LIST, "may join though the channel is by invitation only"),
    "b": Mode(Sort.LIST, "may neither join nor speak"),
    "e": Mode(Sort.LIST, "may join and speak though banned"),
    "i": Mode(Sort.FLAG, "only those who were invited may join"),
    "k": Mode(Sort.KEY, "whoever joins must know the key"),
    "l": Mode(Sort.LIMIT, "at most so many members"),
    "m": Mode(Sort.FLAG, "only those with voice speak"),
    "n": Mode(Sort.FLAG, "only members speak"),
    "o": Mode(Sort.RANK, "runs the channel"),
    "s": Mode(Sort.FLAG, "outsiders learn nothing of the channel"),
    "t": Mode(Sort.FLAG, "only those who run the channel set its topic"),
    "v": Mode(Sort.RANK, "speaks though the channel is moderated"),
}


USER: Final = {
    "B": "is a program, not a human",
    "i": "is found by name only; on for everybody, for good",
}
"""Modes of users, and what they say of them."""


class Change(NamedTuple):
    """One wanted change: sign "+" or "-", letter, and its parameter or empty."""

    sign: str
    letter: str
    param: str = ""


PRIVATE: Final = frozenset("iks")
"""Modes that make a channel private: what was said in it before is then not for those who join later."""


class Query(NamedTuple):
    """A list mode without parameter: show the list."""

    letter: str


class Refusal(NamedTuple):
    """Something in a MODE command that is none: the letter and why, as `numerics` has it."""

    letter: str
    why: str


def letters(sort: Sort) -> str:
    """Return the letters of the modes of one sort."""
    return "".join(letter for letter, mode in TABLE.items() if mode.sort is sort)


def read(params: list[str]) -> Iterator[Change | Query | Refusal]:
    """Give what "+o-v bob carol" asks for, in order; `params` is everything after the channel."""
    rest = iter(params[1:])
    sign, taken = "+", 0
    for letter in params[0]:
        if letter in "+-":
            sign = letter
            continue
        mode = TABLE.get(letter)
        if mode is None:
            yield Refusal(letter, "unknown")
            continue
        needs = mode.sort in (Sort.LIST, Sort.RANK) or (mode.sort in (Sort.KEY, Sort.LIMIT) and sign == "+")
        param = next(rest, "") if needs or mode.sort is Sort.KEY else ""
        if needs and not param:
            yield Query(letter) if mode.sort is Sort.LIST else Refusal(letter, "parameter")
            continue
        taken += needs or mode.sort is Sort.KEY  # "-k" is always written with one
        if taken > MAX_CHANGES:
            return
        yield _change(sign, letter, mode.sort, param)


def _change(sign: str, letter: str, sort: Sort, param: str) -> Change | Refusal:
    if sort is Sort.LIST:
        mask = normalise(param)
        return Change(sign, letter, mask) if mask else Refusal(letter, "mask")
    if sort is Sort.KEY:
        if sign == "-":
            return Change(sign, letter)
        fits = len(param.encode()) <= MAX_KEY and not any(char in " ,:" for char in param)
        return Change(sign, letter, param) if fits else Refusal(letter, "key")
    if sort is Sort.LIMIT and sign == "+":
        fits = param.isascii() and param.isdecimal() and 0 < len(param) <= 6 and int(param) > 0
        return Change(sign, letter, str(int(param))) if fits else Refusal(letter, "limit")
    return Change(sign, letter, param)


def same(one: Change, other: Change) -> bool:
    """Whether two changes are of one thing, so that the later one is the one that counts."""
    several = TABLE[one.letter].sort in (Sort.LIST, Sort.RANK)
    return one.letter == other.letter and (one.param == other.param or not several)


def private(channel: Channel, changes: list[Change]) -> list[Change]:
    """Return what comes with changes by itself: +H with those that make the channel private."""
    begins = any(change.sign == "+" and change.letter in PRIVATE for change in changes)
    return [Change("+", "H")] if begins and "H" not in channel.flags else []


def alters(channel: Channel, change: Change) -> bool:
    """Whether a change would make a difference; parameters of ranks are names of members."""
    on = change.sign == "+"
    sort = TABLE[change.letter].sort
    if sort is Sort.FLAG:
        return (change.letter in channel.flags) != on
    if sort is Sort.LIST:
        return (change.param in channel.lists[change.letter]) != on
    if sort is Sort.RANK:
        return (change.letter in channel.members[fold(change.param)].ranks) != on
    value = channel.password if sort is Sort.KEY else channel.limit
    return str(value or "") != change.param


def write(changes: list[Change]) -> str:
    """Return changes as on the wire, "+o-v bob carol"; each with its sign only where it changes."""
    signs, previous = "", ""
    for change in changes:
        signs += change.letter if change.sign == previous else change.sign + change.letter
        previous = change.sign
    shown = [("*" if change == Change("-", "k") else change.param) for change in changes]
    return " ".join([signs, *filter(None, shown)])


def apply(channel: Channel, text: str, setter: str, time: int) -> None:
    """Change a channel by what `write` gave. Only for `chat.apply`."""
    signs, *params = text.split(" ")
    for change in read([signs, *params]):
        assert isinstance(change, Change)
        _apply_one(channel, change, setter, time)


def _apply_one(channel: Channel, change: Change, setter: str, time: int) -> None:
    on, letter = change.sign == "+", change.letter
    sort = TABLE[letter].sort
    if sort is Sort.FLAG:
        channel.flags = channel.flags | {letter} if on else channel.flags - {letter}
    elif sort is Sort.LIST:
        if on:
            channel.lists[letter][change.param] = ListEntry(setter, time, wildcard(change.param))
        else:
            channel.lists[letter].pop(change.param, None)
    elif sort is Sort.RANK:
        member = channel.members.get(fold(change.param))
        if member is not None:
            member.ranks = member.ranks | {letter} if on else member.ranks - {letter}
    elif sort is Sort.KEY:
        channel.password = change.param if on else ""
    else:
        channel.limit = int(change.param) if on else 0


def shown(channel: Channel, *, member: bool) -> list[str]:
    """Return the modes as RPL_CHANNELMODEIS has them; the key is for members."""
    signs = "+" + "".join(sorted(channel.flags))
    params = []
    if channel.password:
        signs += "k"
        params.append(channel.password if member else "*")
    if channel.limit:
        signs += "l"
        params.append(str(channel.limit))
    return [signs, *params]
