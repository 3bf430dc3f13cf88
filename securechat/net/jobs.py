"""What workers are asked to do, and what they tell."""

from __future__ import annotations

import socket
from typing import NamedTuple, Protocol, TypeAlias

from securechat.net.connection import Connection
from securechat.protocol.lines import Line


class Handler(Protocol):
    """What the worker tells, one for each worker. Called on the worker's thread; must not block.

    What is told may be gathered until `handover`: what came in together is best dealt with in one turn.
    """

    def opened(self, connection: Connection) -> None:
        """Tell that a connection finished its handshake."""

    def received(self, connection: Connection, lines: list[Line], size: int) -> None:
        """Hand over lines; `size` bytes count against the connection until a Turn credits them."""

    def closed(self, connection: Connection, reason: str) -> None:
        """Tell, exactly once and last, that an opened connection is gone."""

    def refused(self, address: str, reason: str) -> None:
        """Tell that a connection ended before its handshake did."""

    def released(self, host: str) -> None:
        """Tell that an adopted socket is closed: there is room for another."""

    def handover(self) -> None:
        """Pass on what was told so far."""


class Turn(NamedTuple):
    """What the sequencer wants done after one commit, in order of the fields.

    `sends` are (connections, pieces of up to a record each); `credits` give back input that was dealt with;
    `admits` have logged in; `closes` are (connection, reason) and come after what was sent.
    """

    sends: list[tuple[tuple[Connection, ...], list[bytes]]]
    credits: list[tuple[Connection, int]]
    admits: list[Connection]
    closes: list[tuple[Connection, str]]


class Adopt(NamedTuple):
    """A socket that was just accepted, not yet wrapped."""

    sock: socket.socket
    host: str
    port: int


class Stop(NamedTuple):
    """Say farewell to everybody who is open, close everything after what was sent, then end the thread."""

    farewell: bytes


Job: TypeAlias = Turn | Adopt | Stop
