"""Everybody who sends has a window of lines on their way; the clock stops when everybody has everything.

A line has arrived when one client that only listens, the channel's reader, has it: that is the same for a server
with and without echo. A second one, the witness, must get the same lines, in the same order where the server
has one.
"""

from __future__ import annotations

import re
import select
import time
from dataclasses import dataclass
from typing import Any

from running import cpu_seconds

from benchmark.driver.clients import RECORD, WANT, Client, Crowd
from benchmark.driver.job import fail
from benchmark.driver.rooms import Rooms, channel_name

CUT = len("PING :") - 1
"""So many bytes of a record are kept, in which a question may begin that ends in the next."""
ARRIVED = re.compile(rb"PRIVMSG \S+ :(\d{4}) (\d{7}) ")


@dataclass(frozen=True, slots=True)
class Load:
    """`senders` in each channel, each with `window` lines of `size` bytes outstanding; `lines` in all."""

    senders: int
    window: int
    lines: int
    size: int = 100
    seconds: float = 240


class Sender:
    """One client that talks in its first channel, and who tells that a line of it has arrived."""

    __slots__ = ("arrived", "channel", "client", "number", "reader", "sent")

    def __init__(self, number: int, channel: int, client: Client, reader: Client) -> None:
        self.number, self.channel, self.client, self.reader = number, channel, client, reader
        self.sent = self.arrived = 0


class Talk:
    """One measurement, from the first line sent to the last one received."""

    def __init__(self, crowd: Crowd, rooms: Rooms, load: Load) -> None:
        self.crowd, self.rooms, self.load = crowd, rooms, load
        self.each = load.lines // (load.senders * rooms.channels)
        self.senders: list[Sender] = []
        self.records = self.bytes = 0
        self.tails: dict[Client, bytes] = {}
        self.padding = "x" * max(load.size - len(f"PRIVMSG {channel_name(0)} :0000 0000000 \r\n"), 1)
        self.assign()
        self.due = set(range(len(self.senders)))

    def assign(self) -> None:
        """Say who sends, who keeps what it gets, and how much everybody will get."""
        crowd, load = self.crowd, self.load
        for client in crowd.clients:
            client.got, client.kept, client.tail = 0, None, b""
        for channel in range(self.rooms.channels):
            *_, witness, reader = home = self.rooms.home(channel, crowd.clients)
            reader.kept, witness.kept = [], []
            self.tails[reader] = b""
            for client in home[: load.senders]:
                self.senders.append(Sender(len(self.senders), channel, client, reader))
        speaks = {sender.client for sender in self.senders}
        for number, client in enumerate(crowd.clients):
            heard = len(self.rooms.of(number)) * load.senders - (client in speaks and not client.echo)
            client.wanted = heard * self.each

    def go(self) -> dict[str, Any]:
        """Send and receive everything, check it, and return the figures."""
        pid = self.crowd.job.pid
        server, own, began = cpu_seconds(pid), time.process_time(), time.perf_counter()
        self.run(time.monotonic() + self.load.seconds)
        seconds = time.perf_counter() - began
        figures = {
            "lines": self.each * len(self.senders),
            "deliveries": sum(client.got for client in self.crowd.clients),
            "seconds": seconds,
            "cpu": cpu_seconds(pid) - server,
            "driver": (time.process_time() - own) / seconds,
            "record": self.bytes / self.records,
            "line": self.bytes / sum(client.got for client in self.crowd.clients),
        }
        self.check()
        return figures

    def run(self, deadline: float) -> None:
        """Until everybody has everything."""
        poll, by_fd = self.crowd.poll, self.crowd.by_fd
        waiting = sum(client.wanted > 0 for client in self.crowd.clients)
        buffer = bytearray(RECORD)
        while waiting:
            if self.due:
                self.top_up()
            for descriptor, mask in poll.poll(1):
                client = by_fd[descriptor]
                if mask & select.EPOLLOUT and not client.send():
                    poll.modify(client.secure, select.EPOLLIN)
                if mask & ~select.EPOLLOUT:
                    waiting -= self.receive(client, buffer)
            if time.monotonic() > deadline:
                missing = sum(client.wanted - client.got for client in self.crowd.clients)
                fail(f"{missing} deliveries are missing after {self.load.seconds:g} s")

    def receive(self, client: Client, buffer: bytearray) -> bool:
        """Read one record; return whether it made the client's count complete."""
        assert client.tls is not None
        try:
            size = client.tls.recv_into(buffer)
        except WANT:
            return False
        except OSError:
            size = 0
        if not size:
            fail(f"{client.nick} was disconnected after {client.got} of {client.wanted} lines")
        self.records += 1
        self.bytes += size
        lines = buffer.count(b"\n", 0, size)
        if buffer.find(b"PING :", 0, size) >= 0 or b"PING :" in client.tail + buffer[:CUT]:
            lines -= self.crowd.pongs(client, client.tail + buffer[:size])
        client.tail = bytes(buffer[size - CUT : size])
        client.got += lines
        if client.got > client.wanted:
            fail(f"{client.nick} got {client.got} lines instead of {client.wanted}: {bytes(buffer[:200])!r}")
        if client.kept is not None:
            client.kept.append(bytes(buffer[:size]))
            if client in self.tails:
                self.note(client, client.kept[-1])
        return bool(lines) and client.got == client.wanted

    def note(self, reader: Client, data: bytes) -> None:
        """Take what a channel's reader got as arrived: its senders may send as much again."""
        whole, newline, self.tails[reader] = (self.tails[reader] + data).rpartition(b"\n")
        for number, _ in ARRIVED.findall(whole + newline):
            sender = self.senders[int(number)]
            if sender.reader is reader:
                sender.arrived += 1
                self.due.add(sender.number)

    def top_up(self) -> None:
        """Let every sender of whom something arrived have its window full again."""
        for number in self.due:
            sender = self.senders[number]
            until = min(self.each, sender.arrived + self.load.window)
            if sender.sent >= until or sender.client.unsent:
                continue
            begin = f"PRIVMSG {channel_name(sender.channel)} :{number:04} "
            text = "".join(f"{begin}{n:07} {self.padding}\r\n" for n in range(sender.sent, until))
            sender.sent = until
            self.crowd.say(sender.client, text.encode())
        self.due = {number for number in self.due if self.senders[number].client.unsent}

    def check(self) -> None:
        """Fail unless everybody got exactly what was said, and two who only listen got the same.

        That is in one order where the server has one, and each sender's lines are in order in any case.
        """
        self.crowd.settle()
        for client in self.crowd.clients:
            if client.extra != 1:
                fail(f"{client.nick} got {client.extra - 1} lines too many")
        for channel in range(self.rooms.channels):
            *_, witness, reader = self.rooms.home(channel, self.crowd.clients)
            heard, seen = self.heard(reader, channel), self.heard(witness, channel)
            if sorted(heard) != sorted(seen):
                fail("two clients that only listen did not get the same lines")
            if self.crowd.job.ordered and heard != seen:
                fail("two clients that only listen got the same lines in different orders")
            for sender in self.senders:
                if sender.channel == channel:
                    numbers = [n for number, n in heard if number == sender.number]
                    if numbers != list(range(self.each)):
                        fail(f"the lines of {sender.client.nick} did not arrive once each and in order")

    def heard(self, client: Client, channel: int) -> list[tuple[int, int]]:
        """Return sender and number of each line that a client got in a channel."""
        assert client.kept is not None
        lines = ((int(number), int(n)) for number, n in ARRIVED.findall(b"".join(client.kept)))
        return [line for line in lines if self.senders[line[0]].channel == channel]
