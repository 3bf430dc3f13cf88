"""JOIN, PART and TOPIC."""

from __future__ import annotations

from collections.abc import Iterable
from hmac import compare_digest
from itertools import zip_longest
from typing import TYPE_CHECKING

from securechat.chat.effects import Effects, Reply
from securechat.chat.messages import banned, listed, too_long
from securechat.chat.people import Channel, Person, Session
from securechat.chat.queries import topic_lines
from securechat.chat.render import excess, repeatable, size
from securechat.protocol import numerics
from securechat.protocol.framing import MAX_BODY
from securechat.protocol.message import Message
from securechat.protocol.names import MAX_NICK_BYTES, NameRefused, check_channel
from securechat.protocol.numerics import Numeric
from securechat.records import Draft, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

MAX_TOPIC = 390
"""Longest topic in bytes (ISUPPORT TOPICLEN)."""


def join(hub: Hub, session: Session, message: Message) -> Effects:
    """JOIN <channel>{,<channel>} [<key>{,<key>}]: a channel that does not exist is made, and its maker owns it."""
    keys = message.params[1].split(",") if len(message.params) > 1 else []
    for name, key in zip_longest(message.params[0].split(","), keys, fillvalue=""):
        if name or not key:
            yield from _join(hub, session, name, key)


def _join(hub: Hub, session: Session, name: str, password: str) -> Effects:
    person = session.person
    assert person is not None
    try:
        key = check_channel(name)
    except NameRefused as refused:
        yield hub.numeric(session, numerics.ERR_BADCHANMASK, repeatable(name), text=(refused,))
        return
    channel = hub.channels.get(key)
    known = channel is not None and hub.visible(session, channel)
    if channel is not None and known:
        yield from _spelling(hub, session, channel, name)
        if person.key in channel.members:
            return
    crowded = _crowded(hub, person, channel)
    if crowded:
        yield hub.numeric(session, numerics.ERR_TOOMANYCHANNELS, repeatable(name), text=(crowded,))
        return
    if channel is None:
        yield Draft(Kind.CREATE, key, person.name, name)
    else:
        refusal = _barred(hub, person, channel, password)
        if refusal is not None:
            yield hub.numeric(session, refusal, channel.name if known else name)
            return
        if not known:
            yield from _spelling(hub, session, channel, name)
    yield Draft(Kind.JOIN, key, person.name)


def _spelling(hub: Hub, session: Session, channel: Channel, name: str) -> Iterable[Reply]:
    """Say how a channel is written, to a client that would take `name` for another.

    Clients fold ASCII only: without a word irssi opens a window for each spelling of "#сад".
    """
    if _ascii_lower(channel.name) != _ascii_lower(name):
        yield hub.numeric(session, numerics.ERR_LINKCHANNEL, name, channel.name)


def _ascii_lower(name: str) -> str:
    return "".join(char.lower() if char.isascii() else char for char in name)


def _crowded(hub: Hub, person: Person, channel: Channel | None) -> str:
    """Return the sentence of the limit that one more channel would break, or empty."""
    limits = hub.rules.limits
    owned = sum(1 for other in hub.channels.values() if other.owner == person.key) if channel is None else 0
    if max(len(person.channels), owned) >= limits.channels_per_account:
        return f"You are in or own {limits.channels_per_account} channels, which is the limit"
    if channel is None and len(hub.channels) >= limits.channels:
        return "The server has as many channels as it may have"
    return ""


def _barred(hub: Hub, person: Person, channel: Channel, password: str) -> Numeric | None:
    """Return why somebody may not join, or None. Who runs a channel may; an invitation opens all but bans."""
    if hub.operates(person, channel):
        return None
    if banned(channel, person.key):
        return numerics.ERR_BANNEDFROMCHAN
    if person.key in channel.invited:
        return None
    if "i" in channel.flags and not listed(channel, "I", person.key):
        return numerics.ERR_INVITEONLYCHAN
    if channel.password and not compare_digest(password.encode(), channel.password.encode()):
        return numerics.ERR_BADCHANNELKEY
    if channel.limit and len(channel.members) >= channel.limit:
        return numerics.ERR_CHANNELISFULL
    return None


def part(hub: Hub, session: Session, message: Message) -> Effects:
    """PART <channel>{,<channel>} [:<reason>]: leaves for all devices of the account."""
    person = session.person
    assert person is not None
    reason = message.params[1] if len(message.params) > 1 else ""
    for name in message.params[0].split(","):
        channel = hub.find(session, name)
        if isinstance(channel, Reply):
            yield channel
            continue
        over = excess(person.source_size, "PART", channel.name, reason)
        if over > 0:
            yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),))
            continue
        yield Draft(Kind.PART, channel.key, person.name, reason)


def topic(hub: Hub, session: Session, message: Message) -> Effects:
    """TOPIC <channel> [:<topic>]: asks, or sets; with +t only who runs the channel may set."""
    person = session.person
    assert person is not None
    channel = hub.find(session, message.params[0])
    if isinstance(channel, Reply):
        yield channel
    elif len(message.params) == 1:
        yield from topic_lines(hub, session, channel, asked=True)
    elif "t" in channel.flags and not hub.operates(person, channel):
        yield hub.not_operator(session, channel)
    else:
        text = message.params[1]
        room = MAX_BODY - size(f":{hub.rules.server} 332 {channel.name} :\r\n") - MAX_NICK_BYTES - 1
        over = max(size(text) - min(MAX_TOPIC, room), excess(person.source_size, "TOPIC", channel.name, text))
        if over > 0:
            yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),))
        elif text != channel.topic.text:
            yield Draft(Kind.TOPIC, channel.key, person.name, text)
