"""A load for scripts/growth and scripts/profile: many real TLS clients in one process that does as it is told.

Each line of standard input is an order in JSON, the first says where the server is (a password is in it, so not on
the command line); each order is answered by a line of JSON. scripts/load.py gives the orders.
"""

from __future__ import annotations

import json
import re
import select
import socket
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from running import cpu_seconds

from securechat.net.tls import client_context

SECONDS = 60
"""The longest that anything may take."""
AT_ONCE = 64
"""Logins on their way at the same time."""
RECORD = 16384  # the most that one TLS record gives, so nothing stays behind in the SSL object unseen by the poll
ARRIVED = re.compile(rb" PRIVMSG \S+ :(\d\d) ")


class Client:
    """One TLS connection: the lines it got, and the mark that it waits for."""

    __slots__ = ("got", "mark", "nick", "tail", "tls", "unsent", "wanted")

    def __init__(self, nick: str, tls: ssl.SSLSocket) -> None:
        self.nick = nick
        self.tls = tls
        self.got = 0
        self.wanted = -1
        self.mark = self.tail = self.unsent = b""

    def receive(self, buffer: bytearray) -> bytes:
        """Read one record, count its lines and return it; empty where there is none yet."""
        try:
            size = self.tls.recv_into(buffer)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError:
            size = 0
        if not size:
            fail(f"{self.nick} was disconnected; it read last: {self.tail!r}")
        data = bytes(memoryview(buffer)[:size])
        self.got += data.count(b"\n")
        if self.mark:
            data_and_before = self.tail + data
            if self.mark in data_and_before:
                self.mark = b""
            self.tail = data_and_before[-200:]
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


class Crowd:
    """All clients, and what they can be told to do: every public method is an order."""

    def __init__(self, port: int, authority: str, pid: int, password: str) -> None:
        self._port = port
        self._pid = pid
        self._password = password
        self._context = client_context(Path(authority))
        self._poll = select.epoll()  # no object made per event, as selectors does: a driver is soon at its limit
        self._clients: list[Client] = []
        self._by_fd: dict[int, Client] = {}
        self._buffer = bytearray(RECORD)
        self._barriers = 0

    def enter(self, nicks: Sequence[str], channel: str = "", caps: str = "") -> dict[str, Any]:
        """Connect and log in one more client for each name, and join the channel."""
        for start in range(0, len(nicks), AT_ONCE):
            some = [self._connect(nick, channel, caps) for nick in nicks[start : start + AT_ONCE]]
            self._arrive(some)
            self._clients += some
        return self.settle()

    def again(self, nick: str, channel: str, times: int, among: int, caps: str = "") -> dict[str, Any]:
        """Have somebody in the channel log in and quit, again and again; the first `among` clients see both."""
        watched = self._clients[:among]
        goal = [one.got + 2 * times for one in watched]
        before = cpu_seconds(self._pid)
        for _ in range(times):
            client = self._connect(nick, channel, caps)
            self._arrive([client])
            self._poll.unregister(client.tls)
            del self._by_fd[client.tls.fileno()]
            client.tls.settimeout(SECONDS)
            client.tls.sendall(b"QUIT\r\n")
            while client.tls.recv_into(self._buffer):
                pass
            client.tls.close()
        self._pump(lambda: all(one.got >= least for one, least in zip(watched, goal, strict=True)))
        return {"cpu": (cpu_seconds(self._pid) - before) / times, "lines": client.got}

    def settle(self) -> dict[str, Any]:
        """Have everybody read everything that was on its way."""
        self._barriers += 1
        for client in self._clients:
            client.mark = f":b{self._barriers}\r\n".encode()
            self._say(client, f"PING :b{self._barriers}\r\n")
        self._arrive(self._clients)
        return {}

    def ask(self, number: int, text: str, times: int, others: int = 0, among: int = 0) -> dict[str, Any]:
        """Have one client say some lines again and again, each time with a barrier behind them.

        The first `among` clients but this one get `others` lines each time. Return the CPU for once, and the lines
        that came back.
        """
        client = self._clients[number]
        watched = [one for one in self._clients[:among] if one is not client]
        goal = [one.got + others * times for one in watched]
        got, before = client.got, cpu_seconds(self._pid)
        for time_ in range(times):
            client.mark = f":a{time_}\r\n".encode()
            self._say(client, f"{text}PING :a{time_}\r\n")
            self._arrive([client])
        self._pump(lambda: all(one.got >= least for one, least in zip(watched, goal, strict=True)))
        cpu = (cpu_seconds(self._pid) - before) / times
        return {"cpu": cpu, "lines": (client.got - got) / times - 1}

    def talk(
        self,
        channel: str,
        members: int,
        senders: int,
        window: int,
        lines: int = 0,
        seconds: float = 0,
        size: int = 100,
    ) -> dict[str, Any]:
        """Let senders talk to the first `members` clients until `lines` are said or `seconds` are over.

        A sender has `window` lines on their way; one has arrived when the last member, who only listens, has it.
        """
        talk = Talk(self._clients[:members], channel, senders, window, size)
        own, began, before = time.process_time(), time.perf_counter(), cpu_seconds(self._pid)
        talk.each = lines // senders if lines else sys.maxsize
        while not talk.over():
            past = time.perf_counter() - began
            if seconds and past >= seconds:
                talk.each = 0
            if past > seconds + SECONDS:
                fail(f"lines are missing after {past:.0f} s")
            for number, text in talk.next():
                self._say(talk.members[number], text)
            self._turn(talk.note)
        took = time.perf_counter() - began
        said = sum(talk.sent)
        return {
            "cpu": cpu_seconds(self._pid) - before,
            "lines": said,
            "deliveries": said * (members - 1),
            "seconds": took,
            "driver": (time.process_time() - own) / took,
        }

    def _connect(self, nick: str, channel: str, caps: str) -> Client:
        """Connect, and say everything up to JOIN without waiting for answers."""
        raw = socket.create_connection(("127.0.0.1", self._port), SECONDS)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(nick, self._context.wrap_socket(raw, server_hostname="localhost"))
        hello = f"CAP REQ :{caps}\r\nCAP END\r\n" if caps else ""
        hello += f"PASS {nick}:{self._password}\r\nNICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n"
        client.mark = f" 366 {nick} {channel} ".encode() if channel else b":in\r\n"
        hello += f"JOIN {channel}\r\n" if channel else "PING :in\r\n"
        client.tls.setblocking(False)
        self._by_fd[client.tls.fileno()] = client
        self._poll.register(client.tls, select.EPOLLIN)
        self._say(client, hello)
        return client

    def _say(self, client: Client, text: str) -> None:
        if client.send(text.encode()):
            self._poll.modify(client.tls, select.EPOLLIN | select.EPOLLOUT)

    def _arrive(self, clients: Sequence[Client]) -> None:
        """Wait until each of them has the line that it waits for."""
        self._pump(lambda: not any(client.mark for client in clients))

    def _pump(self, done: Callable[[], bool]) -> None:
        """Read and write for everybody until it is done."""
        deadline = time.monotonic() + SECONDS
        while not done():
            self._turn()
            if time.monotonic() > deadline:
                fail(f"still waiting after {SECONDS} s")

    def _turn(self, note: Callable[[Client, bytes], None] | None = None) -> None:
        """Read and write for everybody once; `note` is told what each client got."""
        for descriptor, mask in self._poll.poll(0.5):
            client = self._by_fd[descriptor]
            if mask & select.EPOLLOUT and not client.send():
                self._poll.modify(client.tls, select.EPOLLIN)
            if mask & ~select.EPOLLOUT and (data := client.receive(self._buffer)) and note:
                note(client, data)


