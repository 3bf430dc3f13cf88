"""One channel, ten who talk: what a line costs for each who gets it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from benchmark.contenders import Contender
from benchmark.scenarios import Bench, Column, Scenario, progress
from benchmark.scenarios.talking import COLUMNS, NOTES, check_kept, fewer, talk, talked

SENDERS = 10
ROUNDS = 3
"""Also where everything else is measured once: these figures are judged."""
SLOW = 100
"""The largest channel that a server with a thread per client is tried with."""


@dataclass(frozen=True, slots=True)
class Point:
    """A size of channel, the windows that it is measured with, and the lines of a round."""

    recipients: int
    windows: tuple[int, ...]
    lines: int


POINTS = {
    "full": (Point(100, (20, 100, 400), 20_000), Point(1000, (20,), 3_000), Point(5000, (20,), 1_000)),
    "quick": (Point(100, (20, 400), 10_000),),
    "check": (Point(100, (20,), 10_000),),
}


def measure(bench: Bench, point: Point) -> list[dict[str, Any]]:
    """Return the rows of one size of channel."""

    def lines(contender: Contender) -> int:
        return fewer(contender, point.lines)

    chosen = [one for one in bench.contenders if one.fast or point.recipients <= SLOW]
    rows = []
    with bench.stage.crowds(chosen, point.recipients) as pairs:
        for window in point.windows:
            progress(f"{point.recipients} recipients, {window} lines outstanding a sender")
            for pair, found in talk(pairs, ROUNDS, lines, senders=SENDERS, window=window):
                row = talked(pair.contender.name, found, bench.floor, point.recipients, window, SENDERS)
                rows.append(asdict(row))
        for pair in pairs:
            check_kept(pair, lines(pair.contender) * ROUNDS * len(point.windows))
    return rows


def run(bench: Bench) -> list[dict[str, Any]]:
    """Measure all sizes."""
    return [row for point in POINTS[bench.size] for row in measure(bench, point)]


SCENARIO = Scenario(
    "fan_out",
    f"Fan-out: one channel, {SENDERS} senders, lines of 100 bytes",
    (Column("clients", "recipients"), Column("window", "window"), Column("", "contender", "{}"), *COLUMNS),
    run,
    NOTES,
)
