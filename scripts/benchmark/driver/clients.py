"""The clients of one driver: they connect many at a time, log in, and drop what they get until they are asked.

All sockets are non-blocking and share one epoll (no object made per event, as `selectors` does).
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

from benchmark.driver.job import Job, device_file, fail, user_name
from securechat.net.tls import client_context

RECORD = 16384  # the most that one TLS record gives, so nothing stays behind in the SSL object unseen by epoll
SECONDS = 300
WANT = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
PING = re.compile(rb"PING :(\S+)\r\n")
KEPT_TAIL = 200
"""Longer than any mark that is waited for."""


class Client:
    """One connection. `mark` is what it waits for, `tail` the end of what it got before."""

    __slots__ = (
        "caps",
        "extra",
        "got",
        "kept",
        "mark",
        "nick",
        "number",
        "raw",
        "safe",
        "tail",
        "tls",
        "unsent",
        "wanted",
    )

    def __init__(self, job: Job, number: int) -> None:
        """Begin to connect."""
        self.number = number
        self.nick = user_name(number)
        self.caps = job.caps[number % len(job.caps)]
        self.got = self.wanted = self.extra = 0
        self.kept: list[bytes] | None = None
        self.mark = self.tail = self.unsent = b""
        self.tls: ssl.SSLSocket | None = None
        self.safe = False
        self.raw = socket.socket()
        self.raw.setblocking(False)
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.raw.connect_ex(("127.0.0.1", job.port))

    @property
    def echo(self) -> bool:
        """Whether it gets its own lines back."""
        return "echo-message" in self.caps

    @property
    def secure(self) -> ssl.SSLSocket:
        """The connection after its handshake."""
        assert self.tls is not None
        return self.tls

    def hello(self, job: Job) -> str:
        """Return everything up to the login."""
        if job.devices:
            caps, proof = f"sasl {self.caps}".strip(), "AUTHENTICATE EXTERNAL\r\nAUTHENTICATE +\r\n"
            return (
                f"CAP REQ :{caps}\r\nNICK {self.nick}\r\nUSER {self.nick} 0 * :{self.nick}\r\n{proof}CAP END\r\n"
            )
        secret = f"PASS {self.nick}:{job.password}\r\n" if job.password else ""
        login = f"{secret}NICK {self.nick}\r\nUSER {self.nick} 0 * :{self.nick}\r\n"
        return f"CAP REQ :{self.caps}\r\n{login}CAP END\r\n" if self.caps else login

    def send(self, data: bytes = b"") -> bool:
        """Send new data or what was left of it; return whether some is left. A retry offers the same bytes."""
        self.unsent = data or self.unsent
        try:
            sent = self.secure.send(self.unsent)
        except WANT:
            return True
        self.unsent = self.unsent[sent:]
        return bool(self.unsent)

    def receive(self) -> bytes:
        """Return what one record holds, nothing where there is none; fail if the server hung up."""
        try:
            data = self.secure.recv(RECORD)
        except WANT:
            return b""
        except OSError:
            data = b""
        if not data:
            fail(f"{self.nick} was disconnected after {self.tail[-300:]!r}")
        return data


class Crowd:
    """All clients, in the order of their numbers."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.contexts = [client_context(Path(job.authority))]
        self.clients: list[Client] = []
        self.poll = select.epoll()
        self.by_fd: dict[int, Client] = {}
        self.shaking = 0

    def prepare(self, until: int) -> None:
        """Load the certificate of each client, if they have any, before the clock runs."""
        while self.job.devices and len(self.contexts) < until:
            self.contexts.append(client_context(Path(self.job.authority)))
        for number, context in enumerate(self.contexts if self.job.devices else ()):
            context.load_cert_chain(device_file(Path(self.job.devices), number))

    def connect(self, until: int, flight: int) -> float:
        """Connect and log in clients until there are so many; return the seconds it took.

        `flight` handshakes at a time: what listens may have a short queue. Logins wait for each other nowhere.
        """
        self.prepare(until)
        began, deadline = time.perf_counter(), time.monotonic() + SECONDS
        waiting = until - len(self.clients)
        while waiting:
            while self.shaking < flight and len(self.clients) < until:
                client = Client(self.job, len(self.clients))
                self.clients.append(client)
                self.by_fd[client.raw.fileno()] = client
                self.poll.register(client.raw, select.EPOLLOUT)
                self.shaking += 1
            for descriptor, _ in self.poll.poll(1):
                waiting -= self.step(self.by_fd[descriptor])
            if time.monotonic() > deadline:
                fail(f"{waiting} clients could not log in within {SECONDS} s")
        return time.perf_counter() - began

    def step(self, client: Client) -> bool:
        """Bring a client one step further; return whether it is logged in by that."""
        if client.tls is None:
            if error := client.raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                fail(f"{client.nick} could not connect: error {error}")
            client.tls = self.contexts[client.number % len(self.contexts)].wrap_socket(
                client.raw, server_hostname="localhost", do_handshake_on_connect=False
            )
        if not client.safe:
            return self.handshake(client, client.tls)
        data = client.receive()
        if b" NAK :" in data:
            fail(f"{client.nick} asked for {client.caps!r} and was refused")
        return self.found(client, data)

    def handshake(self, client: Client, tls: ssl.SSLSocket) -> bool:
        """Go on with a handshake and say hello after it; return whether that is all there is to do."""
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            self.poll.modify(tls, select.EPOLLIN)
            return False
        except ssl.SSLWantWriteError:
            self.poll.modify(tls, select.EPOLLOUT)
            return False
        except OSError as error:
            fail(f"the handshake of {client.nick} failed: {error}")
        client.safe = True
        self.shaking -= 1
        self.poll.modify(tls, select.EPOLLIN)
        if self.job.bare:
            return True
        client.mark = f" 001 {client.nick} ".encode()
        client.send(client.hello(self.job).encode())
        return False

    def say(self, client: Client, text: bytes) -> None:
        """Send something, the rest of it when the socket takes more."""
        if client.send(text):
            self.poll.modify(client.secure, select.EPOLLIN | select.EPOLLOUT)

    def pongs(self, client: Client, data: bytes) -> int:
        """Answer what the server asks in `data`, as every client does; return how often it did.

        A question cut in two counts where its head ends, and stays without an answer, as does one that comes while
        something is waiting to be sent: there will be another.
        """
        for token in PING.findall(data):
            if not client.unsent:
                self.say(client, b"PONG :" + token + b"\r\n")
        return data.count(b"PING :")

    def found(self, client: Client, data: bytes) -> bool:
        """Whether `data`, behind what came before, brings what a client waits for."""
        seen = client.tail + data
        client.tail = seen[-KEPT_TAIL:]
        client.extra += data.count(b"\n") - (self.pongs(client, data) if b"PING :" in data else 0)
        if not client.mark or client.mark not in seen:
            return False
        client.mark = b""
        return True

    def ask(self, text: Callable[[Client], str], mark: Callable[[Client], str]) -> None:
        """Let all say something at once, and read until each got its answer."""
        for client in self.clients:
            client.mark, client.tail, client.extra = mark(client).encode(), b"", 0
        for client in self.clients:
            self.say(client, text(client).encode())
        waiting, deadline = len(self.clients), time.monotonic() + SECONDS
        while waiting:
            for descriptor, mask in self.poll.poll(1):
                client = self.by_fd[descriptor]
                if mask & select.EPOLLOUT and not client.send():
                    self.poll.modify(client.secure, select.EPOLLIN)
                if mask & ~select.EPOLLOUT:
                    waiting -= self.found(client, client.receive())
            if time.monotonic() > deadline:
                missing = [client.nick for client in self.clients if client.mark]
                fail(f"{len(missing)} clients, {missing[0]} among them, have no answer after {SECONDS} s")

    def settle(self) -> None:
        """Return when everybody has everything that was said before this: PING is a barrier.

        `extra` then counts the lines that each client got in it, its PONG included.
        """
        self.ask(lambda _: "PING :settled\r\n", lambda _: "settled\r\n")

    def drain(self, size: int, nap: float) -> None:
        """Read and drop so many bytes, with a nap before each look: the sender never has to wake this process."""
        buffer, deadline = bytearray(RECORD), time.monotonic() + SECONDS
        while size > 0:
            time.sleep(nap)
            size -= self._drop(buffer, 0)
            if time.monotonic() > deadline:
                fail(f"{size} bytes are missing after {SECONDS} s")

    def follow(self, size: int, turns: int) -> None:
        """Read so many bytes on each connection, as when lines come in, and say so; again for each turn."""
        buffer, deadline = bytearray(RECORD), time.monotonic() + SECONDS
        for _ in range(turns):
            left = size * len(self.clients)
            while left > 0:
                left -= self._drop(buffer, 1)
                if time.monotonic() > deadline:
                    fail(f"{left} bytes are missing after {SECONDS} s")
            self.clients[0].secure.send(b"\n")

    def _drop(self, buffer: bytearray, seconds: float) -> int:
        """Read a record wherever one comes in so many seconds; return how many bytes these were."""
        size = 0
        for descriptor, _ in self.poll.poll(seconds):
            try:
                size += self.by_fd[descriptor].secure.recv_into(buffer)
            except WANT:
                continue
        return size

    def close(self) -> None:
        """Hang up everywhere."""
        for client in self.clients:
            self.poll.unregister(client.raw if client.tls is None else client.tls)
            (client.tls or client.raw).close()
        self.clients.clear()
        self.by_fd.clear()
