"""How the hub's state changes when people come, go, or show themselves differently. Used by `apply` alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Fanout, Output
from securechat.chat.marks import mark_line
from securechat.chat.people import Audience, Channel, Person, Session
from securechat.chat.queries import names_lines, topic_lines
from securechat.chat.render import join_lines, lines
from securechat.protocol import numerics
from securechat.protocol.capabilities import Cap
from securechat.protocol.numerics import numeric
from securechat.records import Entry, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub


def _online(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """The first device: others see its person join where they are members, the device sees its channels."""
    person = keep(hub, hub.person(entry.sender))
    person.realname, person.bot = entry.text, False
    outputs: list[Output] = []
    for channel in person.channels.values():
        audience = channel.audience
        outputs.append(Fanout(audience, join_lines(entry, channel.name, person, audience)))
    outputs += _tell_watchers(hub, person, numerics.RPL_MONONLINE, person.source)
    outputs += _attach(hub, entry, origin)
    return outputs


def _attach(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """Any device: from here on it is part of its person, who is back if the others were away."""
    if origin is None:
        return []
    person = keep(hub, hub.person(entry.sender))
    before = person.away
    person.sessions.append(origin)
    person.devices_changed()
    hub.here[person.key] = person
    hub.most = max(hub.most, len(hub.here))
    origin.person, origin.registration = person, None
    origin.since = origin.active = entry.time
    own = Audience([origin])
    outputs: list[Output] = []
    for channel in person.channels.values():
        outputs.append(Fanout(own, join_lines(entry, channel.name, person, own)))
        outputs += channel_lines(hub, origin, channel)
    return outputs + _away_changed(hub, person, entry, before)


def _offline(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """The last device left: everybody who shares a channel sees one QUIT."""
    person = hub.person(entry.sender)
    for session in person.sessions:
        hub.unwatch(session, list(session.monitored or ()))
    person.sessions.clear()
    person.devices_changed()
    hub.here.pop(person.key, None)
    audience = Audience(person.neighbours())
    body = f":{person.source} QUIT :{entry.text}"
    outputs: list[Output] = [Fanout(audience, lines(entry, body, audience, msgid=False, bot=person.bot))]
    outputs += _tell_watchers(hub, person, numerics.RPL_MONOFFLINE, person.name)
    discard(hub, person)
    return outputs


def _detach(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """A device left; its person is still here with others."""
    person = hub.person(entry.sender)
    before = person.away
    if origin is not None and origin in person.sessions:
        hub.unwatch(origin, list(origin.monitored or ()))
        person.sessions.remove(origin)
        person.devices_changed()
        if not person.sessions:
            hub.here.pop(person.key, None)
    return _away_changed(hub, person, entry, before)


def _away(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """One device is away or back; others hear of it when that changes what their person is."""
    person = hub.person(entry.sender)
    before = person.away
    if origin is not None:
        origin.away = entry.text
    return _away_changed(hub, person, entry, before)


def _away_changed(hub: Hub, person: Person, entry: Entry, before: str) -> list[Output]:
    if person.away == before or not person.sessions:
        return []
    told = _interested(hub, person, Cap.AWAY_NOTIFY)
    audience = Audience(session for session in told if session.person is not person)
    return [Fanout(audience, lines(entry, _away_body(person), audience, msgid=False, bot=person.bot))]


def tell_away(person: Person, entry: Entry, channel: Channel) -> list[Output]:
    """Return what tells a channel that somebody who just came in is away (IRCv3 away-notify)."""
    if not person.away:
        return []
    audience = Audience(
        session
        for other in channel.present()
        for session in other.sessions
        if session.caps & Cap.AWAY_NOTIFY and other is not person
    )
    return [Fanout(audience, lines(entry, _away_body(person), audience, msgid=False, bot=person.bot))]


def _away_body(person: Person) -> str:
    return f":{person.source} AWAY" + (f" :{person.away}" if person.away else "")


def _setname(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """A new real name (IRCv3 setname): the person's own devices see it too."""
    person = hub.person(entry.sender)
    person.realname = entry.text
    audience = Audience(_interested(hub, person, Cap.SETNAME))
    body = f":{person.source} SETNAME :{entry.text}"
    return [Fanout(audience, lines(entry, body, audience, msgid=False, bot=person.bot))]


def _bot(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """A program says that it is one, or no more (IRCv3 bot-mode)."""
    person = hub.person(entry.sender)
    person.bot = entry.text == "+"
    body = f":{person.source} MODE {person.name} {entry.text}B"
    return [Fanout(person.audience, lines(entry, body, person.audience, msgid=False, bot=person.bot))]


def _interested(hub: Hub, person: Person, cap: Cap) -> Iterable[Session]:
    """Give the sessions that asked for news about a person: neighbours and, with extended-monitor, watchers."""
    told = dict.fromkeys(session for session in person.neighbours() if session.caps & cap)
    both = cap | Cap.EXTENDED_MONITOR
    told |= dict.fromkeys(watcher for watcher in hub.watchers.get(person.key, ()) if watcher.caps & both == both)
    return told


def _tell_watchers(hub: Hub, person: Person, reply: numerics.Numeric, text: str) -> list[Output]:
    """Return the MONITOR notice that a person came or went (IRCv3 monitor)."""
    audience = Audience(hub.watchers.get(person.key, ()))
    line = numeric(hub.rules.server, "*", reply, text=(text,))
    return [Fanout(audience, dict.fromkeys(audience.variants, line))]


def channel_lines(hub: Hub, session: Session, channel: Channel) -> list[Output]:
    """Return what a device is told of a channel that it comes into: topic, read marker, names."""
    told: list[Output] = [*topic_lines(hub, session, channel)]
    if session.caps & Cap.READ_MARKER and session.person is not None:
        told.append(mark_line(hub, session, session.person, channel.key))
    if not session.caps & Cap.NO_IMPLICIT_NAMES:
        told += names_lines(hub, session, channel)
    return told


def keep(hub: Hub, person: Person) -> Person:
    """Make a person known to the hub."""
    hub.people[person.key] = person
    return person


def discard(hub: Hub, person: Person) -> None:
    """Forget a person who is in no channel and has no device, so that the hub does not grow for ever."""
    if not person.channels and not person.sessions:
        hub.people.pop(person.key, None)


TABLE: Final[dict[Kind, Callable[[Hub, Entry, Session | None], list[Output]]]] = {
    Kind.ONLINE: _online,
    Kind.OFFLINE: _offline,
    Kind.ATTACH: _attach,
    Kind.DETACH: _detach,
    Kind.AWAY: _away,
    Kind.SETNAME: _setname,
    Kind.BOT: _bot,
}
