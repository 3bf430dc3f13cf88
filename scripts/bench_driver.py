"""The load for scripts/bench: many real TLS clients in one process, counting every line.

Reads a job as one line of JSON on standard input (a password is in it, so not on the command line) and writes what
it measured as JSON. A sender may have `window` lines on their way; a line has arrived when one client that only
listens, the reader, has it: that is the same for a server with and without echo. The clock stops when everybody
has everything.
"""

from __future__ import annotations

import json
import re
import select
import socket
import ssl
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from running import cpu_seconds

from securechat.net.tls import client_context

CHANNEL = "#bench"
SETUP_SECONDS = 60
RECORD = 16384  # the most that one TLS record gives, so nothing stays behind in the SSL object unseen by select
ARRIVED = re.compile(rb"PRIVMSG %b :(\d{2}) (\d{7}) " % CHANNEL.encode())


@dataclass(frozen=True, slots=True)
class Job:
    """What to do. `pid` is the server's, whose CPU time is read; `record` the file for what the reader got."""

    port: int
    authority: str
    pid: int
    record: str
    password: str = field(repr=False)
    clients: int = 100
    senders: int = 10
    window: int = 20
    lines: int = 20_000
    size: int = 100
    seconds: float = 60


class Client:
    """One TLS connection and what it counted."""

    __slots__ = ("got", "kept", "nick", "tls", "unsent", "wanted")

    def __init__(self, job: Job, number: int, context: ssl.SSLContext) -> None:
        """Connect, and say everything up to JOIN without waiting for answers."""
        raw = socket.create_connection(("127.0.0.1", job.port), SETUP_SECONDS)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = context.wrap_socket(raw, server_hostname="localhost")
        self.nick = user_name(number)
        self.got = self.wanted = 0
        self.kept: list[bytes] | None = None
        self.unsent = b""
        hello = f"PASS {self.nick}:{job.password}\r\nNICK {self.nick}\r\nUSER {self.nick} 0 * :{self.nick}\r\n"
        self.tls.sendall(f"{hello}JOIN {CHANNEL}\r\n".encode())

    def wait(self, mark: bytes) -> bytes:
        """Read up to the line that has `mark`, which must be the last one for now; return all that was read."""
        data = b""
        while not (mark in data and data.endswith(b"\n")):
            piece = self.tls.recv(RECORD)
            if not piece:
                fail(f"{self.nick} was disconnected before {mark.decode()!r}: {data[-300:]!r}")
            data += piece
        return data

    def send(self, data: bytes = b"") -> bool:
        """Send new data or what was left of it; return whether some is left. A retry offers the same bytes."""
        self.unsent = data or self.unsent
        try:
            sent = self.tls.send(self.unsent)
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return True
        self.unsent = self.unsent[sent:]
        return bool(self.unsent)


