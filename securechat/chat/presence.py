"""AWAY, SETNAME, MONITOR, ISON and USERHOST: who is here, and how they want to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Effects
from securechat.chat.messages import too_long
from securechat.chat.people import Session
from securechat.chat.registration import MAX_REALNAME, MAX_REALNAME_BYTES
from securechat.chat.render import excess, size
from securechat.protocol import numerics
from securechat.protocol.message import Message, fill
from securechat.protocol.names import MAX_NICK_BYTES, fold
from securechat.protocol.numerics import Numeric
from securechat.records import Draft, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

MAX_AWAY: Final = 200
"""Longest away message in bytes (ISUPPORT AWAYLEN)."""
MAX_MONITORED: Final = 100
"""Names on one connection's MONITOR list (ISUPPORT MONITOR)."""
_ROOM: Final = 300


def away(hub: Hub, session: Session, message: Message) -> Effects:
    """AWAY [:<why>]: this device is away; its person is when all devices are."""
    person = session.person
    assert person is not None
    text = message.params[0] if message.params else ""
    over = max(size(text) - MAX_AWAY, excess(person.source_size, "AWAY", "", text))
    if over > 0:
        yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),))
        return
    yield Draft(Kind.AWAY, "", person.name, text)
    yield hub.numeric(session, numerics.RPL_NOWAWAY if text else numerics.RPL_UNAWAY)


def setname(hub: Hub, session: Session, message: Message) -> Effects:
    """SETNAME :<real name>: changes the real name (IRCv3 setname)."""
    person = session.person
    assert person is not None
    name = message.params[0]
    if not name.strip() or len(name) > MAX_REALNAME or size(name) > MAX_REALNAME_BYTES:
        text = f"A real name has 1 to {MAX_REALNAME} characters ({MAX_REALNAME_BYTES} bytes)"
        yield hub.fail(session, "SETNAME", "INVALID_REALNAME", text=text)
    elif name != person.realname:
        yield Draft(Kind.SETNAME, "", person.name, name)


def monitor(hub: Hub, session: Session, message: Message) -> Effects:
    """MONITOR +|- <nick>{,<nick>} or C, L, S: be told who comes and goes; clear, list, state (IRCv3 monitor)."""
    verb, names = message.params[0].upper(), ",".join(message.params[1:2]).split(",")
    listed = session.monitored or {}
    if verb == "+":
        added = {
            fold(name): name for name in names if 0 < size(name) <= MAX_NICK_BYTES and not set(name) & set(" :!")
        }
        fresh = {key: name for key, name in added.items() if key not in listed}
        room = MAX_MONITORED - len(listed)
        if len(fresh) > room:
            for left in fill(list(fresh.values())[room:], _ROOM):
                full = (str(MAX_MONITORED), left.replace(" ", ","))
                yield hub.numeric(session, numerics.ERR_MONLISTFULL, *full)
        hub.watch(session, dict(list(fresh.items())[:room]))
        yield from _statuses(hub, session, [key for key in added if key in (session.monitored or {})])
    elif verb == "-":
        hub.unwatch(session, [fold(name) for name in names])
    elif verb == "C":
        hub.unwatch(session, list(listed))
    elif verb == "L":
        yield from _packed(hub, session, numerics.RPL_MONLIST, list(listed.values()))
        yield hub.numeric(session, numerics.RPL_ENDOFMONLIST)
    elif verb == "S":
        yield from _statuses(hub, session, list(listed))


def _statuses(hub: Hub, session: Session, keys: list[str]) -> Effects:
    """Say of each watched name whether its account is here."""
    listed = session.monitored or {}
    here = [hub.people[key].source for key in keys if hub.online(key)]
    gone = [listed[key] for key in keys if not hub.online(key)]
    yield from _packed(hub, session, numerics.RPL_MONONLINE, here)
    yield from _packed(hub, session, numerics.RPL_MONOFFLINE, gone)


def _packed(hub: Hub, session: Session, reply: Numeric, words: list[str]) -> Effects:
    for text in fill(words, _ROOM) if words else []:
        yield hub.numeric(session, reply, text=(text.replace(" ", ","),))


def ison(hub: Hub, session: Session, message: Message) -> Effects:
    """ISON <nick> {<nick>}: which of them are here."""
    asked = " ".join(message.params).split()
    here = [hub.people[fold(name)].name for name in asked if hub.online(fold(name))]
    for text in fill(here, _ROOM):
        yield hub.numeric(session, numerics.RPL_ISON, text=(text,))


def userhost(hub: Hub, session: Session, message: Message) -> Effects:
    """USERHOST <nick> {<nick>}: at most five, as in RFC 2812."""
    found = []
    for name in message.params[:5]:
        key = fold(name)
        if hub.online(key):
            person = hub.people[key]
            star = "*" if hub.admin(person) else ""
            found.append(f"{person.name}{star}={'-' if person.away else '+'}u@{person.key}")
    for text in fill(found, _ROOM):
        yield hub.numeric(session, numerics.RPL_USERHOST, text=(text,))
