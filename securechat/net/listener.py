"""The listener thread: accepts raw TCP and hands it on. It never shakes hands, so nobody can hold it up."""

from __future__ import annotations

import contextlib
import errno
import logging
import selectors
import socket
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any, Final

from securechat.net.jobs import Adopt
from securechat.net.limits import NetLimits
from securechat.net.worker import Worker

log = logging.getLogger(__name__)

BACKLOG: Final = 1024
PAUSE_SECONDS: Final = 0.5
"""How long accepting pauses when the system has no more sockets to give."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets for every address of `host`; port 0 takes a free one, the same for all.

    Raises OSError where an address cannot be had.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    with contextlib.ExitStack() as undo:
        for family, _, _, _, address in dict.fromkeys(found):
            if sockets and port == 0:
                address = (address[0], sockets[0].getsockname()[1], *address[2:])  # noqa: PLW2901
            try:
                sockets.append(undo.enter_context(_listen_on(family, address)))
            except OSError as error:
                # A machine without IPv6 still has "::1 localhost" in its hosts file.
                if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                    raise
                missing = error
        if not sockets:
            raise missing or OSError(errno.EADDRNOTAVAIL, "no such address")
        undo.pop_all()
    return sockets


def _listen_on(family: int, address: tuple[Any, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


class Listener:
    """Accepts until stopped and counts what is open. Owned by the thread that calls `run`.

    Takes over the listening sockets. Other threads call `released` and `stop` only.
    """

    def __init__(self, sockets: Sequence[socket.socket], workers: Sequence[Worker], limits: NetLimits) -> None:
        self._sockets = sockets
        self._workers = workers
        self._limits = limits
        self._open = 0
        self._by_host: Counter[str] = Counter()
        self._released: deque[str] = deque()
        self._next = 0
        self._wake_in, self._wake_out = socket.socketpair()

    def released(self, host: str) -> None:
        """Tell that a connection from `host` is gone. Bounded by the number of open connections."""
        self._released.append(host)

    def stop(self) -> None:
        """End `run` soon."""
        with contextlib.suppress(OSError):  # it has ended already
            self._wake_out.send(b"\0")

    def run(self) -> None:
        """Accept until stopped, then close the listening sockets."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_in, selectors.EVENT_READ)
            for sock in self._sockets:
                selector.register(sock, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._wake_in in ready:
                    break
                for sock in self._sockets:
                    if sock in ready:
                        self._accept(sock)
        self.close()

    def close(self) -> None:
        """Let go of the sockets of a listener that never ran. Doing it again does nothing."""
        for sock in (*self._sockets, self._wake_in, self._wake_out):
            sock.close()

    def _accept(self, listening: socket.socket) -> None:
        try:
            sock, address = listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            # Out of descriptors: the waiting peer stays in the backlog, so without a pause this would spin.
            log.error("cannot accept connections: %s; pausing", error.strerror)  # noqa: TRY400  # not ours
            self._wait()
            return
        host, port = address[0], address[1]
        while self._released:
            gone = self._released.popleft()
            self._open -= 1
            self._by_host[gone] -= 1
            if not self._by_host[gone]:
                del self._by_host[gone]
        per_address = self._limits.connections_per_address
        if self._open >= self._limits.connections or (per_address and self._by_host[host] >= per_address):
            log.warning("refused %s: too many connections", host)
            sock.close()
            return
        self._open += 1
        self._by_host[host] += 1
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._workers[self._next].post(Adopt(sock, host, port))
        self._next = (self._next + 1) % len(self._workers)

    def _wait(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_in, selectors.EVENT_READ)
            selector.select(PAUSE_SECONDS)
