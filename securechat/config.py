"""Every setting and every default, in one place. Frozen once made; flags over environment over file."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Final

DEFAULT_PORT: Final = 6697  # RFC 7194
DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_LOBBY: Final = "#lobby"
DEFAULT_SERVER_NAME: Final = "securechat.local"  # a dot tells clients that this is not a nickname

MOST_WORKERS: Final = 64
DEFAULT_WORKERS: Final = (
    1 if getattr(sys, "_is_gil_enabled", lambda: True)() else min(os.cpu_count() or 1, MOST_WORKERS)
)
"""One thread serves connections best where only one can run (two cost more CPU), else one for each core."""

MOST_DAYS: Final = 36_500
"""The longest that `--keep` can say; for ever is to say nothing."""


class ConfigError(ValueError):
    """A setting that cannot be used. The text is one sentence for the person who set it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The end of everything that a peer can make grow or wait. Set with `serve --limit NAME=VALUE`.

    Names ending in `_seconds` are seconds, in `_bytes` bytes; all others are counts.
    """

    handshake_seconds: float = 10
    """From TCP accept to a finished TLS handshake."""
    login_seconds: float = 60
    """From the handshake to a finished login."""
    idle_seconds: float = 120
    """Silence after which the server sends PING."""
    pong_seconds: float = 60
    """Silence after that PING which ends the connection."""
    linger_seconds: float = 3
    """How long a connection that is being closed may take to read its last lines."""
    connections: int = 4096
    """Open connections in all."""
    connections_per_address: int = 256
    """Open connections of one IP address (0: no limit)."""
    devices_per_account: int = 32
    """Logged-in connections of one account."""
    login_tries: int = 3
    """Wrong passwords on one connection before it is closed."""
    enrolled_devices: int = 20
    """Devices of one account that log in by certificate."""
    enrolments_per_hour: int = 20
    """Certificates that one account may ask for in an hour."""
    enrolments_waiting: int = 256
    """Certificates, revocations and invites that may wait for the issuer."""
    logins_waiting: int = 4096
    """Password checks that may wait for a free checker."""
    outbox_bytes: int = 4 * 1024 * 1024
    """Output waiting for one connection; one that does not read is disconnected here."""
    inflight_bytes: int = 64 * 1024
    """Input of one connection that waits for its answer; beyond it the server stops reading."""
    lines_per_second: float = 20
    """Steady rate at which one connection's lines are taken (0: no limit). Faster ones wait, none is lost."""
    lines_burst: int = 200
    """Lines that one connection may send at once before that rate applies."""
    turn_lines: int = 4000
    """Lines that go into one commit."""
    channels: int = 10_000
    """Channels in all."""
    channels_per_account: int = 100
    """Channels that one account is in or owns."""
    targets: int = 8
    """Targets of one command."""
    history_page: int = 500
    """Entries in one answer to CHATHISTORY."""
    history_bytes: int = 1024 * 1024
    """Text in one answer to CHATHISTORY or SEARCH."""
    search_results: int = 100
    """Messages in one answer to SEARCH."""
    search_seconds: float = 2
    """How long one search may take."""
    questions_waiting: int = 1024
    """Questions about the log that may wait for the reader."""
    replay: int = 500
    """Missed lines that a client which cannot ask for history is sent at its login."""
    first_replay: int = 50
    """The same for a device that was never here."""
    recent: int = 1000
    """Newest messages kept in memory, so that a replay meets what is said meanwhile."""
    keys: int = 50_000
    """Idempotency keys known without asking the log."""
    devices_known: int = 64
    """Devices of one account whose place in the log is remembered."""

    @classmethod
    def parse(cls, settings: list[str]) -> Limits:
        """Return the defaults with each "NAME=VALUE" applied.

        Raises ConfigError for an unknown name, a value that is no number, or one below its least.
        """
        types = {f.name: f.type for f in fields(cls)}
        values: dict[str, float] = {}
        for setting in settings:
            name, equals, text = setting.partition("=")
            if not equals or name not in types:
                known = ", ".join(types)
                raise ConfigError(f"--limit {setting}: want NAME=VALUE with NAME one of {known}.")
            try:
                value = float(text) if types[name] == "float" else int(text)
            except ValueError:
                raise ConfigError(f"--limit {name}: {text!r} is not a number.") from None
            if not 0 <= value < 2**40 or (value == 0 and name not in _MAY_BE_ZERO):
                raise ConfigError(f"--limit {name}: {text} is out of range.")
            values[name] = value
        return replace(cls(), **values)  # type: ignore[arg-type]  # the table above gave each its type


_MAY_BE_ZERO: Final = frozenset({"lines_per_second", "connections_per_address"})


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds everything of one server, and the names of the files in it."""

    path: Path

    @property
    def certs(self) -> Path:
        """Certificate authority and server certificate."""
        return self.path / "certs"

    @property
    def users(self) -> Path:
        """The users file."""
        return self.path / "users.json"

    @property
    def log(self) -> Path:
        """The ordered log."""
        return self.path / "chat.db"

    @property
    def motd(self) -> Path:
        """The message of the day, if the operator wrote one."""
        return self.path / "motd.txt"


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What `serve` needs to know. `lobby` is None where nobody is to be joined anywhere.

    What was said is kept for `keep_days`, or for ever.
    """

    home: Home
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    name: str = DEFAULT_SERVER_NAME
    lobby: str | None = DEFAULT_LOBBY
    workers: int = DEFAULT_WORKERS
    tls12: bool = False
    keep_days: int | None = None
    certificate: Path | None = None
    """A certificate with its chain that somebody else issued, instead of our own; and its key."""
    key: Path | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def certificate_files(self) -> tuple[Path, Path]:
        """The server's certificate and its key."""
        certs = self.home.certs
        return self.certificate or certs / "server.pem", self.key or certs / "server.key"
