"""Every command that a client may say, one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from securechat.chat import (
    admin,
    channels,
    devices,
    history,
    info,
    joining,
    marks,
    moderation,
    multiline,
    presence,
    queries,
    redaction,
    registration,
    search,
    sending,
    whois,
)
from securechat.chat.effects import Effects
from securechat.chat.people import Session
from securechat.protocol.message import Message

if TYPE_CHECKING:
    from securechat.chat.hub import Hub


class Command(NamedTuple):
    """How one command is handled.

    `minimum` is the least number of parameters (461 otherwise); `stranger` says that it may be used before
    the login is complete; `listed`, which parameter, from 1, may name several targets (407 over the limit);
    `admin`, that only administrators may use it (481 otherwise).
    Handlers for members find `session.person` set. The first line of a handler's docstring is its help.
    """

    handler: Callable[[Hub, Session, Message], Effects]
    minimum: int = 0
    stranger: bool = False
    listed: int = 0
    admin: bool = False


TABLE: Final[dict[str, Command]] = {
    "ADMIN": Command(info.admin),
    "AUTHENTICATE": Command(registration.authenticate, 1, stranger=True),
    "AWAY": Command(presence.away),
    "BATCH": Command(multiline.batch, 1),
    "CA": Command(joining.authority, stranger=True),
    "CAP": Command(registration.cap, 1, stranger=True),
    "CHATHISTORY": Command(history.chathistory, 1),
    "DEVICES": Command(devices.devices),
    "ENROL": Command(devices.enrol, 2),
    "HELP": Command(info.help_),
    "INFO": Command(info.info),
    "INVITE": Command(moderation.invite),
    "ISON": Command(presence.ison, 1),
    "JOIN": Command(channels.join, 1, listed=1),
    "KICK": Command(moderation.kick, 2, listed=2),
    "KILL": Command(admin.kill, 1, admin=True),
    "LIST": Command(queries.list_, listed=1),
    "LUSERS": Command(info.lusers),
    "MARKREAD": Command(marks.markread),
    "MODE": Command(moderation.mode, 1),
    "MONITOR": Command(presence.monitor, 1),
    "MOTD": Command(info.motd),
    "NAMES": Command(queries.names, listed=1),
    "NICK": Command(registration.nick, stranger=True),
    "NOTICE": Command(sending.notice, listed=1),
    "PART": Command(channels.part, 1, listed=1),
    "PASS": Command(registration.password, 1, stranger=True),
    "PING": Command(registration.ping, 1, stranger=True),
    "PONG": Command(registration.pong, stranger=True),
    "PRIVMSG": Command(sending.privmsg, listed=1),
    "QUIT": Command(registration.quit_, stranger=True),
    "REDACT": Command(redaction.redact, 2),
    "REGISTER": Command(joining.register, 3, stranger=True),
    "REHASH": Command(admin.rehash, admin=True),
    "SEARCH": Command(search.search, 1),
    "SETNAME": Command(presence.setname, 1),
    "STATS": Command(info.stats),
    "TAGMSG": Command(sending.tagmsg, 1, listed=1),
    "TIME": Command(info.time),
    "TOPIC": Command(channels.topic, 1),
    "USER": Command(registration.user, 4, stranger=True),
    "USERHOST": Command(presence.userhost, 1),
    "VERIFY": Command(joining.verify, 2, stranger=True),
    "VERSION": Command(info.version),
    "WHO": Command(whois.who),
    "WHOIS": Command(whois.whois, 1),
}
