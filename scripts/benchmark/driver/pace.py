"""Messages at fixed moments, whatever the server does (an open loop), and how long each takes to reach everybody.

The clock of a message starts when it should have been sent: a server that makes its clients wait cannot hide it.
Who waits for whom is the same for every server: this process reads the sockets in the order in which epoll names
them, and the last of a hundred has its line some hundreds of microseconds after the first.
"""

from __future__ import annotations

import select
import time
from array import array
from dataclasses import dataclass
from typing import Any

from benchmark.driver.clients import Client, Crowd
from benchmark.driver.job import fail
from benchmark.driver.rooms import channel_name
from benchmark.driver.talk import ARRIVED

GRACE = 20
"""Seconds after the last message in which everything has to arrive."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """So many messages a second from `start` (monotonic seconds) on, by `senders` in turns; none: only listen."""

    rate: float
    seconds: float
    start: float
    senders: int = 10
    size: int = 100

    @property
    def count(self) -> int:
        """How many messages that makes."""
        return int(self.rate * self.seconds)

    def moment(self, number: int) -> float:
        """When a message should be sent."""
        return self.start + number / self.rate


class Pace:
    """One measurement in the channel that everybody is in."""

    def __init__(self, crowd: Crowd, schedule: Schedule) -> None:
        self.crowd, self.schedule = crowd, schedule
        self.speakers = crowd.clients[: schedule.senders]
        self.took, self.echoed, self.late = array("d"), array("d"), array("d")
        self.sent = 0
        padding = schedule.size - len(f"PRIVMSG {channel_name(0)} :0000 0000000 \r\n")
        self.padding = "x" * max(padding, 1)
        for client in crowd.clients:
            client.tail = b""

    def go(self) -> dict[str, Any]:
        """Send and receive everything; return the latencies in milliseconds."""
        schedule = self.schedule
        each = len(self.crowd.clients) - (1 if self.speakers else 0)
        expected, own = schedule.count * each, time.process_time()
        deadline = schedule.moment(schedule.count) + GRACE
        while len(self.took) < expected:
            now = time.monotonic()
            while self.speakers and self.sent < schedule.count and schedule.moment(self.sent) <= now:
                self.send(now)
            if now > deadline:
                fail(f"{expected - len(self.took)} deliveries are missing {GRACE} s after the last message")
            self.receive(now)
        own = time.process_time() - own
        figures = {"took": percentiles(self.took), "driver": own / schedule.seconds}
        if self.echoed:
            figures["echo"] = percentiles(self.echoed)
        if self.late:
            figures["late"] = percentiles(self.late)
        return figures

    def send(self, now: float) -> None:
        """Send the next message."""
        client, number = self.speakers[self.sent % len(self.speakers)], self.sent
        if client.unsent:
            fail(f"{client.nick} could not send a line of {self.schedule.size} bytes for a whole turn")
        text = f"PRIVMSG {channel_name(0)} :{self.sent % len(self.speakers):04} {number:07} {self.padding}\r\n"
        self.crowd.say(client, text.encode())
        self.late.append(now - self.schedule.moment(number))
        self.sent += 1

    def receive(self, now: float) -> None:
        """Wait for the next moment or the next line. select waits to the microsecond, epoll to the millisecond."""
        left = self.schedule.moment(self.sent) - now if self.speakers and self.sent < self.schedule.count else 1
        select.select([self.crowd.poll], [], [], max(left, 0))
        for descriptor, mask in self.crowd.poll.poll(0):
            client = self.crowd.by_fd[descriptor]
            if mask & select.EPOLLOUT and not client.send():
                self.crowd.poll.modify(client.secure, select.EPOLLIN)
            if mask & ~select.EPOLLOUT:
                self.note(client, client.receive(), time.monotonic())

    def note(self, client: Client, data: bytes, now: float) -> None:
        """Note how long the lines in a record took."""
        if b"PING :" in data:
            self.crowd.pongs(client, data)
        if client.tail or not data.endswith(b"\n"):
            whole, newline, client.tail = (client.tail + data).rpartition(b"\n")
            data = whole + newline
        for sender, number in ARRIVED.findall(data):
            took = now - self.schedule.moment(int(number))
            mine = self.speakers and self.speakers[int(sender)] is client
            (self.echoed if mine else self.took).append(took)


def percentiles(seconds: array[float]) -> dict[str, float]:
    """Return the middle, the slowest hundredth and thousandth, and the worst, in milliseconds."""
    ranked = sorted(seconds)
    at = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
    found = {name: ranked[min(int(len(ranked) * share), len(ranked) - 1)] * 1000 for name, share in at.items()}
    return found | {"worst": ranked[-1] * 1000}
