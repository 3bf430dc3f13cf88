"""What scripts/growth measures: the CPU time of one thing that a user does, against the size of one thing.

Each axis is a function that gives a `Point` for each operation at one size, from a server of its own. What an
operation has to cost grows with what it brings out: the recipients of a message, the lines of an answer. That is
its `output`; anything beyond that is to be explained or mended.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any, NamedTuple

import bench_history
from load import Crowd, Place, crowd, prepare, serving, user_name, user_names
from running import SECURECHAT, Program, cpu_seconds

from securechat.protocol.names import fold
from securechat.storage.search import SearchIndex
from securechat.storage.users import UserFile

CHANNEL = "#crowd"
CAPS = "away-notify"
MEMORY = "memory, KiB"
MEMBERS = 50
"""People in the channel where something else than they grows."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly to measure: lines of talk, times of all else, and the best of how many."""

    lines: int = 3000
    times: int = 20
    best_of: int = 3


class Point(NamedTuple):
    """What an operation cost at one size: CPU seconds (memory: bytes), and its recipients and lines of answer."""

    operation: str
    size: int
    cost: float
    output: float


class Scene:
    """A running server, the clients in its channel, and how to measure them."""

    def __init__(self, server: Program, clients: Crowd, effort: Effort, size: int) -> None:
        self.pid = server.process.pid
        self.clients = clients
        self.size = size
        self._effort = effort
        self.members = 0

    def fill(self, members: int) -> None:
        """Have so many people in the channel, clients 0 and up."""
        self.clients.do("enter", nicks=user_names(0, members), channel=CHANNEL, caps=CAPS)
        self.members = members

    def best(self, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the cheapest of several: others on the machine can only make it dearer."""
        return min((measure() for _ in range(self._effort.best_of)), key=lambda done: float(done["cpu"]))

    def talk(self) -> Point:
        """Measure a message in the channel, of many that are said at once."""
        order = {"channel": CHANNEL, "members": self.members, "senders": min(10, self.members - 1), "window": 20}
        lines = max(self._effort.lines * 50 // max(self.members, 50), 400)
        done = self.best(lambda: self.clients.do("talk", **order, lines=lines))
        return Point("message", self.size, done["cpu"] / done["lines"], self.members - 1)

    def ask(self, operation: str, text: str, others: int = 0, *, times: int = 0) -> Point:
        """Measure what client 0 says, when each other member gets so many lines of it."""
        times = times or self._effort.times
        order = {"number": 0, "text": text, "times": times, "others": others, "among": self.members}
        done = self.best(lambda: self.clients.do("ask", **order))
        return Point(operation, self.size, done["cpu"], max(done["lines"], 1) + others * (self.members - 1))

    def login(self) -> Point:
        """Measure somebody who logs in, comes into the channel and quits."""
        order = {"nick": user_name(self.members), "channel": CHANNEL, "among": self.members}
        self.clients.do("again", **order, times=1)  # the first time is another: nobody was a member before
        self.clients.do("settle")
        done = self.best(lambda: self.clients.do("again", **order, times=max(self._effort.times // 4, 2)))
        return Point("login, quit", self.size, done["cpu"], done["lines"] + 2 * self.members)

    def memory(self) -> Point:
        """Measure all that the server has in memory."""
        return Point(MEMORY, self.size, resident(self.pid), self.size)


@contextmanager
def scene(
    accounts: int, effort: Effort, size: int, fill: Callable[[Place], None] = lambda _: None
) -> Iterator[Scene]:
    """Have a server with so many accounts; `fill` may put something into its home before it starts."""
    with tempfile.TemporaryDirectory(prefix="securechat-growth-") as folder:
        place = prepare(Path(folder), accounts)
        fill(place)
        with serving(place) as server, crowd(server, place) as clients:
            yield Scene(server, clients, effort, size)


def members(size: int, effort: Effort) -> Iterator[Point]:
    """Measure with so many members of one channel."""
    with scene(size + 2, effort, size) as here:
        here.fill(size)
        yield here.talk()
        yield here.ask("NAMES", f"NAMES {CHANNEL}\r\n")
        yield here.ask("WHO", f"WHO {CHANNEL}\r\n")
        yield here.ask("TOPIC twice", f"TOPIC {CHANNEL} :tea\r\nTOPIC {CHANNEL} :cake\r\n", 2)
        yield here.ask("LUSERS", "LUSERS\r\n")
        yield here.ask("PART, JOIN", f"PART {CHANNEL}\r\nJOIN {CHANNEL}\r\n", 2)
        yield here.ask("AWAY, back", "AWAY :tea\r\nAWAY\r\n", 2)
        yield here.login()


def channels(size: int, effort: Effort) -> Iterator[Point]:
    """Measure with so many channels, and all talk in one."""
    with scene(MEMBERS + 2, effort, size) as here:
        here.fill(MEMBERS)
        for start in range(0, size, 500):
            names = [f"#c{number}" for number in range(start, min(start + 500, size))]
            text = "".join(f"JOIN {name}\r\nPART {name}\r\n" for name in names)
            here.clients.do("ask", number=0, text=text, times=1)
        yield here.memory()
        yield here.talk()
        yield here.ask("NAMES", f"NAMES {CHANNEL}\r\n")
        yield here.ask("LIST", "LIST\r\n", times=3)
        yield here.ask("LUSERS", "LUSERS\r\n")
        yield here.ask("PART, JOIN", f"PART {CHANNEL}\r\nJOIN {CHANNEL}\r\n", 2)
        yield here.ask("AWAY, back", "AWAY :tea\r\nAWAY\r\n", 2)
        yield here.login()


def connections(size: int, effort: Effort) -> Iterator[Point]:
    """Measure with so many connections in all, most of them idle."""
    with scene(size + 2, effort, size) as here:
        here.fill(MEMBERS)
        here.clients.do("enter", nicks=user_names(MEMBERS + 1, size - MEMBERS))
        yield here.memory()
        yield here.talk()
        yield here.ask("NAMES", f"NAMES {CHANNEL}\r\n")
        yield here.ask("LUSERS", "LUSERS\r\n")
        yield here.ask("PART, JOIN", f"PART {CHANNEL}\r\nJOIN {CHANNEL}\r\n", 2)
        yield here.ask("AWAY, back", "AWAY :tea\r\nAWAY\r\n", 2)
        yield here.login()


def stored(size: int, effort: Effort) -> Iterator[Point]:
    """Measure with so many lines in the log, those of the channel among them, and an index of them."""

    def fill(place: Place) -> None:
        bench_history.write(place.home / "chat.db", size)
        with SearchIndex(place.home / "chat.db", fold, bench_history.BYTES, 3600) as index:
            while index.step():
                pass

    with scene(MEMBERS + 2, effort, size, fill) as here:
        here.fill(MEMBERS)
        room = bench_history.CHANNELS[0]
        here.clients.do("ask", number=0, text=f"JOIN {room}\r\n", times=1)
        yield here.talk()
        yield here.ask("message there", f"PRIVMSG {room} :here\r\n")
        yield here.ask("PART, JOIN", f"PART {CHANNEL}\r\nJOIN {CHANNEL}\r\n", 2)
        yield here.login()
        yield here.memory()


def accounts(size: int, effort: Effort) -> Iterator[Point]:
    """Measure with so many accounts in the users file."""
    with tempfile.TemporaryDirectory(prefix="securechat-growth-") as folder:
        place = prepare(Path(folder), max(size, MEMBERS + 2))
        with serving(place) as server, crowd(server, place) as clients:
            here = Scene(server, clients, effort, size)
            yield here.memory()
            here.fill(MEMBERS)
            yield here.talk()
            yield here.login()
            yield refreshed(here, place)
            yield here.login()._replace(operation="login after that")
        yield added(place, size)


def refreshed(here: Scene, place: Place) -> Point:
    """Measure what it costs the server that one account in the file changes (kick, passwd): it is read whole."""
    users = UserFile(place.home / "users.json")
    turn = iter(range(100))

    def once() -> dict[str, Any]:
        with users.edit() as known:
            name = user_name(MEMBERS + 1)
            known[name] = replace(known[name], created=next(turn) + 1)
        before = cpu_seconds(here.pid)
        here.clients.do("ask", number=0, text="", times=1)
        return {"cpu": cpu_seconds(here.pid) - before}

    return Point("users file changed", here.size, here.best(once)["cpu"], here.size)


def added(place: Place, size: int) -> Point:
    """Measure `securechat adduser`, which compares the new name to all others."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(
        [SECURECHAT, "--home", str(place.home), "adduser", "newcomer", "--password-stdin"],
        input=f"{place.password}\n", check=True, text=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    after = getrusage(RUSAGE_CHILDREN)
    return Point("adduser", size, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, size)


def resident(pid: int) -> int:
    """Return the bytes of memory that a process has (proc(5), statm)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


Axis = Callable[[int, Effort], Iterator[Point]]
AXES: dict[str, tuple[Axis, tuple[int, ...]]] = {
    "members": (members, (10, 30, 100, 300, 1000)),
    "channels": (channels, (10, 100, 1000, 5000)),
    "connections": (connections, (MEMBERS, 150, 1050, 3050)),
    "stored lines": (stored, (1000, 10_000, 100_000, 1_000_000)),
    "accounts": (accounts, (100, 1000, 10_000)),
}
"""What grows, how it is measured, and at which sizes."""
