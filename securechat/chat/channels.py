"""JOIN, PART and TOPIC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from securechat.chat.effects import Effects
from securechat.chat.messages import too_long
from securechat.chat.people import Person, Session
from securechat.chat.queries import topic_lines
from securechat.chat.render import excess, repeatable, size
from securechat.protocol import numerics
from securechat.protocol.message import Message
from securechat.protocol.names import NameRefused, check_channel, fold
from securechat.records import Draft, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

MAX_TOPIC = 390
"""Longest topic in bytes (ISUPPORT TOPICLEN)."""


def join(hub: Hub, session: Session, message: Message) -> Effects:
    """JOIN <channel>{,<channel>}: a channel that does not exist is made, and its maker owns it."""
    for name in message.params[0].split(","):
        yield from _join(hub, session, name)


def _join(hub: Hub, session: Session, name: str) -> Effects:
    person = session.person
    assert person is not None
    try:
        key = check_channel(name)
    except NameRefused as refused:
        yield hub.numeric(session, numerics.ERR_BADCHANMASK, repeatable(name), text=(refused,))
        return
    channel = hub.channels.get(key)
    if channel is not None and person.key in channel.members:
        return
    limits = hub.rules.limits
    owned = sum(1 for other in hub.channels.values() if other.owner == person.key) if channel is None else 0
    if max(len(person.channels), owned) >= limits.channels_per_account:
        text = f"You are in or own {limits.channels_per_account} channels, which is the limit"
        yield hub.numeric(session, numerics.ERR_TOOMANYCHANNELS, repeatable(name), text=(text,))
        return
    if channel is None:
        if len(hub.channels) >= limits.channels:
            text = "The server has as many channels as it may have"
            yield hub.numeric(session, numerics.ERR_TOOMANYCHANNELS, repeatable(name), text=(text,))
            return
        yield Draft(Kind.CREATE, key, person.name, name)
    yield Draft(Kind.JOIN, key, person.name)


def part(hub: Hub, session: Session, message: Message) -> Effects:
    """PART <channel>{,<channel>} [:<reason>]: leaves for all devices of the account."""
    person = session.person
    assert person is not None
    reason = message.params[1] if len(message.params) > 1 else ""
    for name in message.params[0].split(","):
        channel = hub.channels.get(fold(name))
        if channel is None or person.key not in channel.members:
            missing = numerics.ERR_NOSUCHCHANNEL if channel is None else numerics.ERR_NOTONCHANNEL
            yield hub.numeric(session, missing, repeatable(name))
            continue
        over = excess(person.source_size, "PART", channel.name, reason)
        if over > 0:
            yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),))
            continue
        yield Draft(Kind.PART, channel.key, person.name, reason)


def topic(hub: Hub, session: Session, message: Message) -> Effects:
    """TOPIC <channel> [:<topic>]: asks, or sets where the asker runs the channel (+t)."""
    person = session.person
    assert person is not None
    name = message.params[0]
    channel = hub.channels.get(fold(name))
    if channel is None:
        yield hub.numeric(session, numerics.ERR_NOSUCHCHANNEL, repeatable(name))
    elif person.key not in channel.members:
        yield hub.numeric(session, numerics.ERR_NOTONCHANNEL, channel.name)
    elif len(message.params) == 1:
        yield from topic_lines(hub, session, channel, asked=True)
    elif not hub.operates(person, channel):
        text = "Only those who run this channel may set its topic"
        yield hub.numeric(session, numerics.ERR_CHANOPRIVSNEEDED, channel.name, text=(text,))
    else:
        yield from _set_topic(hub, session, person, channel.key, message.params[1])


def _set_topic(hub: Hub, session: Session, person: Person, key: str, text: str) -> Effects:
    over = max(size(text) - MAX_TOPIC, excess(person.source_size, "TOPIC", hub.channels[key].name, text))
    if over > 0:
        yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),))
    elif text != hub.channels[key].topic.text:
        yield Draft(Kind.TOPIC, key, person.name, text)
