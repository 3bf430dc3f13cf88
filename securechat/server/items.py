"""What the sequencer is told by other threads."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from securechat.chat.people import Session
from securechat.net.connection import Connection, Line
from securechat.records import Account


class Opened(NamedTuple):
    """A connection finished its handshake."""

    connection: Connection


class Lines(NamedTuple):
    """Lines of one connection, and the input they count as."""

    connection: Connection
    lines: list[Line]
    size: int


class Closed(NamedTuple):
    """A connection is gone."""

    connection: Connection
    reason: str


class Answered(NamedTuple):
    """A password was checked: `account` is None where it was refused.

    `why` is for the operator's log, where it was. It names an account that there is and nothing else: what was
    typed instead of a name may be a password.
    """

    session: Session
    account: Account | None
    why: str = ""


class Stop(NamedTuple):
    """Tell everybody, keep everything, end."""


Item: TypeAlias = Opened | Lines | Closed | Answered | Stop
