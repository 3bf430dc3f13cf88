"""Results as pictures: bars for each contender."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import chart

from benchmark.summary import Results, Rows, answers, grouped

SLOW = "thread per client"
"""Left out where the others' bars could not be told apart beside its own."""
FLOOR = "bare TLS (floor)"
Groups = list[tuple[str, list[tuple[str, float]]]]


def bars(rows: Rows, key: str) -> list[tuple[str, float]]:
    """Return a bar for each contender."""
    return [(name, value) for name, value in answers(rows, key).items() if name != SLOW]


def fan_out(results: Results) -> str:
    """What a line costs in channels of several sizes; the floor is that of our records."""
    groups: Groups = []
    for (recipients, window), rows in grouped(results["fan_out"], "recipients", "window"):
        least = [(FLOOR, row["floor_record"]) for row in rows if row["contender"] == "securechat"]
        groups.append((f"{recipients:,} clients, window {window}", bars(rows, "us") + least))
    return chart.bars("CPU per delivered line", "microseconds of the server; less is better", groups)


def deliveries(results: Results) -> str:
    """How many lines a second arrive."""
    groups = [
        (f"{recipients:,} clients, window {window}", bars(rows, "deliveries_per_second"))
        for (recipients, window), rows in grouped(results["fan_out"], "recipients", "window")
    ]
    return chart.bars("Deliveries per second", "one driver process reads them all; more is better", groups)


def latency(results: Results) -> str:
    """How long a message takes at the lowest rate."""
    (rate,), rows = next(grouped(results["latency"], "rate"))
    groups = [
        (name, [(row["contender"], row[key]) for row in rows])
        for key, name in (("p50", "median"), ("p99", "p99"), ("p999", "p99.9"))
    ]
    clients = max(row["recipients"] for row in rows)
    return chart.bars("Latency", f"ms at {rate:g} messages/s to {clients} clients; less is better", groups)


def idle(results: Results) -> str:
    """What a connection takes while it says nothing."""
    groups = [
        (f"{count:,} connections", [(row["contender"], row["pss_kib"]) for row in rows])
        for (count,), rows in grouped(results["idle"], "connections")
    ]
    return chart.bars("Memory per idle connection", "KiB of the server's process; less is better", groups)


PICTURES: dict[str, tuple[str, Callable[[Results], str]]] = {
    "fan-out": ("fan_out", fan_out),
    "deliveries": ("fan_out", deliveries),
    "latency": ("latency", latency),
    "idle": ("idle", idle),
}
"""File name, which results it needs, and who draws it."""


def draw(results: Results) -> Iterator[tuple[str, str]]:
    """Give the name and the SVG text of each picture for which there are figures."""
    for name, (key, picture) in PICTURES.items():
        if results.get(key):
            yield f"{name}.svg", picture(results)
