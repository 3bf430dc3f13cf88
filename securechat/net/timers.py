"""Deadlines of many things, cheap to move: one heap entry each, looked at when it comes up."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from itertools import count
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """Something with one deadline. `due` is when it expires, `timer` when its heap entry comes up."""

    due: float
    timer: float


T = TypeVar("T", bound=Timed)


class Timers(Generic[T]):
    """Deadlines in seconds of a monotonic clock. Owned by the thread that uses it.

    Moving a deadline later costs nothing until the old one comes up; so ten thousand idle connections cost
    one look each per idle period.
    """

    __slots__ = ("_heap", "_tie")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._tie = count()

    def set(self, thing: T, when: float) -> None:
        """Make `thing` expire at `when` instead of whenever it would have."""
        thing.due = when
        if when < thing.timer:
            thing.timer = when
            heapq.heappush(self._heap, (when, next(self._tie), thing))

    def forget(self, thing: T) -> None:
        """Never let `thing` expire."""
        thing.due = math.inf

    def next(self) -> float:
        """Return when to look again, infinity where there is nothing."""
        return self._heap[0][0] if self._heap else math.inf

    def expired(self, now: float) -> Iterator[T]:
        """Give everything whose deadline has passed, each once."""
        while self._heap and self._heap[0][0] <= now:
            when, _, thing = heapq.heappop(self._heap)
            if when != thing.timer:
                continue  # a nearer entry took its place
            thing.timer = math.inf
            if thing.due <= now:
                thing.due = math.inf
                yield thing
            elif thing.due < math.inf:
                self.set(thing, thing.due)
