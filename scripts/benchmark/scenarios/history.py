"""Questions to a long log: pages of history and searches. scripts/bench-history asks the same."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import bench_history

from benchmark.scenarios import Bench, Column, Scenario, progress

SIZES = {"full": ((10_000, 100_000, 1_000_000), 101), "quick": ((20_000,), 11), "check": ((2_000,), 3)}
"""Messages in the logs, and how often each question is asked."""
ANSWER_BYTES = 100 * 200
"""An answer has a hundred lines, of about so many bytes with their tags."""


def run(bench: Bench) -> list[dict[str, Any]]:
    """Ask logs of several sizes."""
    sizes, rounds = SIZES[bench.size]
    floor = bench.floor.line(ANSWER_BYTES) / 1000
    rows = []
    for size in sizes:
        progress(f"a log of {size:,} messages")
        found = bench_history.measure(bench.stage.place("history").folder, size, rounds)
        rows.append({"contender": "securechat", **asdict(found), "floor_ms": floor})
    return rows


MS = "{:.2f}"
SCENARIO = Scenario(
    "history",
    "History: questions to a long log, in milliseconds, each for 100 messages or conversations",
    (
        Column("messages", "messages"),
        Column("LATEST", "latest", MS),
        Column("BEFORE msgid", "before_msgid", MS),
        Column("BEFORE time", "before_time", MS),
        Column("TARGETS", "targets", MS),
        Column("common word", "common", MS),
        Column("rare word", "rare", MS),
        Column("floor", "floor_ms", "{:.3f}"),
        Column("index s", "index_seconds", "{:.1f}"),
    ),
    run,
    """\
Medians. Floor: sending an answer of that length through bare TLS. Index: the seconds that it takes to make it for
a log that has none; it is kept up to date as messages come.""",
)
