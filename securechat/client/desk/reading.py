"""Messages of the server as entries, the same live and from history. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from securechat.client.desk.entries import Entry, Kind
from securechat.client.text import clean, sendable
from securechat.protocol.message import Message, parse_tags
from securechat.protocol.names import fold

ACTION: Final = "\x01ACTION "
MAX_MARKS: Final = 3
_KINDS: Final = {"PRIVMSG": Kind.MESSAGE, "NOTICE": Kind.NOTICE}
_MARKS: Final = re.compile(r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f])")


class Said(NamedTuple):
    """An entry, and the name of the conversation that it is part of."""

    where: str
    entry: Entry


def said(message: Message, nick: str, now: int) -> Said | None:
    """Return a PRIVMSG or NOTICE as an entry; None for other messages and for CTCP requests."""
    if message.command not in _KINDS or len(message.params) < 2 or not message.source:
        return None
    kind, (target, text) = _KINDS[message.command], message.params[:2]
    sender = message.source.partition("!")[0]
    if "!" not in message.source and kind is Kind.NOTICE:
        return None  # from the server itself
    if text.startswith("\x01"):
        if not text.startswith(ACTION):
            return None
        kind, text = Kind.ACTION, text.removeprefix(ACTION).removesuffix("\x01")
    own = fold(sender) == fold(nick)
    tags = parse_tags(message.tags) if message.tags else {}
    entry = Entry(
        kind,
        moment(tags.get("time", ""), now),
        tame(text),
        clean(sender),
        tags.get("msgid", ""),
        _number(tags.get("securechat/order", "")),
        own=own,
        mention=not own and mentions(text, nick),
        reply=tags.get("+draft/reply", tags.get("+reply", "")),
    )
    where = target.lstrip("~&@%+") if "#" in target else target
    return Said(where if where.startswith("#") or own else sender, entry)


def tame(text: str) -> str:
    """Return text of several lines harmless for a terminal, with few marks on each letter."""
    text = "\n".join(clean(line) for line in text.replace("\r", "").split("\n"))
    return text if text.isascii() else _few_marks(text)


def _few_marks(text: str) -> str:
    out, marks = [], 0
    for piece in _MARKS.split(text):
        if _MARKS.fullmatch(piece):
            marks += 1
            if marks > MAX_MARKS:
                continue
        elif piece:
            marks = 0
        out.append(piece)
    return "".join(out)


def mentions(text: str, nick: str) -> bool:
    """Whether a text has the name as a word of its own."""
    return re.search(rf"(?<!\w){re.escape(nick.casefold())}(?!\w)", text.casefold()) is not None


def moment(stamp: str, now: int) -> int:
    """Return a time of the wire in milliseconds since 1970, or `now` where it is none."""
    try:
        return round(datetime.fromisoformat(stamp).timestamp() * 1000) if stamp else now
    except (ValueError, OverflowError, OSError):
        return now


def stamp(time: int) -> str:
    """Return milliseconds since 1970 as a time of the wire."""
    return datetime.fromtimestamp(time // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{time % 1000:03}Z"


def _number(word: str) -> int:
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 16 else 0


def sendable_lines(text: str) -> str:
    """Return typed text without what cannot be sent; line ends become LF, empty lines at the end go."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(sendable(line) for line in text.split("\n")).rstrip()
