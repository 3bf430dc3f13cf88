"""The servers that are measured. A new one is a file like ngircd.py, and a line in `known()`."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from running import READY_SECONDS, Failed, Program

from securechat.net.tls import client_context

HUGE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server runs: an empty folder of its own, and the certificates that all of them use."""

    folder: Path
    certificates: Path

    @property
    def authority(self) -> Path:
        """What clients trust."""
        return self.certificates / "ca.pem"

    @property
    def certificate(self) -> Path:
        """The server's leaf and its authority."""
        return self.certificates / "server.pem"

    @property
    def key(self) -> Path:
        """The server's private key."""
        return self.certificates / "server.key"


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts connections.

    `password` is everybody's, empty where the server asks for none; `devices` a folder with each client's
    certificate and key, where they log in by those.
    """

    program: Program
    port: int
    authority: Path
    password: str = ""
    devices: Path | None = None

    @property
    def pid(self) -> int:
        """The server's process."""
        return self.program.process.pid


class Contender(Protocol):
    """One IRC server. `keeps`: every line is on disk before anybody has it. `fast`: worth asking for millions.

    `ordered`: everybody in a channel has its lines in one order. Of `capabilities` its clients ask
    for those that a measurement wants; it is sent no request for others.
    """

    name: str
    keeps: bool
    fast: bool
    ordered: bool
    capabilities: frozenset[str]

    def version(self) -> str:
        """Return its version; raise FileNotFoundError where it is not installed."""

    def serve(self, place: Place, clients: int) -> AbstractContextManager[Running]:
        """Run it for the length of a with block, with its flood limits off."""

    def kept(self, place: Place) -> int | None:
        """Return how many messages are on its disk, None where it keeps none."""


def known() -> list[Contender]:
    """Return all contenders, ours first."""
    from benchmark.contenders.baseline import Baseline
    from benchmark.contenders.ergo import Ergo
    from benchmark.contenders.inspircd import InspIRCd
    from benchmark.contenders.ngircd import NgIRCd
    from benchmark.contenders.ours import Ours

    return [Ours(), NgIRCd(), InspIRCd(), Ergo(), Baseline()]


def with_capabilities(contenders: Sequence[Contender]) -> list[Contender]:
    """Return those of them that have capabilities which change how a line is written, set up to offer these."""
    from benchmark.contenders.inspircd import InspIRCd, InspIRCdWithTags

    able = [InspIRCdWithTags() if isinstance(one, InspIRCd) else one for one in contenders]
    return [one for one in able if one.capabilities]


def free_port() -> int:
    """Return a port that nobody listens on, for a server that cannot choose one itself."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def accepting(program: Program, port: int, place: Place) -> Iterator[Running]:
    """Wait until a server that says nothing of use does handshakes; raise Failed where it never will."""
    context = client_context(place.authority)
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with (
                socket.create_connection(("127.0.0.1", port), 5) as raw,
                context.wrap_socket(raw, server_hostname="localhost"),
            ):
                break
        except (OSError, ssl.SSLError) as error:
            if program.process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{program.name} does not accept connections ({error}):\n{program.tail()}") from None
            time.sleep(0.05)
    yield Running(program, port, place.authority)
