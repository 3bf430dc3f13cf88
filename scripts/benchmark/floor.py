"""What TLS records cost on this machine, poured out or under a load: only the encryption and the kernel."""

from __future__ import annotations

from statistics import median

from benchmark.driver.clients import RECORD
from benchmark.stage import Stage

CONNECTIONS = 100
"""To so many in turns, unless more are asked for: each has memory of its own, which one alone would keep warm."""
BYTES = 128 * 1024 * 1024
RECORDS = 20_000
"""At most so many bytes and records are sent at a time: about a second for all its parts."""
NAPS = (0, 0.002, 0, 0.002)
ROUNDS = 4
"""Of these the first is to warm up."""
GRAIN = 64
"""Sizes are rounded to this, so that sizes which are nearly the same are measured once."""


class Floor:
    """Microseconds of CPU for a record, by its size and the number of connections; measured once in a run."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._known: dict[tuple[int, int], float] = {}
        self._known_turns: dict[tuple[int, int, int], float] = {}

    def record(self, size: float, connections: int = CONNECTIONS) -> float:
        """Return what sending a record of this size costs, to so many in turns."""
        rounded = min(max(round(size / GRAIN), 1) * GRAIN, RECORD)
        kind = rounded, connections
        if kind not in self._known:
            self._known[kind] = self._measure(*kind)
        return self._known[kind] * size / rounded

    def line(self, line: float, record: float = RECORD, connections: int = CONNECTIONS) -> float:
        """Return what a line of so many bytes costs at least, where it travels in records of this size."""
        return self.record(record, connections) * line / record

    def under_load(self, line: float, record: float, outstanding: int, connections: int = CONNECTIONS) -> float:
        """Return what a line of so many bytes costs where no more than `outstanding` lines are on their way.

        As under a load with windows: records of this size go out until the windows are full, and the next ones
        when everybody has read them. Who reads sleeps in between and has to be woken, by whoever sends.
        """
        size = min(max(round(record / GRAIN), 1) * GRAIN, RECORD)
        kind = size, max(round(outstanding * line / size), 1), connections
        if kind not in self._known_turns:
            self._known_turns[kind] = self._measure_turns(*kind)
        return self._known_turns[kind] * line / size

    def _measure_turns(self, size: int, records: int, connections: int) -> float:
        """Return what a record costs that goes out with so many others to each, in the median round."""
        turns = max(min(BYTES // (size * records), RECORDS // records) // connections, 2)
        costs = []
        with self._stage.ground(connections) as ground:
            for _ in range(ROUNDS):
                ground.driver.tell("follow", size=size * records, turns=turns)
                sent = ground.floor.ask("take_turns", size=size, records=records, turns=turns)
                ground.driver.answer()
                costs.append(float(sent["cpu"]) / (turns * records * connections) * 1e6)
        return median(costs[1:])

    def _measure(self, size: int, connections: int) -> float:
        """Return the cheaper way: a reader that is always there suits large records, one with naps small ones."""
        records = max(min(BYTES // size, RECORDS) // connections, 1) * connections
        costs = []
        with self._stage.ground(connections) as ground:
            for nap in NAPS:
                ground.driver.tell("drain", size=size * records, nap=nap)
                sent = ground.floor.ask("pour", size=size, records=records)
                ground.driver.answer()
                costs.append(float(sent["cpu"]) / records * 1e6)
        return min(costs)
