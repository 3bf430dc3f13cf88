"""PRIVMSG and NOTICE: the way of nearly every line, so it does no work that it need not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from securechat.chat.effects import Effects
from securechat.chat.people import Person, Session
from securechat.chat.render import excess, repeatable
from securechat.protocol import numerics
from securechat.protocol.message import Message
from securechat.protocol.names import fold
from securechat.records import Draft, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub


def privmsg(hub: Hub, session: Session, message: Message) -> Effects:
    """PRIVMSG <target>{,<target>} :<text> (modern-irc)."""
    return _say(hub, session, message, Kind.PRIVMSG)


def notice(hub: Hub, session: Session, message: Message) -> Effects:
    """NOTICE, which is a message that nothing answers by itself, errors of the server included (RFC 1459)."""
    return _say(hub, session, message, Kind.NOTICE)


def _say(hub: Hub, session: Session, message: Message, kind: Kind) -> Effects:
    params = message.params
    loud = kind is Kind.PRIVMSG
    if not params or not params[0]:
        if loud:
            yield hub.numeric(session, numerics.ERR_NORECIPIENT, text=(kind.name,))
        return
    if len(params) < 2 or not params[1]:
        if loud:
            yield hub.numeric(session, numerics.ERR_NOTEXTTOSEND)
        return
    targets = [params[0]] if "," not in params[0] else list(dict.fromkeys(params[0].split(",")))
    tags = client_tags(message.tags)
    for target in targets:
        if target.startswith("#"):
            yield from _to_channel(hub, session, kind, target, params[1], tags)
        else:
            yield from _to_person(hub, session, kind, target, params[1], tags)


def _to_channel(hub: Hub, session: Session, kind: Kind, target: str, text: str, tags: str) -> Effects:
    person = _sender(session)
    channel = hub.channels.get(fold(target))
    if channel is None or person.key not in channel.members:
        if kind is Kind.PRIVMSG:
            missing = numerics.ERR_NOSUCHCHANNEL if channel is None else numerics.ERR_CANNOTSENDTOCHAN
            yield hub.numeric(session, missing, repeatable(target))
        return
    over = excess(person.source_size, kind.name, channel.name, text)
    if over > 0:
        yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),))
        return
    yield Draft(kind, channel.key, person.name, text, tags)


def _to_person(hub: Hub, session: Session, kind: Kind, target: str, text: str, tags: str) -> Effects:
    person = _sender(session)
    account = hub.accounts.get(fold(target))
    if account is None:
        if kind is Kind.PRIVMSG:
            yield hub.numeric(session, numerics.ERR_NOSUCHNICK, repeatable(target))
        return
    over = excess(person.source_size, kind.name, account.name, text)
    if over > 0:
        yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),))
        return
    yield Draft(kind, account.key, person.name, text, tags)
    other = hub.people.get(account.key)
    if kind is Kind.PRIVMSG and (other is None or not other.sessions):
        yield hub.numeric(session, numerics.RPL_AWAY, account.name, text=("is not connected right now",))


def too_long(over: int) -> str:
    """Return the sentence of a 417 for a text that is `over` bytes too long once it carries its source."""
    return f"Not sent: {over} bytes too long; send it in several lines"


def client_tags(section: str) -> str:
    """Return the client-only tags of a raw tag section, still escaped (IRCv3 message-tags, "Client-only tags")."""
    if not section:
        return ""
    return ";".join(tag for tag in section.split(";") if tag.startswith("+") and len(tag) > 1)


def _sender(session: Session) -> Person:
    assert session.person is not None
    return session.person
