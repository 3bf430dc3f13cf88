"""Whether a message may be sent and to whom: the way of nearly every line, so it does no work that it need not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from securechat.chat.effects import Effects
from securechat.chat.people import Channel, Person, Session
from securechat.chat.render import excess, repeatable
from securechat.protocol import numerics
from securechat.protocol.names import fold
from securechat.protocol.numerics import Numeric
from securechat.records import Account, Draft, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

_LINES: Final = re.compile("[\n\r]")
COMMANDS: Final = {kind: kind.name for kind in Kind} | {Kind.TYPING: Kind.TAGMSG.name}
"""The command of a line that shows an entry (looked up: `name` of an enumeration costs ten times as much)."""
EVERYBODY: Final = "*"
"""Target of an entry that is for all; a client says "$*" or "$server" (RFC 2812, 3.3.1)."""


class Target(NamedTuple):
    """Whom a message is for, where that is neither a channel nor an account: key and name as those have them."""

    key: str
    name: str


class Refused(NamedTuple):
    """Why a message may not be sent."""

    reply: Numeric
    text: str = ""


def say_to(
    hub: Hub, session: Session, kind: Kind, target: str, text: str, tags: str = "", key: str = ""
) -> Effects:
    """Decide one message to one target, as it was typed."""
    person = session.person
    assert person is not None
    found = _resolve(hub, person, target, kind)
    if isinstance(found, Refused):
        if kind is Kind.PRIVMSG:
            return (hub.numeric(session, found.reply, repeatable(target), text=(found.text,)),)
        return ()
    # With the name that its line will have, which may be longer than what was typed.
    over = excess(person.source_size, COMMANDS[kind], found.name, text)
    if over > 0 and ("\n" in text or "\r" in text):
        over = max(excess(person.source_size, COMMANDS[kind], found.name, part) for part in _LINES.split(text))
    if over > 0:
        return (hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),)),)
    draft = Draft(kind, found.key, person.name, text, tags, key)
    if kind is Kind.PRIVMSG and not target.startswith(("#", "$")):
        other = hub.people.get(found.key)
        why = other.away if other is not None and other.sessions else "is not connected right now"
        if why:
            return (draft, hub.numeric(session, numerics.RPL_AWAY, found.name, text=(why,)))
    return (draft,)


def _resolve(hub: Hub, person: Person, target: str, kind: Kind) -> Channel | Account | Target | Refused:
    """Return whom a target means, if `person` may write there."""
    if target.startswith("#"):
        channel = hub.channels.get(fold(target))
        member = channel is not None and person.key in channel.members
        if channel is None or ("s" in channel.flags and not member):
            return Refused(numerics.ERR_NOSUCHCHANNEL)
        why = silenced(hub, person, channel, member=member)
        return Refused(numerics.ERR_CANNOTSENDTOCHAN, why) if why else channel
    if target in ("$*", f"${hub.rules.server}"):
        if hub.admin(person) and kind is not Kind.TYPING:
            return Target(EVERYBODY, target)
        return Refused(numerics.ERR_NOPRIVILEGES)
    return hub.accounts.get(fold(target)) or Refused(numerics.ERR_NOSUCHNICK)


def silenced(hub: Hub, person: Person, channel: Channel, *, member: bool) -> str:
    """Return why somebody may not speak in a channel, or empty; the usual case is decided first."""
    if member and "m" not in channel.flags and not channel.lists["b"]:
        return ""
    if hub.operates(person, channel):
        return ""
    if not member and "n" in channel.flags:
        return "You are not in that channel: join it first"
    if member and "v" in channel.members[person.key].ranks:
        return ""
    if "m" in channel.flags:
        return "Only those with voice speak in that channel (+m)"
    return "You are banned from that channel (+b)" if banned(channel, person.key) else ""


def banned(channel: Channel, key: str) -> bool:
    """Whether modes +b and +e together keep an account out."""
    return listed(channel, "b", key) and not listed(channel, "e", key)


def listed(channel: Channel, letter: str, key: str) -> bool:
    """Whether a mask of one of a channel's lists means an account."""
    name = f"{key}!u@{key}"
    return any(entry.pattern.fullmatch(name) for entry in channel.lists[letter].values())


def too_long(over: int) -> str:
    """Return the sentence of a 417 for a text that is `over` bytes too long once it carries its source."""
    return f"Not sent: {over} bytes too long; send it in several lines"


def once(targets: str) -> Iterable[str]:
    """Return the targets that a list names, each once however it is spelled."""
    return {fold(target): target for target in targets.split(",")}.values()
