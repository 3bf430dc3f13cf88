"""PRIVMSG and NOTICE: the way of nearly every line, so it does no work that it need not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from securechat.chat.effects import Effects
from securechat.chat.people import Person, Session
from securechat.chat.render import excess, repeatable
from securechat.protocol import numerics
from securechat.protocol.message import Message
from securechat.protocol.names import fold
from securechat.protocol.numerics import Numeric
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
        yield from _say_to(hub, session, kind, target, params[1], tags)


def _say_to(hub: Hub, session: Session, kind: Kind, target: str, text: str, tags: str) -> Effects:
    person = session.person
    assert person is not None
    loud = kind is Kind.PRIVMSG
    found = _resolve(hub, person, target)
    if isinstance(found, Numeric):
        if loud:
            yield hub.numeric(session, found, repeatable(target))
        return
    key, name = found
    over = excess(person.source_size, kind.name, name, text)
    if over > 0:
        yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),))
        return
    yield Draft(kind, key, person.name, text, tags)
    if loud and not target.startswith("#") and not (key in hub.people and hub.people[key].sessions):
        yield hub.numeric(session, numerics.RPL_AWAY, name, text=("is not connected right now",))


def _resolve(hub: Hub, person: Person, target: str) -> tuple[str, str] | Numeric:
    """Return key and name of a channel or account that `person` may write to, or the numeric that says why not."""
    if not target.startswith("#"):
        account = hub.accounts.get(fold(target))
        return (account.key, account.name) if account else numerics.ERR_NOSUCHNICK
    channel = hub.channels.get(fold(target))
    if channel is None:
        return numerics.ERR_NOSUCHCHANNEL
    if person.key not in channel.members:
        return numerics.ERR_CANNOTSENDTOCHAN
    return channel.key, channel.name


def too_long(over: int) -> str:
    """Return the sentence of a 417 for a text that is `over` bytes too long once it carries its source."""
    return f"Not sent: {over} bytes too long; send it in several lines"


def client_tags(section: str) -> str:
    """Return the client-only tags of a raw tag section, still escaped (IRCv3 message-tags, "Client-only tags")."""
    if not section:
        return ""
    return ";".join(tag for tag in section.split(";") if tag.startswith("+") and len(tag) > 1)
