"""A bare listener and worker with nothing behind them but a recorder: what `net` does without chat."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from threading import Condition, Thread

from securechat.config import Limits
from securechat.net.connection import Connection
from securechat.net.jobs import Stop, Turn
from securechat.net.listener import Listener, listen
from securechat.net.tls import server_context
from securechat.net.worker import Worker
from securechat.protocol.errors import Fault
from securechat.protocol.lines import Line

TIMEOUT = 30.0
"""Only ever reached when something is broken."""
FAREWELL = b"ERROR :bye\r\n"
"""What a lane that is stopped says to whoever is open."""


class Recorder:
    """All that workers told, and a way to wait until it is enough. Implements net.jobs.Handler.

    With `credit` input is given back at once, as by a sequencer that is never behind.
    """

    def __init__(self, *, credit: bool = True) -> None:
        self.connections: list[Connection] = []
        self.lines: dict[Connection, list[Line]] = {}
        self.sizes: dict[Connection, int] = {}
        """Input told and not given back yet."""
        self.ends: list[tuple[Connection, str]] = []
        self.refusals: list[str] = []
        self.released_hosts: list[str] = []
        self.listener: Listener | None = None
        self.worker: Worker | None = None
        self._credit = credit
        self._changed = Condition()

    def opened(self, connection: Connection) -> None:
        with self._changed:
            self.connections.append(connection)
            self.lines[connection], self.sizes[connection] = [], 0
            self._changed.notify_all()

    def received(self, connection: Connection, lines: list[Line], size: int) -> None:
        with self._changed:
            self.lines[connection] += lines
            self.sizes[connection] += size
            self._changed.notify_all()
        if self._credit:
            self.give_back(connection)

    def closed(self, connection: Connection, reason: str) -> None:
        with self._changed:
            self.ends.append((connection, reason))
            self._changed.notify_all()

    def refused(self, address: str, reason: str) -> None:
        with self._changed:
            self.refusals.append(reason)
            self._changed.notify_all()

    def released(self, host: str) -> None:
        self.listener.released(host)
        with self._changed:
            self.released_hosts.append(host)
            self._changed.notify_all()

    def handover(self) -> None:
        pass

    def give_back(self, connection: Connection) -> None:
        """Credit everything that this connection's input counts as."""
        with self._changed:
            size, self.sizes[connection] = self.sizes[connection], 0
        self.worker.post(Turn([], [(connection, size)], [], []))

    def wait(self, enough: Callable[[Recorder], object]) -> None:
        """Block until `enough` of this recorder is true."""
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self), TIMEOUT), vars(self)

    def said(self, connection: Connection) -> list[str | Fault]:
        """The last parameter of every line so far, faults in place."""
        lines = self.lines[connection]
        return [line if isinstance(line, Fault) else (line.params or [line.command])[-1] for line in lines]


def limit(workers, **limits):
    """Have workers take other limits for all that begins from now on: what began before keeps its deadline."""
    for worker in workers:
        worker._limits = replace(worker._limits, **limits)


class Client:
    """The other end of a connection: a blocking TLS socket that notices a stream cut short."""

    def __init__(self, lane: Lane, receive_buffer: int = 0) -> None:
        raw = lane.tcp(receive_buffer)
        self.sock = lane.trust.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
        lane.opened(self.sock)
        number = len(lane.clients)
        lane.clients.append(self)
        lane.recorder.wait(lambda told: len(told.connections) > number)
        port = self.sock.getsockname()[1]
        (self.connection,) = (one for one in lane.recorder.connections if one.address.endswith(f":{port}"))
        self._lane = lane

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read(self, size: int) -> bytes:
        """Exactly so many bytes."""
        parts, left = [], size
        while left:
            data = self.sock.recv(min(left, 16384))
            assert data, f"the stream ended with {left} of {size} bytes to come"
            parts.append(data)
            left -= len(data)
        return b"".join(parts)

    def rest(self) -> bytes:
        """Everything up to a clean end (close_notify); anything else raises."""
        parts = []
        while data := self.sock.recv(16384):
            parts.append(data)
        return b"".join(parts)

    def round_trip(self, text: str = "hello") -> None:
        """Say something, see it arrive, answer it, read the answer."""
        recorder, connection = self._lane.recorder, self.connection
        already = recorder.said(connection).count(text)
        self.send(f"SAY :{text}\n".encode())
        recorder.wait(lambda _: recorder.said(connection).count(text) > already)
        self._lane.send([connection], b"ok\n")
        assert self.read(3) == b"ok\n"


class Lane:
    """One worker and one listener with their threads, on real sockets with real TLS."""

    def __init__(
        self, certs, *, credit=True, sndbuf=0, host="127.0.0.1", tls12=False, ping=b"PING :x\r\n", **limits
    ) -> None:
        self.limits = replace(Limits(linger_seconds=TIMEOUT), **limits)
        self.recorder = Recorder(credit=credit)
        self.certs = certs
        self.trust = ssl.create_default_context(cafile=str(certs / "ca.pem"))
        self.clients: list[Client] = []
        self._sockets: list[socket.socket] = []
        context = server_context(
            certs / "server.pem", certs / "server.key", tls12=tls12, authority=certs / "ca.pem"
        )
        self.worker = Worker(0, lambda: context, self.limits, self.recorder, ping)
        listening = listen(host, 0)
        for sock in listening:
            if sndbuf:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sndbuf)  # what it accepts inherits it
        self.port = listening[0].getsockname()[1]
        self.listener = Listener(listening, [self.worker], self.limits)
        self.recorder.listener, self.recorder.worker = self.listener, self.worker
        self._threads = [Thread(target=part.run) for part in (self.listener, self.worker)]
        for thread in self._threads:
            thread.start()

    def tcp(self, receive_buffer: int = 0) -> socket.socket:
        """A TCP connection that has said nothing."""
        sock = socket.socket()
        self._sockets.append(sock)
        sock.settimeout(TIMEOUT)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.connect(("127.0.0.1", self.port))
        return sock

    def opened(self, sock: socket.socket) -> None:
        self._sockets.append(sock)

    def dial(self, receive_buffer: int = 0) -> Client:
        """A client whose handshake is finished on both sides."""
        return Client(self, receive_buffer)

    def send(self, connections, *pieces: bytes) -> None:
        """Post one turn with output for these connections."""
        self.worker.post(Turn([(tuple(connections), list(pieces))], [], [], []))

    def close(self, connection, reason: str = "closed by the test") -> None:
        self.worker.post(Turn([], [], [], [(connection, reason)]))

    def limit(self, **limits) -> None:
        """Take other limits for all that begins from now on: what began before keeps its deadline."""
        limit([self.worker], **limits)

    def stop(self) -> None:
        """Stop as the server does: nobody new, then the worker. Doing it again does nothing."""
        threads, self._threads = self._threads, []
        if threads:
            self.listener.stop()
            threads[0].join()
            self.worker.post(Stop(FAREWELL))
            threads[1].join()

    def hang_up(self) -> None:
        """Close every client's end."""
        for sock in self._sockets:
            sock.close()
