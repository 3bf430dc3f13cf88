"""The only place where the hub's shared state changes: one function per kind of entry.

Each takes the hub, the entry and the session that caused it (None when the log is replayed) and returns who
gets what, in order. Those for people who come and go are in `arrivals`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from securechat.chat import arrivals, modes
from securechat.chat.effects import Fanout, Output
from securechat.chat.marks import apply_mark
from securechat.chat.messages import COMMANDS, EVERYBODY
from securechat.chat.people import Audience, Channel, Member, Person, Session, Topic
from securechat.chat.render import event_body, join_lines, lines, message_lines
from securechat.chat.replay import apply_seen
from securechat.protocol.capabilities import Cap
from securechat.protocol.names import fold
from securechat.records import Entry, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub


def _message(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """Pass on to the channel's members, or to both sides of a conversation, every device."""
    sender = hub.people[fold(entry.sender)]
    if entry.number:
        hub.recent.append(entry)
    if entry.key:
        hub.keys.add(sender.key, entry.key)
    skip = None if origin is None or origin.caps & Cap.ECHO_MESSAGE else origin
    channel = hub.channels.get(entry.target)
    if channel is not None:
        channel.newest = entry.seq or channel.newest
        name, audiences = channel.name, [channel.audience]
        if sender.key not in channel.members:
            audiences.append(sender.audience)
    elif entry.target == EVERYBODY:
        everybody = (session for person in hub.people.values() for session in person.sessions)
        name, audiences = "$*", [Audience(everybody)]
    else:
        account = hub.accounts.get(entry.target)  # None: what was said to somebody who is gone is taken back
        name = account.name if account is not None else entry.target
        other = hub.people.get(entry.target)
        sender.newest = entry.seq or sender.newest
        if other is not None:
            other.newest = entry.seq or other.newest
        audiences = _both_sides(entry, sender, other, origin)
    start = f":{sender.source} {COMMANDS[entry.kind]} {name}"
    return [
        Fanout(audience, message_lines(entry, start, audience, bot=sender.bot), skip) for audience in audiences
    ]


def _both_sides(entry: Entry, sender: Person, other: Person | None, origin: Session | None) -> list[Audience]:
    """Return who hears a direct message: all devices of both. One to oneself is heard once."""
    theirs = [other.audience] if other is not None else []
    if other is sender:
        return theirs
    if entry.text.startswith("\x01") and not entry.text.startswith("\x01ACTION"):
        # A CTCP request is for a program: the sender's own other clients would answer it.
        return [*theirs, Audience([origin] if origin is not None else [])]
    return [*theirs, sender.audience]


def _redact(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """Tell everybody who heard the message that it was taken back, and forget it here as the log does."""
    msgid = entry.text.partition(" ")[0]
    for index, other in enumerate(reversed(hub.recent), 1):  # most are taken back soon
        if other.msgid == msgid:
            hub.recent[-index] = other._replace(kind=Kind.REDACTED, text="", tags="")
            break
    return _message(hub, entry, origin)


def _create(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    owner = fold(entry.sender) if entry.sender else ""
    hub.channels[entry.target] = Channel(entry.text, entry.target, owner, entry.time)
    return []


def _join(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    person, channel = arrivals.keep(hub, hub.person(entry.sender)), hub.channels[entry.target]
    channel.members[person.key] = Member(person, entry.time, seq=entry.seq)
    channel.invited.pop(person.key, None)
    person.channels[channel.key] = channel
    channel.members_changed()
    if hub.restoring:
        return []
    audience = channel.audience
    outputs: list[Output] = [Fanout(audience, join_lines(entry, channel.name, person, audience))]
    outputs += arrivals.tell_away(person, entry, channel)
    for session in person.sessions:
        outputs += arrivals.channel_lines(hub, session, channel)
    return outputs


def _part(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    person, channel = hub.person(entry.sender), hub.channels[entry.target]
    shown = _to_channel(hub, entry, person, channel)
    _leave(hub, person, channel)
    return shown


def _kick(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    person, channel = hub.person(entry.sender), hub.channels[entry.target]
    shown = _to_channel(hub, entry, person, channel)
    _leave(hub, hub.person(entry.text.partition(" ")[0]), channel)
    return shown


def _topic(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    person, channel = hub.person(entry.sender), hub.channels[entry.target]
    channel.topic = Topic(entry.text, entry.sender, entry.time)
    return _to_channel(hub, entry, person, channel)


def _mode(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    person, channel = hub.person(entry.sender), hub.channels[entry.target]
    modes.apply(channel, entry.text, entry.sender, entry.time)
    if "s" in channel.flags:
        hub.secret.add(channel.key)
    else:
        hub.secret.discard(channel.key)
    return _to_channel(hub, entry, person, channel)


def _invite(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """An invitation goes to who is invited, and to those who run the channel and asked to know.

    Who invites has 341 for an answer: WeeChat would show it twice.
    """
    person, channel, guest = hub.person(entry.sender), hub.channels[entry.target], hub.person(entry.text)
    channel.invited[guest.key] = entry.time
    told = list(guest.sessions)
    told += [
        session
        for member in channel.members.values()
        if hub.operates(member.person, channel)
        for session in member.person.sessions
        if session.caps & Cap.INVITE_NOTIFY and session is not origin
    ]
    audience = Audience(told)
    body = f":{person.source} INVITE {guest.name} {channel.name}"
    return [Fanout(audience, lines(entry, body, audience, bot=person.bot))]


def _forget(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """End what an account that is gone was in and owned. Its devices have left before."""
    hub.keys.forget(entry.target)
    hub.marks.pop(entry.target, None)
    hub.seen.pop(entry.target, None)
    person = hub.people.get(entry.target)
    if person is not None:
        for channel in list(person.channels.values()):
            _leave(hub, person, channel)
    for channel in hub.channels.values():
        channel.invited.pop(entry.target, None)
        if channel.owner == entry.target:
            channel.owner = ""
    return []


def _to_channel(hub: Hub, entry: Entry, person: Person, channel: Channel) -> list[Output]:
    if hub.restoring:
        return []
    body = event_body(entry, person.source, channel.name)
    return [Fanout(channel.audience, lines(entry, body, channel.audience, bot=person.bot))]


def _leave(hub: Hub, person: Person, channel: Channel) -> None:
    channel.members.pop(person.key, None)
    person.channels.pop(channel.key, None)
    channel.members_changed()
    arrivals.discard(hub, person)


TABLE: Final[dict[Kind, Callable[[Hub, Entry, Session | None], list[Output]]]] = {
    Kind.PRIVMSG: _message,
    Kind.NOTICE: _message,
    Kind.TAGMSG: _message,
    Kind.TYPING: _message,
    Kind.REDACT: _redact,
    Kind.MARK: apply_mark,
    Kind.SEEN: apply_seen,
    Kind.CREATE: _create,
    Kind.JOIN: _join,
    Kind.PART: _part,
    Kind.KICK: _kick,
    Kind.TOPIC: _topic,
    Kind.MODE: _mode,
    Kind.INVITE: _invite,
    Kind.FORGET: _forget,
    **arrivals.TABLE,
}