class Talk:
    """A conversation: what each sender has said, and how much of it has arrived."""

    def __init__(self, members: list[Client], channel: str, senders: int, window: int, size: int) -> None:
        self.members = members
        self.reader = members[-1]
        self.sent = [0] * senders
        self.arrived = [0] * senders
        self.each = 0
        self._window = window
        self._start = [client.got for client in members]
        self._before = f"PRIVMSG {channel} :"
        self._padding = "x" * max(size - len(self._before) - 5, 1)
        self._tail = b""

    def next(self) -> list[tuple[int, str]]:
        """Return what is to be said now: the number of a sender and its lines."""
        said = []
        for number, sent in enumerate(self.sent):
            more = min(self.each, self.arrived[number] + self._window) - sent
            if more > 0 and not self.members[number].unsent:
                said.append((number, f"{self._before}{number:02} {self._padding}\r\n" * more))
                self.sent[number] += more
        return said

    def note(self, client: Client, data: bytes) -> None:
        """Take what the reader got as arrived: its senders may say as much again."""
        if client is self.reader:
            whole, newline, self._tail = (self._tail + data).rpartition(b"\n")
            for sender in ARRIVED.findall(whole + newline):
                self.arrived[int(sender)] += 1

    def over(self) -> bool:
        """Whether all has been said and everybody has everything; there are no echoes."""
        total = sum(self.sent)
        if sum(self.arrived) < total or min(self.sent) < self.each:
            return False
        own = [*self.sent, *[0] * (len(self.members) - len(self.sent))]
        return all(
            client.got - start >= total - said
            for client, start, said in zip(self.members, self._start, own, strict=True)
        )


def fail(text: str) -> NoReturn:
    """End with one sentence on standard error."""
    sys.exit(f"driver: {text}.")


def main() -> None:
    """Carry out the orders on standard input."""
    try:
        crowd = Crowd(**json.loads(sys.stdin.readline()))
        for order in sys.stdin:
            words = json.loads(order)
            answer = getattr(crowd, words.pop("do"))(**words)
            print(json.dumps(answer), flush=True)
    except OSError as error:
        fail(f"the connection failed: {error}")


if __name__ == "__main__":
    main()
