"""Commands that only ask: NAMES, WHO, MODE, MOTD; and the replies that others need too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from securechat.chat.effects import Effects, Reply
from securechat.chat.people import CHANNEL_MODES, Channel, Person, Session
from securechat.chat.render import repeatable
from securechat.protocol import numerics
from securechat.protocol.capabilities import Cap
from securechat.protocol.framing import MAX_BODY
from securechat.protocol.message import Message, fill
from securechat.protocol.names import fold

if TYPE_CHECKING:
    from securechat.chat.hub import Hub


def names(hub: Hub, session: Session, message: Message) -> Effects:
    """NAMES [<channel>{,<channel>}]: who is here. Of channels that the asker is not in it tells nothing."""
    asked = message.params[0].split(",") if message.params else []
    for name in asked:
        channel = _joined(session, name)
        if channel is not None:
            yield from names_lines(hub, session, channel)
        else:
            yield hub.numeric(session, numerics.RPL_ENDOFNAMES, repeatable(name))
    if not asked:
        yield hub.numeric(session, numerics.RPL_ENDOFNAMES, "*")


def names_lines(hub: Hub, session: Session, channel: Channel) -> Iterable[Reply]:
    """Return 353 and 366 for one channel, as many lines as its members take (IRCv3 multi-prefix)."""
    several = bool(session.caps & Cap.MULTI_PREFIX)
    words = (_ranked(hub, person, channel, several=several) for person in channel.present())
    fixed = f":{hub.rules.server} 353 {session.nick} = {channel.name} :\r\n"
    for text in fill(words, MAX_BODY - len(fixed.encode())):
        yield hub.numeric(session, numerics.RPL_NAMREPLY, "=", channel.name, text=(text,))
    yield hub.numeric(session, numerics.RPL_ENDOFNAMES, channel.name)


def topic_lines(hub: Hub, session: Session, channel: Channel, *, asked: bool = False) -> Iterable[Reply]:
    """Return 332 and 333, or where there is no topic 331 if it was asked for and nothing otherwise."""
    topic = channel.topic
    if topic.text:
        yield hub.numeric(session, numerics.RPL_TOPIC, channel.name, text=(topic.text,))
        when = str(topic.time // 1000)
        yield hub.numeric(session, numerics.RPL_TOPICWHOTIME, channel.name, topic.setter, when)
    elif asked:
        yield hub.numeric(session, numerics.RPL_NOTOPIC, channel.name)


def who(hub: Hub, session: Session, message: Message) -> Effects:
    """WHO <channel or nick>: one 352 for each person who is here and whom the asker may see."""
    mask = message.params[0] if message.params else ""
    channel = _joined(session, mask)
    person = hub.people.get(fold(mask))
    if channel is not None:
        for member in channel.present():
            yield _who_line(hub, session, member, channel)
    elif person is not None and person.sessions:
        yield _who_line(hub, session, person, None)
    yield hub.numeric(session, numerics.RPL_ENDOFWHO, repeatable(mask))


def mode(hub: Hub, session: Session, message: Message) -> Effects:
    """MODE <target>: asks for modes. Nothing can be changed by it here."""
    target, change = message.params[0], "".join(message.params[1:2])
    if not target.startswith("#"):
        yield from _own_mode(hub, session, target, change)
        return
    channel = _joined(session, target)
    if channel is None:
        known = fold(target) in hub.channels
        missing = numerics.ERR_NOTONCHANNEL if known else numerics.ERR_NOSUCHCHANNEL
        yield hub.numeric(session, missing, repeatable(target))
    elif change in ("b", "+b") and len(message.params) == 2:
        # irssi and WeeChat ask for the ban list on their own after joining.
        yield hub.numeric(session, numerics.RPL_ENDOFBANLIST, channel.name)
    elif change:
        text = "The modes of this channel are fixed"
        yield hub.numeric(session, numerics.ERR_CHANOPRIVSNEEDED, channel.name, text=(text,))
    else:
        yield hub.numeric(session, numerics.RPL_CHANNELMODEIS, channel.name, "+" + CHANNEL_MODES)
        created = str(channel.created // 1000)
        yield hub.numeric(session, numerics.RPL_CREATIONTIME, channel.name, created)


def _own_mode(hub: Hub, session: Session, target: str, change: str) -> Effects:
    assert session.person is not None
    if fold(target) != session.person.key:
        yield hub.numeric(session, numerics.ERR_USERSDONTMATCH)
    elif change.strip("+-i"):
        yield hub.numeric(session, numerics.ERR_UMODEUNKNOWNFLAG)
    else:
        # irssi sets +i on itself after login; being seen only where one is a member is the rule here.
        yield hub.numeric(session, numerics.RPL_UMODEIS, "+i")


def motd(hub: Hub, session: Session, message: Message) -> Effects:  # noqa: ARG001  # one shape for the table
    """MOTD: what the operator wrote into motd.txt."""
    yield from motd_lines(hub, session)


def motd_lines(hub: Hub, session: Session) -> Iterable[Reply]:
    """Return 375, 372 and 376, or 422 where there is no message of the day."""
    if not hub.rules.motd:
        yield hub.numeric(session, numerics.ERR_NOMOTD)
        return
    yield hub.numeric(session, numerics.RPL_MOTDSTART, text=(hub.rules.server,))
    for line in hub.rules.motd:
        yield hub.numeric(session, numerics.RPL_MOTD, text=(line,))
    yield hub.numeric(session, numerics.RPL_ENDOFMOTD)


def _ranked(hub: Hub, person: Person, channel: Channel, *, several: bool) -> str:
    signs = hub.prefix(person, channel)
    return (signs if several else signs[:1]) + person.name


def _who_line(hub: Hub, session: Session, person: Person, channel: Channel | None) -> Reply:
    where = channel.name if channel else "*"
    signs = hub.prefix(person, channel) if channel else ""
    flags = "H" + (signs if session.caps & Cap.MULTI_PREFIX else signs[:1])
    server = hub.rules.server
    return hub.numeric(
        session, numerics.RPL_WHOREPLY, where, "u", person.key, server, person.name, flags, text=(person.realname,)
    )


def _joined(session: Session, name: str) -> Channel | None:
    """Return the channel of that name if the asker is in it."""
    assert session.person is not None
    return session.person.channels.get(fold(name))
