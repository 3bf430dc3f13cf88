"""What a client is told before it connects: where to, and how long and how much it may wait."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens. `host` is a name or an address, and what its certificate must be made out to."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """The end of everything that a server can make grow or wait (law 5)."""

    connect_seconds: float = 10
    """From looking up the name to a finished TLS handshake."""
    login_seconds: float = 30
    """From the handshake to a finished login."""
    idle_seconds: float = 60
    """Silence after which the client sends PING."""
    pong_seconds: float = 30
    """Silence after that PING which ends the connection."""
    linger_seconds: float = 3
    """How long the last lines may take out and the server's end may take in once we leave."""
    outbox_bytes: int = 1024 * 1024
    """Output that waits for the server to read it."""
    reconnect_seconds: float = 300
    """How long a lost connection is tried again (0: never)."""
    batches: int = 16
    """What was received, in reads of at most 16 KiB, and waits for the front end; beyond it we stop reading."""
