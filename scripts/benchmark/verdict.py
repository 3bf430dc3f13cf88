"""What scripts/bench --check fails on: ratios within one run, never a time, for machines differ."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.summary import OURS, Results

BASELINE = "thread per client"
TENTH = 0.1
"""The most that a delivered line of ours may cost, in lines of the baseline."""
FLOORS = 12
"""The most that it may cost, in lines of bare TLS in records of the same size. Some four times what is seen."""


def complaints(results: Results) -> Iterator[str]:
    """Give a sentence for each ratio that is too bad."""
    rows = results.get("fan_out", ())
    cost = {row["contender"]: row["us"] for row in rows}
    if {OURS, BASELINE} <= cost.keys() and cost[OURS] > TENTH * cost[BASELINE]:
        ratio = cost[OURS] / cost[BASELINE]
        yield f"A delivered line costs {ratio:.3f} of what it costs with a thread per client, more than {TENTH}."
    for row in rows:
        if row["contender"] == OURS and row["of_floor"] > FLOORS:
            yield f"A delivered line costs {row['of_floor']:.1f} times its floor, more than {FLOORS}."
