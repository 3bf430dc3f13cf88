"""Texts that one session says in a row in one channel, decided, applied and written as one.

Most of what a line costs is the way to where it is one of many: five of six microseconds. What comes out is what
would come out line by line, the way of everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Burst, Fanout
from securechat.chat.messages import COMMANDS, silenced
from securechat.chat.people import Session
from securechat.chat.render import excess, tag_section
from securechat.protocol.capabilities import Cap
from securechat.protocol.errors import Fault
from securechat.protocol.message import Message
from securechat.protocol.names import fold
from securechat.records import Entry, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

_KINDS: Final = {"PRIVMSG": Kind.PRIVMSG, "NOTICE": Kind.NOTICE}
_CTCP: Final = "\x01"


def find(hub: Hub, session: Session, lines: Sequence[Message | Fault], start: int) -> Burst | None:
    """Return what may be said at once of the lines from `start` on; None where that is not two of them or more."""
    first, person = lines[start], session.person
    if start + 1 >= len(lines) or person is None or isinstance(first, Fault):
        return None
    kind = _KINDS.get(first.command)
    if kind is None or len(first.params) != 2 or not first.params[0].startswith("#"):
        return None
    target = first.params[0]
    channel = hub.channels.get(fold(target))
    if channel is None or person.key not in channel.members or silenced(hub, person, channel, member=True):
        return None
    room = -excess(person.source_size, first.command, channel.name, "")
    texts = []
    for line in islice(lines, start, None):
        if isinstance(line, Fault) or line.tags or line.command != first.command:
            break
        params = line.params
        if len(params) != 2 or params[0] != target or not _plain(params[1], room):
            break
        texts.append(params[1])
    return Burst(session, kind, channel, person.name, texts) if len(texts) > 1 else None


def _plain(text: str, room: int) -> bool:
    """Whether a text has nothing to it that some line by line decision looks at."""
    if not text or text.startswith(_CTCP):
        return False
    return len(text) <= room if text.isascii() else len(text.encode()) <= room


def apply(hub: Hub, burst: Burst, entries: Sequence[Entry]) -> Fanout:
    """Change the state by the entries of a burst and return who gets their lines, joined by variant."""
    channel, session = burst.channel, burst.session
    sender = hub.people[fold(burst.sender)]
    session.active = hub.now
    hub.newest = channel.newest = entries[-1].seq
    hub.recent.extend(entries)
    start = f":{sender.source} {COMMANDS[burst.kind]} {channel.name} :"
    audience = channel.audience
    lines = {variant: _joined(entries, start, variant, bot=sender.bot) for variant in audience.variants}
    return Fanout(audience, lines, None if session.caps & Cap.ECHO_MESSAGE else session)


def _joined(entries: Sequence[Entry], start: str, variant: int, *, bot: bool) -> bytes:
    if not variant:
        return "".join([f"{start}{entry.text}\r\n" for entry in entries]).encode()
    return "".join(
        [f"{tag_section(entry, variant, bot=bot)}{start}{entry.text}\r\n" for entry in entries]
    ).encode()
