"""What administrators of the server may do (KILL, REHASH, a notice to everybody), and what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Close, Effects, Rehash, Reply
from securechat.chat.messages import too_long
from securechat.chat.people import Session
from securechat.chat.render import error, excess, repeatable
from securechat.protocol import numerics
from securechat.protocol.message import Message, build, clip
from securechat.protocol.names import fold
from securechat.records import Draft, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

MAX_NOTICE: Final = 350
"""Longest notice in bytes: the names of server and administrator fit beside it."""


def kill(hub: Hub, session: Session, message: Message) -> Effects:
    """KILL <nick> [:<reason>]: end every connection of an account. It may log in again."""
    key = fold(message.params[0])
    person = hub.people.get(key)
    reason = message.params[1] if len(message.params) > 1 else ""
    if person is None or not person.sessions:
        yield hub.numeric(session, numerics.ERR_NOSUCHNICK, repeatable(message.params[0]))
        return
    text = f"Killed by {session.nick}" + (f": {reason}" if reason else "")
    over = excess(person.source_size, "QUIT", "", text)
    if over > 0:
        yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),))
        return
    devices = list(person.sessions)
    yield Draft(Kind.OFFLINE, "", person.name, text)
    for device in devices:
        yield Close(device, error(text), f"killed by {session.nick}")


def rehash(hub: Hub, session: Session, message: Message) -> Effects:
    """REHASH: read the users file, the certificates and the message of the day again."""
    yield Rehash(session)


def notice(hub: Hub, text: str) -> Effects:
    """Tell every administrator who is here something about the server."""
    for key in hub.admins:
        person = hub.here.get(key)
        for session in person.sessions if person is not None else ():
            yield Reply(session, build("NOTICE", session.nick, clip(text, MAX_NOTICE), source=hub.rules.server))
