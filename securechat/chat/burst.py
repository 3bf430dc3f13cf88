"""Texts that one session says in a row in one channel, decided, applied and written as one.

Most of what a line costs is the way to where it is one of many: five of six microseconds. What comes out is what
would come out line by line, the way of everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Burst, Fanout
from securechat.chat.messages import COMMANDS, silenced
from securechat.chat.people import Session
from securechat.chat.render import excess, tag_sections
from securechat.protocol.capabilities import Cap
from securechat.protocol.lines import Texts
from securechat.protocol.names import fold
from securechat.records import Entry, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

_KINDS: Final = {"PRIVMSG": Kind.PRIVMSG, "NOTICE": Kind.NOTICE}


def find(hub: Hub, session: Session, said: Texts) -> Burst | None:
    """Return the texts as what may be said at once; None where each has to be decided by itself."""
    person = session.person
    if person is None or not said.target.startswith("#"):
        return None
    channel = hub.channels.get(fold(said.target))
    if channel is None or person.key not in channel.members or silenced(hub, person, channel, member=True):
        return None
    if excess(person.source_size, said.command, channel.name, "") + said.longest > 0:
        return None
    return Burst(session, _KINDS[said.command], channel, person.name, said.texts)


def apply(hub: Hub, burst: Burst, entries: Sequence[Entry]) -> Fanout:
    """Change the state by the entries of a burst and return who gets their lines, joined by variant."""
    channel, session = burst.channel, burst.session
    sender = hub.people[fold(burst.sender)]
    session.active = hub.now
    hub.newest = channel.newest = entries[-1].seq
    hub.recent.extend(entries)
    start = f":{sender.source} {COMMANDS[burst.kind]} {channel.name} :"
    audience = channel.audience
    lines = {
        variant: _joined(start, burst.texts, tag_sections(entries, variant, bot=sender.bot) if variant else None)
        for variant in audience.variants
    }
    return Fanout(audience, lines, None if session.caps & Cap.ECHO_MESSAGE else session)


def _joined(start: str, texts: Sequence[str], tags: Iterable[str] | None) -> bytes:
    """Return lines that begin alike, but for their tags if they have any."""
    if tags is None:
        between = f"\r\n{start}"
        return f"{start}{between.join(texts)}\r\n".encode()
    return "".join([f"{section}{start}{text}\r\n" for section, text in zip(tags, texts, strict=True)]).encode()
