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
from securechat.records import Draft, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

_LINES: Final = re.compile("[\n\r]")
EVERYBODY: Final = "*"
"""Target of an entry that is for all; a client says "$*" or "$server" (RFC 2812, 3.3.1)."""


class Target(NamedTuple):
    """Whom a message is for: the key under which it is kept, and the name that its line has."""

    key: str
    name: str


class Refused(NamedTuple):
    """Why a message may not be sent."""

    reply: Numeric
    text: str = ""


def say_to(hub: Hub, session: Session, draft: Draft) -> Effects:
    """Decide one message to one target; `draft` has the target as it was typed and no sender yet."""
    person = session.person
    assert person is not None
    kind, typed, text = draft.kind, draft.target, draft.text
    found = _resolve(hub, person, typed, kind)
    if isinstance(found, Refused):
        if kind is Kind.PRIVMSG:
            yield hub.numeric(session, found.reply, repeatable(typed), text=(found.text,))
        return
    # With the name that its line will have, which may be longer than what was typed.
    parts = _LINES.split(text) if "\n" in text or "\r" in text else (text,)
    over = max(excess(person.source_size, kind.name, found.name, part) for part in parts)
    if over > 0:
        yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),))
        return
    yield Draft(kind, found.key, person.name, text, draft.tags, draft.key)
    if kind is Kind.PRIVMSG and not typed.startswith(("#", "$")):
        other = hub.people.get(found.key)
        why = other.away if other is not None and other.sessions else "is not connected right now"
        if why:
            yield hub.numeric(session, numerics.RPL_AWAY, found.name, text=(why,))


def _resolve(hub: Hub, person: Person, target: str, kind: Kind) -> Target | Refused:
    """Return whom a target means, if `person` may write there."""
    if target.startswith("#"):
        channel = hub.channels.get(fold(target))
        member = channel is not None and person.key in channel.members
        if channel is None or ("s" in channel.flags and not member):
            return Refused(numerics.ERR_NOSUCHCHANNEL)
        silenced = _silenced(hub, person, channel, member=member)
        return Refused(numerics.ERR_CANNOTSENDTOCHAN, silenced) if silenced else Target(channel.key, channel.name)
    if target in ("$*", f"${hub.rules.server}"):
        if hub.admin(person) and kind is not Kind.TYPING:
            return Target(EVERYBODY, target)
        return Refused(numerics.ERR_NOPRIVILEGES)
    account = hub.accounts.get(fold(target))
    return Target(account.key, account.name) if account else Refused(numerics.ERR_NOSUCHNICK)


def _silenced(hub: Hub, person: Person, channel: Channel, *, member: bool) -> str:
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
