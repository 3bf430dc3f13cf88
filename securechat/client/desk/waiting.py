"""What we said and the server does not have yet, as it is shown and as it is kept over a restart. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from securechat.client.desk.entries import Entry, Kind
from securechat.client.desk.reading import ACTION, tame
from securechat.client.unacknowledged import MAX_UNACKNOWLEDGED, Unacknowledged
from securechat.protocol.message import escape_tag, parse_tags

REPLY_TAG: Final = "+draft/reply"
MAX_TEXT: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message. `time` is when it was typed; `key` is unlike that of any other message of this account."""

    key: str
    target: str
    text: str
    time: int
    reply: str = ""

    @property
    def tags(self) -> str:
        """The client-only tags that it is sent with."""
        return reply_tag(self.reply)


def waiting_in(unacknowledged: Unacknowledged, now: int) -> list[Waiting]:
    """Return all that a program has said and the server has not confirmed, to be kept."""
    rows = unacknowledged.all()
    return [Waiting(key, to, text, now, parse_tags(tags).get(REPLY_TAG, "")) for key, to, text, tags in rows]


def read_waiting(rows: object) -> Iterator[Waiting]:
    """Give what was kept. What is not understood is left out."""
    for row in (rows if isinstance(rows, list) else [])[:MAX_UNACKNOWLEDGED]:
        one = _waiting(row)
        if one is not None:
            yield one


def _waiting(row: object) -> Waiting | None:
    if not isinstance(row, dict):
        return None
    try:
        one = Waiting(**row)
    except TypeError:
        return None
    texts = (one.key, one.target, one.text, one.reply)
    good = all(isinstance(text, str) for text in texts) and isinstance(one.time, int) and one.key and one.target
    return one if good and len(one.text) <= MAX_TEXT else None


def reply_tag(msgid: str) -> str:
    """Return the tag of an answer to a message; nothing where it is none."""
    return f"{REPLY_TAG}={escape_tag(msgid)}" if msgid else ""


def shown(waiting: Waiting, nick: str) -> Entry:
    """Return a message of ours as an entry."""
    text = waiting.text
    kind = Kind.MESSAGE
    if text.startswith(ACTION):
        kind, text = Kind.ACTION, text.removeprefix(ACTION).removesuffix("\x01")
    return Entry(kind, waiting.time, tame(text), nick, own=True, key=waiting.key, reply=waiting.reply)
