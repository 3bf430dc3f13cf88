"""Questions about people: WHO, WHOX and WHOIS."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from securechat.chat.effects import Effects, Reply
from securechat.chat.masks import wildcard
from securechat.chat.people import Channel, Person, Session
from securechat.chat.queries import shared
from securechat.chat.render import repeatable
from securechat.protocol import numerics
from securechat.protocol.capabilities import Cap
from securechat.protocol.framing import MAX_BODY
from securechat.protocol.message import Message, fill
from securechat.protocol.names import fold

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

MAX_FOUND = 500
"""Most people that a pattern finds: one question must not hold up everybody."""
WHOX_FIELDS = "tcuihsnfdlaor"
"""In the order in which a reply has them (IRCv3 whox)."""


def who(hub: Hub, session: Session, message: Message) -> Effects:
    """WHO <channel, nick or pattern> [o][%<fields>[,<token>]]: who that is (modern-irc, IRCv3 whox)."""
    mask = message.params[0] if message.params else "*"
    options, percent, wanted = (message.params[1] if len(message.params) > 1 else "").partition("%")
    fields, _, token = wanted.partition(",")
    for person, channel in _who_matches(hub, session, mask):
        if "o" in options and not hub.admin(person):
            continue
        if percent:
            yield _whox_line(hub, session, (person, channel), fields, token)
        else:
            yield _who_line(hub, session, person, channel)
    yield hub.numeric(session, numerics.RPL_ENDOFWHO, repeatable(mask))


def _who_matches(hub: Hub, session: Session, mask: str) -> Iterable[tuple[Person, Channel | None]]:
    """Give those whom a WHO means: members, one by name, or by pattern whoever shares a channel."""
    if mask.startswith("#"):
        channel = hub.channels.get(fold(mask))
        if channel is not None and hub.visible(session, channel):
            yield from ((person, channel) for person in channel.present())
        return
    key = fold(mask)
    if hub.online(key):
        yield hub.people[key], None
    elif "*" in mask or "?" in mask or mask == "0":
        pattern = wildcard("*" if mask == "0" else mask)
        found = (
            person
            for person in hub.people.values()
            if person.sessions and pattern.fullmatch(person.key) and shared(session, person)
        )
        for person in islice(found, MAX_FOUND):
            yield person, None


def _flags(hub: Hub, session: Session, person: Person, channel: Channel | None) -> str:
    several = bool(session.caps & Cap.MULTI_PREFIX)
    signs = hub.prefix(person, channel, several=several) if channel else ""
    return f"{'G' if person.away else 'H'}{'*' if hub.admin(person) else ''}{signs}{'B' if person.bot else ''}"


def _who_line(hub: Hub, session: Session, person: Person, channel: Channel | None) -> Reply:
    where, flags = channel.name if channel else "*", _flags(hub, session, person, channel)
    server = hub.rules.server
    return hub.numeric(
        session, numerics.RPL_WHOREPLY, where, "u", person.key, server, person.name, flags, text=(person.realname,)
    )


def _whox_line(hub: Hub, session: Session, found: tuple[Person, Channel | None], fields: str, token: str) -> Reply:
    person, channel = found
    values = {
        "t": token[:3] if token.isdecimal() else "0",
        "c": channel.name if channel else "*",
        "u": "u",
        "i": "255.255.255.255",
        "h": person.key,
        "s": hub.rules.server,
        "n": person.name,
        "f": _flags(hub, session, person, channel),
        "d": "0",
        "l": str((hub.now - person.active) // 1000),
        "a": person.name,
        "o": "n/a",
        "r": person.realname,
    }
    chosen = [values[field] for field in WHOX_FIELDS if field in fields]
    if "r" in fields:
        return hub.numeric(session, numerics.RPL_WHOSPCRPL_NAMED, *chosen[:-1], text=(person.realname,))
    return hub.numeric(session, numerics.RPL_WHOSPCRPL, *chosen)


def whois(hub: Hub, session: Session, message: Message) -> Effects:
    """WHOIS [<server>] <nick>: all that one may know of somebody (modern-irc)."""
    name = message.params[-1] if message.params else ""
    key = fold(name)
    if hub.online(key):
        yield from _whois_lines(hub, session, hub.people[key])
    else:
        yield hub.numeric(session, numerics.ERR_NOSUCHNICK, repeatable(name))
    yield hub.numeric(session, numerics.RPL_ENDOFWHOIS, repeatable(name))


def _whois_lines(hub: Hub, session: Session, person: Person) -> Effects:
    def say(reply: numerics.Numeric, *params: str, text: tuple[object, ...] = ()) -> Reply:
        return hub.numeric(session, reply, person.name, *params, text=text)

    yield say(numerics.RPL_WHOISUSER, "u", person.key, "*", text=(person.realname,))
    words = [
        hub.prefix(person, channel, several=True) + channel.name
        for channel in person.channels.values()
        if hub.visible(session, channel)
    ]
    fixed = f":{hub.rules.server} 319 {session.nick} {person.name} :\r\n"
    for text in fill(words, MAX_BODY - len(fixed.encode())) if words else []:
        yield say(numerics.RPL_WHOISCHANNELS, text=(text,))
    yield say(numerics.RPL_WHOISSERVER, hub.rules.server, text=(hub.rules.network,))
    if hub.admin(person):
        yield say(numerics.RPL_WHOISOPERATOR)
    if person.away:
        yield say(numerics.RPL_AWAY, text=(person.away,))
    if person.bot:
        yield say(numerics.RPL_WHOISBOT)
    yield say(numerics.RPL_WHOISACCOUNT, person.name)
    asker = session.person
    if asker is person or (asker is not None and hub.admin(asker)):
        # Addresses are for operators and for oneself; a mask never has one.
        for device in person.sessions:
            yield say(numerics.RPL_WHOISACTUALLY, device.address)
    yield say(numerics.RPL_WHOISSECURE)
    since = min(device.since for device in person.sessions) // 1000
    yield say(numerics.RPL_WHOISIDLE, str((hub.now - person.active) // 1000), str(since))
