"""Many at once at the door: TLS connections and logins per second."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmark.contenders import Contender
from benchmark.contenders.ours import OursByCertificate
from benchmark.scenarios import Bench, Column, Scenario, progress
from securechat.server.passwords import PasswordHasher

CLIENTS = {"full": 300, "quick": 100, "check": 20}
DEVICES = {"full": 1000, "quick": 300, "check": 20}
"""Clients that log in by certificate."""
HANDSHAKES, PASSWORDS = "bare TLS handshakes", "bare argon2, two threads"
CHECKERS = 2
"""Threads that check passwords in our server."""


@dataclass(frozen=True, slots=True)
class Logins:
    """How fast, and the server's CPU for each. `by` is what a client proves who it is with."""

    contender: str
    by: str
    clients: int
    per_second: float
    cpu_ms: float
    floor_ms: float | None = None
    of_floor: float | None = None


def middle(rounds: list[Logins]) -> Logins:
    """Return the round with the median rate."""
    return sorted(rounds, key=lambda one: one.per_second)[len(rounds) // 2]


def by_name(bench: Bench, contender: Contender, clients: int) -> Logins:
    """Connect and log in as every scenario does: by password where the server has accounts."""
    with bench.stage.pair(contender, clients) as pair:
        figures = pair.driver.ask("connect", until=clients)
        by = "certificate" if pair.server.devices else "password" if pair.server.password else "nothing"
    return made(contender.name, by, clients, figures)


def handshakes(bench: Bench, clients: int) -> Logins:
    """Do the TLS alone."""
    with bench.stage.ground(0) as ground:
        figures = ground.driver.ask("connect", until=clients)
    return made(HANDSHAKES, "nothing", clients, figures)


def made(name: str, by: str, clients: int, figures: dict[str, Any]) -> Logins:
    """Return one round."""
    result = Logins(name, by, clients, clients / figures["seconds"], figures["cpu"] / clients * 1000)
    progress(f"{name}: {result.per_second:.0f} per second")
    return result


def passwords(count: int) -> Logins:
    """Check passwords and do nothing else."""
    hasher = PasswordHasher()
    phc = hasher.hash_password("correct horse")
    began, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(CHECKERS) as pool:
        assert all(pool.map(lambda _: hasher.verify(phc, "correct horse"), range(count)))
    figures = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    return made(PASSWORDS, "password", count, figures)


def run(bench: Bench) -> list[dict[str, Any]]:
    """Measure in turns; a login can be no cheaper than its handshake and what it is checked by."""
    clients = CLIENTS[bench.size]
    rounds: dict[tuple[str, str], list[Logins]] = {}
    for _ in range(bench.rounds):
        found = [by_name(bench, one, clients) for one in bench.contenders]
        if any(one.keeps for one in bench.contenders):
            found.insert(1, by_name(bench, OursByCertificate(), DEVICES[bench.size]))
        for one in [*found, handshakes(bench, clients), passwords(clients)]:
            rounds.setdefault((one.contender, one.by), []).append(one)
    least = {"nothing": median(one.cpu_ms for one in rounds[HANDSHAKES, "nothing"])}
    least["password"] = least["nothing"] + median(one.cpu_ms for one in rounds[PASSWORDS, "password"])
    least["certificate"] = least["nothing"]
    rows = []
    for (name, _), figures in rounds.items():
        one = middle(figures)
        row = asdict(one) | {"all_per_second": [each.per_second for each in figures]}
        if name not in (HANDSHAKES, PASSWORDS):
            row |= {"floor_ms": least[one.by], "of_floor": one.cpu_ms / least[one.by]}
        rows.append(row)
    return rows


SCENARIO = Scenario(
    "logins",
    "Connections with login, all at once",
    (
        Column("clients", "clients"),
        Column("", "contender", "{}"),
        Column("login by", "by", "{}"),
        Column("per second", "per_second"),
        Column("CPU ms each", "cpu_ms", "{:.2f}"),
        Column("floor", "floor_ms", "{:.2f}"),
        Column("of floor", "of_floor", "{:.1f}"),
    ),
    run,
    """\
Server and clients share the machine's cores. The peers let anybody in; a password is checked by argon2id with our
defaults (19 MiB, two passes), a certificate is verified in the handshake. Floor: the bare handshake without one,
and for a password the bare check with it.""",
)
