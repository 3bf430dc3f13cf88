"""What we said and the server does not have yet, as it is shown and as it is kept over a restart. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from securechat.client.desk.entries import Entry, Kind
from securechat.client.desk.reading import ACTION, tame
from securechat.protocol.message import escape_tag


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


def reply_tag(msgid: str) -> str:
    """Return the tag of an answer to a message; nothing where it is none."""
    return f"+draft/reply={escape_tag(msgid)}" if msgid else ""


def shown(waiting: Waiting, nick: str) -> Entry:
    """Return a message of ours as an entry."""
    text = waiting.text
    kind = Kind.MESSAGE
    if text.startswith(ACTION):
        kind, text = Kind.ACTION, text.removeprefix(ACTION).removesuffix("\x01")
    return Entry(kind, waiting.time, tame(text), nick, own=True, key=waiting.key, reply=waiting.reply)
