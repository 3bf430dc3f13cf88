"""Messages at a rate that nobody saturates: how long until everybody has one."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from running import Failed

from benchmark.remote import Remote
from benchmark.scenarios import Bench, Column, Scenario, progress
from benchmark.stage import left_out

FLOOR = "bare SSLSocket.send"
SOON = 0.3
"""Seconds until the first message."""


@dataclass(frozen=True, slots=True)
class Point:
    """Messages a second, and for how long."""

    rate: float
    seconds: float


POINTS = {
    "full": (100, (Point(50, 20), Point(500, 10))),
    "quick": (100, (Point(50, 3),)),
    "check": (20, (Point(50, 1),)),
}
"""Clients, and what is measured with them."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the moment in which a message should have been sent to its arrival, over all deliveries.

    `echo_*`: until its sender has it back, where the server does that. `late_p99`: how late the driver itself was.
    """

    contender: str
    recipients: int
    rate: float
    p50: float
    p99: float
    p999: float
    worst: float
    echo_p50: float | None
    echo_p99: float | None
    late_p99: float | None
    driver: float


def row(name: str, recipients: int, point: Point, figures: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of one contender, flat."""
    echo, late = figures.get("echo", {}), figures.get("late", {})
    progress(f"{name}, {point.rate:g} messages/s: p99 {figures['took']['p99']:.2f} ms")
    result = Latency(
        name,
        recipients,
        point.rate,
        **figures["took"],
        echo_p50=echo.get("p50"),
        echo_p99=echo.get("p99"),
        late_p99=late.get("p99"),
        driver=figures["driver"],
    )
    return asdict(result)


def pace(driver: Remote, point: Point, floor: Remote | None = None) -> dict[str, Any]:
    """Let the messages go, sent by the driver or by the floor."""
    schedule = {"rate": point.rate, "seconds": point.seconds, "start": time.monotonic() + SOON}
    driver.tell("pace", **schedule, senders=0 if floor else 10)
    if floor:
        floor.ask("tick", **schedule)
    return driver.answer()


def run(bench: Bench) -> list[dict[str, Any]]:
    """Measure each rate, contender after contender, the floor at the end."""
    clients, points = POINTS[bench.size]
    rows = []
    with (
        bench.stage.crowds(bench.contenders, clients, caps=("echo-message",)) as pairs,
        bench.stage.ground(clients) as ground,
    ):
        for point in points:
            for pair in list(pairs):
                try:
                    figures = pace(pair.driver, point)
                except Failed as problem:
                    left_out(pair.contender, problem)
                    pairs.remove(pair)
                    continue
                rows.append(row(pair.contender.name, clients - 1, point, figures))
            rows.append(row(FLOOR, clients, point, pace(ground.driver, point, ground.floor)))
    return rows


MS = "{:.2f}"
SCENARIO = Scenario(
    "latency",
    "Latency at a fixed rate (open loop), in milliseconds over all deliveries",
    (
        Column("clients", "recipients"),
        Column("messages/s", "rate"),
        Column("", "contender", "{}"),
        Column("p50", "p50", MS),
        Column("p99", "p99", MS),
        Column("p99.9", "p999", MS),
        Column("worst", "worst", MS),
        Column("echo p50", "echo_p50", MS),
        Column("echo p99", "echo_p99", MS),
        Column("driver late p99", "late_p99", MS),
        Column("driver", "driver", "{:.0%}"),
    ),
    run,
    """\
From the moment in which a message should have been sent. Echo: until its sender has it back, which for ours
means that it is on disk. The floor sends such a line to each client at these moments; nothing has to reach it.""",
)
