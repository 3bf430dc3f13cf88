"""Many channels at once: everybody is in ten of them, and in each somebody talks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from benchmark.scenarios import Bench, Column, Scenario
from benchmark.scenarios.talking import COLUMNS, NOTES, check_kept, talk, talked


@dataclass(frozen=True, slots=True)
class Point:
    """So many clients in `channels`, each of them in `each`; `lines` in a round."""

    clients: int
    channels: int
    each: int
    lines: int
    window: int = 4

    @property
    def members(self) -> int:
        """How many are in a channel."""
        return self.clients * self.each // self.channels


POINTS = {
    "full": Point(1000, 200, 10, 20_000),
    "quick": Point(200, 40, 10, 10_000),
    "check": Point(50, 10, 5, 2_000),
}


def run(bench: Bench) -> list[dict[str, Any]]:
    """One sender in each channel, all talking at once."""
    point = POINTS[bench.size]
    chosen = [one for one in bench.contenders if one.fast]
    with bench.stage.crowds(chosen, point.clients, channels=point.channels, each=point.each) as pairs:
        found = talk(pairs, bench.rounds, lambda _: point.lines, senders=1, window=point.window)
        for pair in pairs:
            check_kept(pair, point.lines * bench.rounds)
    rows = [
        talked(pair.contender.name, one, bench.floor, point.members, point.window, point.each, point.clients)
        for pair, one in found
    ]
    return [asdict(row) | {"channels": point.channels, "clients": point.clients} for row in rows]


SCENARIO = Scenario(
    "channels",
    "Channels: every client in ten of them, one sender in each with four lines outstanding",
    (
        Column("clients", "clients"),
        Column("channels", "channels"),
        Column("members", "recipients"),
        Column("", "contender", "{}"),
        *(column for column in COLUMNS if column.key != "messages_per_second"),
    ),
    run,
    NOTES,
)
