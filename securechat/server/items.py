"""What the sequencer is told by other threads."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from securechat.chat.people import Session
from securechat.net.connection import Connection
from securechat.protocol.lines import Line


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
    """A session's question has its answer, as `chat.effects.Ask` says."""

    session: Session
    answer: Any


class Reread(NamedTuple):
    """Read users, certificates and message of the day again; `why` is for the operator's log."""

    why: str


class Notice(NamedTuple):
    """Tell the administrators who are here."""

    text: str


class Stop(NamedTuple):
    """Tell everybody, keep everything, end."""


Item: TypeAlias = Opened | Lines | Closed | Answered | Reread | Notice | Stop
