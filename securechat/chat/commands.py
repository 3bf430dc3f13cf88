"""Every command that a client may say, one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from securechat.chat import channels, messages, queries, registration
from securechat.chat.effects import Effects
from securechat.chat.people import Session
from securechat.protocol.message import Message

if TYPE_CHECKING:
    from securechat.chat.hub import Hub


class Command(NamedTuple):
    """How one command is handled.

    `minimum` is the least number of parameters (461 otherwise); `stranger` says that it may be used before
    the login is complete; `listed`, that its first parameter may name several targets (407 over the limit).
    Handlers for members find `session.person` set.
    """

    handler: Callable[[Hub, Session, Message], Effects]
    minimum: int = 0
    stranger: bool = False
    listed: bool = False


TABLE: Final[dict[str, Command]] = {
    "AUTHENTICATE": Command(registration.authenticate, 1, stranger=True),
    "CAP": Command(registration.cap, 1, stranger=True),
    "JOIN": Command(channels.join, 1, listed=True),
    "MODE": Command(queries.mode, 1),
    "MOTD": Command(queries.motd),
    "NAMES": Command(queries.names, listed=True),
    "NICK": Command(registration.nick, stranger=True),
    "NOTICE": Command(messages.notice, listed=True),
    "PART": Command(channels.part, 1, listed=True),
    "PASS": Command(registration.password, 1, stranger=True),
    "PING": Command(registration.ping, 1, stranger=True),
    "PONG": Command(registration.pong, stranger=True),
    "PRIVMSG": Command(messages.privmsg, listed=True),
    "QUIT": Command(registration.quit_, stranger=True),
    "TOPIC": Command(channels.topic, 1),
    "USER": Command(registration.user, 4, stranger=True),
    "WHO": Command(queries.who),
}
