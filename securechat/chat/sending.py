"""PRIVMSG, NOTICE and TAGMSG: what a client says, and to how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Effects
from securechat.chat.messages import once, say_to
from securechat.chat.people import Session
from securechat.chat.retry import say_once, take_key
from securechat.protocol import numerics
from securechat.protocol.capabilities import KEY_TAG
from securechat.protocol.message import Message
from securechat.records import Draft, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

KEPT_TAGS: Final = ("+draft/react", "+draft/unreact")
"""A TAGMSG with one of these is kept: somebody will want to know it later."""


def privmsg(hub: Hub, session: Session, message: Message) -> Effects:
    """PRIVMSG <target>{,<target>} :<text>: say something to channels and people."""
    return _say(hub, session, message, Kind.PRIVMSG)


def notice(hub: Hub, session: Session, message: Message) -> Effects:
    """NOTICE <target>{,<target>} :<text>: a message that nothing answers by itself, errors included."""
    return _say(hub, session, message, Kind.NOTICE)


def tagmsg(hub: Hub, session: Session, message: Message) -> Effects:
    """TAGMSG <target>{,<target>}: client-only tags without a text, for reactions and typing."""
    tags, key = take_key(client_tags(message.tags))
    kept = any(tag.partition("=")[0] in KEPT_TAGS for tag in tags.split(";"))
    if kept and key:
        return say_once(hub, session, Draft(Kind.TAGMSG, message.params[0], "", "", tags, key))
    return (
        _to_each(hub, session, Kind.TAGMSG if kept else Kind.TYPING, message.params[0], "", tags) if tags else ()
    )


def _say(hub: Hub, session: Session, message: Message, kind: Kind) -> Effects:
    params = message.params
    if not params or not params[0]:
        missing = hub.numeric(session, numerics.ERR_NORECIPIENT, text=(kind.name,))
        return (missing,) if kind is Kind.PRIVMSG else ()
    if len(params) < 2 or not params[1]:
        return (hub.numeric(session, numerics.ERR_NOTEXTTOSEND),) if kind is Kind.PRIVMSG else ()
    session.active = hub.now
    tags = client_tags(message.tags)
    if KEY_TAG in tags:
        tags, key = take_key(tags)
        return say_once(hub, session, Draft(kind, params[0], "", params[1], tags, key))
    if "," in params[0]:
        return _to_each(hub, session, kind, params[0], params[1], tags)
    return say_to(hub, session, kind, params[0], params[1], tags)


def _to_each(hub: Hub, session: Session, kind: Kind, targets: str, text: str, tags: str) -> Effects:
    for target in once(targets):
        yield from say_to(hub, session, kind, target, text, tags)


def client_tags(section: str) -> str:
    """Return the client-only tags of a raw tag section, still escaped (IRCv3 message-tags, "Client-only tags")."""
    if not section:
        return ""
    return ";".join(tag for tag in section.split(";") if tag.startswith("+") and len(tag) > 1)