class Run:
    """One measurement, from the first line sent to the last one received."""

    def __init__(self, job: Job, clients: list[Client]) -> None:
        self.job = job
        self.clients = clients
        self.senders = clients[: job.senders]
        self.reader, self.witness = clients[-1], clients[-2]
        self.reader.kept, self.witness.kept = [], []
        self.sent = [0] * job.senders
        self.arrived = [0] * job.senders
        self.each = job.lines // job.senders
        self.tail = b""
        self.poll = select.epoll()  # no object made per event, as selectors does: the driver is near its limit
        self.by_fd = {client.tls.fileno(): client for client in clients}
        padding = job.size - len(f"PRIVMSG {CHANNEL} :00 0000000 \r\n")
        self.padding = "x" * max(padding, 1)
        for client in clients:
            client.wanted = self.each * (job.senders - (client in self.senders))
            client.tls.setblocking(False)
            self.poll.register(client.tls, select.EPOLLIN)

    def go(self) -> dict[str, Any]:
        """Send and receive everything, check it, and return the figures."""
        deadline = time.monotonic() + self.job.seconds
        server, own, began = cpu_seconds(self.job.pid), time.process_time(), time.perf_counter()
        waiting = sum(client.wanted > 0 for client in self.clients)
        buffer = bytearray(RECORD)
        while waiting:
            self.top_up()
            for descriptor, mask in self.poll.poll(1):
                client = self.by_fd[descriptor]
                if mask & select.EPOLLOUT and not client.send():
                    self.poll.modify(client.tls, select.EPOLLIN)
                if mask & ~select.EPOLLOUT:
                    waiting -= self.receive(client, buffer)
            if time.monotonic() > deadline:
                missing = sum(client.wanted - client.got for client in self.clients)
                fail(f"{missing} deliveries are missing after {self.job.seconds:g} s")
        seconds = time.perf_counter() - began
        figures = {
            "lines": self.each * self.job.senders,
            "deliveries": sum(client.got for client in self.clients),
            "seconds": seconds,
            "cpu": cpu_seconds(self.job.pid) - server,
            "driver": (time.process_time() - own) / seconds,
        }
        self.check()
        return figures

    def receive(self, client: Client, buffer: bytearray) -> bool:
        """Read one record; return whether it made the client's count complete."""
        try:
            size = client.tls.recv_into(buffer)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            size = 0
        if not size:
            fail(f"{client.nick} was disconnected after {client.got} of {client.wanted} lines")
        lines = buffer.count(b"\n", 0, size)
        client.got += lines
        if client.got > client.wanted:
            fail(f"{client.nick} got {client.got} lines instead of {client.wanted}: {bytes(buffer[:200])!r}")
        if client.kept is not None:
            client.kept.append(bytes(buffer[:size]))
            if client is self.reader:
                self.note(client.kept[-1])
        return bool(lines) and client.got == client.wanted

    def note(self, data: bytes) -> None:
        """Take what the reader got as arrived: its senders may send as much again."""
        whole, newline, self.tail = (self.tail + data).rpartition(b"\n")
        for sender, _ in ARRIVED.findall(whole + newline):
            self.arrived[int(sender)] += 1

    def top_up(self) -> None:
        """Let every sender have its window full."""
        for number, client in enumerate(self.senders):
            sent = self.sent[number]
            until = min(self.each, self.arrived[number] + self.job.window)
            if sent >= until or client.unsent:
                continue
            numbers = range(sent, until)
            text = "".join(f"PRIVMSG {CHANNEL} :{number:02} {n:07} {self.padding}\r\n" for n in numbers)
            self.sent[number] = until
            if client.send(text.encode()):
                self.poll.modify(client.tls, select.EPOLLIN | select.EPOLLOUT)

    def check(self) -> None:
        """Fail unless everybody got exactly what was said, and two who only listen got it in the same order."""
        for client in self.clients:
            client.tls.settimeout(SETUP_SECONDS)
            client.tls.sendall(b"PING :end\r\n")
            if (surplus := client.wait(b"end\r\n").count(b"\n") - 1) > 0:
                fail(f"{client.nick} got {surplus} lines too many")
        assert self.reader.kept is not None
        assert self.witness.kept is not None
        record = b"".join(self.reader.kept)
        if record != b"".join(self.witness.kept):
            fail("two clients that only listen did not get the same lines in the same order")
        lines = ARRIVED.findall(record)
        for number in range(self.job.senders):
            if [int(n) for sender, n in lines if int(sender) == number] != list(range(self.each)):
                fail(f"the lines of {user_name(number)} did not arrive once each and in order")
        Path(self.job.record).write_bytes(record)


def user_name(number: int) -> str:
    """Return the account name of a client."""
    return f"user{number:04}"


def fail(text: str) -> NoReturn:
    """End with one sentence on standard error."""
    sys.exit(f"driver: {text}.")


def enter(job: Job) -> list[Client]:
    """Return all clients, logged in and in the channel, with nothing left to read."""
    context = client_context(Path(job.authority))
    clients = [Client(job, number, context) for number in range(job.clients)]
    for client in clients:
        client.wait(f" 366 {client.nick} {CHANNEL} ".encode())
    # Everybody is in now, so behind the answer to this no JOIN can follow.
    for client in clients:
        client.tls.sendall(b"PING :joined\r\n")
        client.wait(b"joined\r\n")
    return clients


def drain(port: int, authority: Path) -> None:
    """Read and drop everything: the other end for the floor."""
    context = client_context(authority)
    with (
        socket.create_connection(("127.0.0.1", port), SETUP_SECONDS) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as tls,
    ):
        buffer = bytearray(RECORD)
        while tls.recv_into(buffer):
            pass


def main() -> None:
    """Do the job on standard input."""
    job = json.loads(sys.stdin.readline())
    if "drain" in job:
        drain(job["drain"], Path(job["authority"]))
        return
    work = Job(**job)
    try:
        figures = Run(work, enter(work)).go()
    except OSError as error:
        fail(f"the connection failed: {error}")
    json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main()
