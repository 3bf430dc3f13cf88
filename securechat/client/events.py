"""What a connection tells its front end, in the order in which it happened."""

from __future__ import annotations

from dataclasses import dataclass

from securechat.client.errors import ClientError
from securechat.client.settings import Endpoint
from securechat.protocol.errors import Fault
from securechat.protocol.message import Message


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The server let us in as `nick`. `tls` is the version in use ("TLSv1.3"). Comes first."""

    endpoint: Endpoint
    tls: str
    nick: str
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Received:
    """Messages of one read. A fault stands where a line was that is no message. PING is answered already."""

    messages: tuple[Message | Fault, ...]


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The connection was lost and is tried again, for `seconds` at most. What was posted may be lost.

    Another login follows, or the end.
    """

    error: ClientError
    seconds: float


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection is over. `error` is None where we wanted that. Comes last, once."""

    error: ClientError | None


Event = LoggedIn | Received | Interrupted | Closed
