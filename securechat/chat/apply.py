"""The only place where the hub's shared state changes: one function per kind of entry.

Each takes the hub, the entry and the session that caused it (None when the log is replayed) and returns who
gets what, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Fanout, Output
from securechat.chat.people import Audience, Channel, Member, Person, Session, Topic
from securechat.chat.queries import names_lines, topic_lines
from securechat.chat.render import join_lines, lines
from securechat.protocol.capabilities import Cap
from securechat.protocol.names import fold
from securechat.records import Entry, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub


def _message(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """PRIVMSG and NOTICE: to the channel's members, or to both sides of a conversation, every device."""
    sender = hub.people[fold(entry.sender)]
    skip = None if origin is None or origin.caps & Cap.ECHO_MESSAGE else origin
    channel = hub.channels.get(entry.target)
    if channel is not None:
        name, audiences = channel.name, [channel.audience]
    else:
        name = hub.accounts[entry.target].name
        other = hub.people.get(entry.target)
        audiences = [person.audience for person in (other, sender) if person is not None]
        if other is sender:
            # A note to oneself arrives once, as itself, asked for an echo or not.
            audiences, skip = audiences[:1], None
    body = f":{sender.source} {entry.kind.name} {name} :{entry.text}"
    return [Fanout(audience, lines(entry, body, audience), skip) for audience in audiences]


def _create(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:  # noqa: ARG001
    owner = fold(entry.sender) if entry.sender else ""
    hub.channels[entry.target] = Channel(entry.text, entry.target, owner, entry.time)
    return []


def _join(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:  # noqa: ARG001
    person, channel = _keep(hub, hub.person(entry.sender)), hub.channels[entry.target]
    channel.members[person.key] = Member(person, entry.time)
    person.channels[channel.key] = channel
    channel.members_changed()
    audience = channel.audience
    shown = join_lines(entry, channel.name, person.source, person.realname, audience)
    outputs: list[Output] = [Fanout(audience, shown)]
    for session in person.sessions:
        outputs += topic_lines(hub, session, channel)
        outputs += names_lines(hub, session, channel)
    return outputs


def _part(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:  # noqa: ARG001
    person, channel = hub.person(entry.sender), hub.channels[entry.target]
    audience = channel.audience
    reason = f" :{entry.text}" if entry.text else ""
    shown = lines(entry, f":{person.source} PART {channel.name}{reason}", audience)
    _leave(hub, person, channel)
    return [Fanout(audience, shown)]


def _topic(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:  # noqa: ARG001
    person, channel = hub.person(entry.sender), hub.channels[entry.target]
    channel.topic = Topic(entry.text, entry.sender, entry.time)
    body = f":{person.source} TOPIC {channel.name} :{entry.text}"
    return [Fanout(channel.audience, lines(entry, body, channel.audience))]


def _forget(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:  # noqa: ARG001
    """End what an account that is gone was in and owned. Its devices have left before."""
    person = hub.people.get(entry.target)
    if person is not None:
        for channel in list(person.channels.values()):
            _leave(hub, person, channel)
    for channel in hub.channels.values():
        if channel.owner == entry.target:
            channel.owner = ""
    return []


def _online(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """The first device: others see its person join where they are members, the device sees its channels."""
    person = _keep(hub, hub.person(entry.sender))
    person.realname = entry.text
    outputs: list[Output] = []
    for channel in person.channels.values():
        audience = channel.audience
        outputs.append(Fanout(audience, join_lines(entry, channel.name, person.source, person.realname, audience)))
    return outputs + _attach(hub, entry, origin)


def _attach(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """Any device: from here on it is part of its person; it sees the channels it is in."""
    if origin is None:
        return []
    person = _keep(hub, hub.person(entry.sender))
    person.sessions.append(origin)
    person.devices_changed()
    origin.person, origin.registration = person, None
    own = Audience([origin])
    outputs: list[Output] = []
    for channel in person.channels.values():
        outputs.append(Fanout(own, join_lines(entry, channel.name, person.source, person.realname, own)))
        outputs += topic_lines(hub, origin, channel)
        outputs += names_lines(hub, origin, channel)
    return outputs


def _offline(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:  # noqa: ARG001
    """The last device left: everybody who shares a channel sees one QUIT."""
    person = hub.person(entry.sender)
    person.sessions.clear()
    person.devices_changed()
    others = {
        session: None
        for channel in person.channels.values()
        for member in channel.members.values()
        for session in member.person.sessions
    }
    _discard(hub, person)
    audience = Audience(others)
    return [Fanout(audience, lines(entry, f":{person.source} QUIT :{entry.text}", audience, msgid=False))]


def _detach(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """A device left; its person is still here with others."""
    person = hub.person(entry.sender)
    if origin in person.sessions:
        person.sessions.remove(origin)
        person.devices_changed()
    return []


def _leave(hub: Hub, person: Person, channel: Channel) -> None:
    channel.members.pop(person.key, None)
    person.channels.pop(channel.key, None)
    channel.members_changed()
    _discard(hub, person)


def _keep(hub: Hub, person: Person) -> Person:
    hub.people[person.key] = person
    return person


def _discard(hub: Hub, person: Person) -> None:
    """Forget a person who is in no channel and has no device, so that the hub does not grow for ever."""
    if not person.channels and not person.sessions:
        hub.people.pop(person.key, None)


TABLE: Final[dict[Kind, Callable[[Hub, Entry, Session | None], list[Output]]]] = {
    Kind.PRIVMSG: _message,
    Kind.NOTICE: _message,
    Kind.CREATE: _create,
    Kind.JOIN: _join,
    Kind.PART: _part,
    Kind.TOPIC: _topic,
    Kind.FORGET: _forget,
    Kind.ONLINE: _online,
    Kind.OFFLINE: _offline,
    Kind.ATTACH: _attach,
    Kind.DETACH: _detach,
}
