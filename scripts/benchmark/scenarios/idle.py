"""Connections that are logged in and say nothing: the memory that each takes, and whether they cost CPU."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from running import Failed, cpu_seconds

from benchmark.contenders import Contender
from benchmark.memory import memory
from benchmark.remote import Remote
from benchmark.scenarios import Bench, Column, Scenario, progress
from benchmark.stage import left_out

FLOOR = "bare SSLSocket"
SIZES = {"full": ((1000, 5000, 10_000), 20), "quick": ((200,), 3), "check": ((50,), 0.5)}
"""Connections, and the seconds of idling at each size."""
WARM = 20
"""Connections that come before the first look: what a server sets aside once is not counted for each of them."""
SPARE = 100
"""Files that a server has open beside its connections."""


@dataclass(slots=True)
class Idler:
    """A server under watch: what it had in memory after the first few, and its CPU time when the watch began."""

    name: str
    contender: Contender | None
    pid: int
    driver: Remote
    before: tuple[float, float]
    cpu: float = 0


@dataclass(frozen=True, slots=True)
class Idle:
    """KiB that each connection added, and the percentage of a core that all of them cost while they were idle."""

    contender: str
    connections: int
    pss_kib: float
    rss_kib: float
    cpu_percent: float
    seconds: float
    floor_kib: float | None = None


@contextmanager
def idlers(bench: Bench, most: int) -> Iterator[list[Idler]]:
    """Run the servers and the floor, with few connected."""
    chosen = [one for one in bench.contenders if one.fast]
    with bench.stage.pairs(chosen, most) as pairs, bench.stage.ground(0) as ground:
        found = [Idler(one.name, one.contender, one.server.pid, one.driver, (0, 0)) for one in pairs]
        found.append(Idler(FLOOR, None, ground.server.pid, ground.driver, (0, 0)))
        for idler in found:
            idler.driver.ask("connect", until=WARM)
            idler.before = memory(idler.pid)
        yield found


def fill(idler: Idler, size: int) -> None:
    """Have so many connections."""
    seconds = idler.driver.ask("connect", until=size)["seconds"]
    if idler.contender:
        idler.driver.ask("settle")
    progress(f"{idler.name}: {size} connections after {seconds:.1f} s more")


def watch(found: list[Idler], size: int, seconds: float) -> list[Idle]:
    """Leave all of them alone for a while, at the same time, and return what that cost each."""
    time.sleep(min(seconds, 2))  # what the logins left behind is done by then
    progress(f"all idle for {seconds:g} s")
    for idler in found:
        idler.cpu = cpu_seconds(idler.pid)
    time.sleep(seconds)
    rows = []
    for idler in found:
        cpu = (cpu_seconds(idler.pid) - idler.cpu) / seconds * 100
        rss, pss = (
            (now - then) / (size - WARM) for now, then in zip(memory(idler.pid), idler.before, strict=True)
        )
        rows.append(Idle(idler.name, size, pss, rss, cpu, seconds))
    return rows


def run(bench: Bench) -> list[dict[str, Any]]:
    """Grow all crowds from size to size."""
    sizes, seconds = SIZES[bench.size]
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE
    rows: list[dict[str, Any]] = []
    with idlers(bench, max(sizes)) as found:
        for size in sizes:
            if size > allowed:
                progress(f"{size} connections are left out: the limit of open files (ulimit -Hn) allows {allowed}")
                continue
            for idler in list(found):
                try:
                    fill(idler, size)
                except Failed as problem:
                    if idler.contender is None:
                        raise
                    left_out(idler.contender, problem)
                    found.remove(idler)
            results = watch(found, size, seconds)
            floor = results[-1].pss_kib
            rows += [asdict(one) | {"floor_kib": floor} for one in results]
    return rows


SCENARIO = Scenario(
    "idle",
    "Idle connections, logged in, in no channel",
    (
        Column("connections", "connections"),
        Column("", "contender", "{}"),
        Column("KiB each (PSS)", "pss_kib", "{:.1f}"),
        Column("KiB each (RSS)", "rss_kib", "{:.1f}"),
        Column("floor", "floor_kib", "{:.1f}"),
        Column("CPU while idle", "cpu_percent", "{:.2f}%"),
    ),
    run,
    f"""\
What the server's process grew by after the first {WARM}, shared out; the kernel's buffers are not in it. Floor: a
Python process that holds as many SSLSockets after their handshake. CPU: the share of a core for all of them.""",
)
