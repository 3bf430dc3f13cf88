"""Questions about channels: NAMES and LIST; and the replies that others need too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from securechat.chat.effects import Effects, Reply
from securechat.chat.masks import wildcard
from securechat.chat.messages import once
from securechat.chat.people import Channel, Person, Session
from securechat.chat.render import repeatable
from securechat.protocol import numerics
from securechat.protocol.capabilities import Cap
from securechat.protocol.framing import MAX_BODY
from securechat.protocol.message import Message, fill
from securechat.protocol.names import fold

if TYPE_CHECKING:
    from securechat.chat.hub import Hub


def names(hub: Hub, session: Session, message: Message) -> Effects:
    """NAMES [<channel>{,<channel>}]: who is here. Of secret channels outsiders hear nothing."""
    for name in once(message.params[0]) if message.params else ["*"]:
        channel = hub.channels.get(fold(name))
        if channel is not None and hub.visible(session, channel):
            yield from names_lines(hub, session, channel)
        else:
            yield hub.numeric(session, numerics.RPL_ENDOFNAMES, repeatable(name))


def names_lines(hub: Hub, session: Session, channel: Channel) -> Iterable[Reply]:
    """Return 353 and 366 for one channel (IRCv3 multi-prefix, userhost-in-names)."""
    several = bool(session.caps & Cap.MULTI_PREFIX)
    full = bool(session.caps & Cap.USERHOST_IN_NAMES)
    sign = "@" if "s" in channel.flags else "="
    words = (
        hub.prefix(person, channel, several=several) + (person.source if full else person.name)
        for person in channel.present()
    )
    fixed = f":{hub.rules.server} 353 {session.nick} {sign} {channel.name} :\r\n"
    for text in fill(words, MAX_BODY - len(fixed.encode())):
        yield hub.numeric(session, numerics.RPL_NAMREPLY, sign, channel.name, text=(text,))
    yield hub.numeric(session, numerics.RPL_ENDOFNAMES, channel.name)


def topic_lines(hub: Hub, session: Session, channel: Channel, *, asked: bool = False) -> Iterable[Reply]:
    """Return 332 and 333, or where there is no topic 331 if it was asked for and nothing otherwise."""
    topic = channel.topic
    if topic.text:
        yield hub.numeric(session, numerics.RPL_TOPIC, channel.name, text=(topic.text,))
        when = str(topic.time // 1000)
        yield hub.numeric(session, numerics.RPL_TOPICWHOTIME, channel.name, hub.person(topic.setter).source, when)
    elif asked:
        yield hub.numeric(session, numerics.RPL_NOTOPIC, channel.name)


def list_(hub: Hub, session: Session, message: Message) -> Effects:
    """LIST [<channel or condition>{,...}]: channels, secret ones left out (modern-irc; ISUPPORT ELIST=CMNTU).

    Several names or patterns find what any of them means; conditions must all hold.
    """
    words = [word for word in ",".join(message.params[:1]).split(",") if word]
    parsed = [_condition(hub.now, word) for word in words]
    tests = [test for test in parsed if not isinstance(test, re.Pattern)]
    patterns = [pattern for pattern in parsed if isinstance(pattern, re.Pattern)]
    if patterns:
        tests.append(lambda channel, _: any(pattern.fullmatch(channel.key) for pattern in patterns))
    yield hub.numeric(session, numerics.RPL_LISTSTART, "Channel")  # The Lounge waits for it
    for channel in hub.channels.values():
        if not hub.visible(session, channel):
            continue
        here = channel.present()
        if all(test(channel, len(here)) for test in tests):
            yield hub.numeric(session, numerics.RPL_LIST, channel.name, str(len(here)), text=(channel.topic.text,))
    yield hub.numeric(session, numerics.RPL_LISTEND)


def _condition(now: int, word: str) -> Callable[[Channel, int], bool] | re.Pattern[str]:
    """Return the condition that one word of LIST is, or the pattern of names; times are in minutes before now."""
    number = word.lstrip("CT<>")
    if number.isascii() and number.isdecimal() and len(number) < 10 and word != number:
        limit, kind = int(number), word[: -len(number)]
        moment = now - limit * 60_000
        conditions: dict[str, Callable[[Channel, int], bool]] = {
            ">": lambda _, count: count > limit,
            "<": lambda _, count: count < limit,
            "C<": lambda channel, _: channel.created > moment,
            "C>": lambda channel, _: channel.created < moment,
            "T<": lambda channel, _: channel.topic.time > moment,
            "T>": lambda channel, _: 0 < channel.topic.time < moment,
        }
        if kind in conditions:
            return conditions[kind]
    pattern = wildcard(word.removeprefix("!"))
    if word.startswith("!"):
        return lambda channel, _: pattern.fullmatch(channel.key) is None
    return pattern


def shared(session: Session, person: Person) -> bool:
    """Whether the asker and a person are in one channel."""
    assert session.person is not None
    return not session.person.channels.keys().isdisjoint(person.channels)
