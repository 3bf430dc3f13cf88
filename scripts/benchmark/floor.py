"""What one TLS record costs on this machine, for records of any size: only the encryption and the kernel."""

from __future__ import annotations

from benchmark.driver.clients import RECORD
from benchmark.stage import Stage

CONNECTIONS = 100
BYTES = 128 * 1024 * 1024
RECORDS = 20_000
"""At most so many bytes and records are sent at a time: about a second for all its parts."""
NAPS = (0, 0.002, 0, 0.002)
GRAIN = 64
"""Sizes are rounded to this, so that sizes which are nearly the same are measured once."""


class Floor:
    """Microseconds of CPU for a record, by its size in bytes; each size is measured once in a run."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._known: dict[int, float] = {}

    def record(self, size: float) -> float:
        """Return what sending a record of this size costs."""
        rounded = min(max(round(size / GRAIN), 1) * GRAIN, RECORD)
        if rounded not in self._known:
            self._known[rounded] = self._measure(rounded)
        return self._known[rounded] * size / rounded

    def line(self, line: float, record: float = RECORD) -> float:
        """Return what a line of so many bytes costs at least, where it travels in records of this size."""
        return self.record(record) * line / record

    def _measure(self, size: int) -> float:
        """Return the cheaper way: a reader that is always there suits large records, one with naps small ones."""
        records = max(min(BYTES // size, RECORDS) // CONNECTIONS, 1) * CONNECTIONS
        costs = []
        with self._stage.ground(CONNECTIONS) as ground:
            for nap in NAPS:
                ground.driver.tell("drain", size=size * records, nap=nap)
                sent = ground.floor.ask("pour", size=size, records=records)
                ground.driver.answer()
                costs.append(float(sent["cpu"]) / records * 1e6)
        return min(costs)
