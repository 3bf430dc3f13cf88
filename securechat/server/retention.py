"""How long what was said is kept: looked at by the searcher, between questions."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from securechat.protocol.names import fold
from securechat.storage.log import LogError
from securechat.storage.retention import Pruning
from securechat.storage.search import SearchIndex

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 3600.0
AGAIN_SECONDS: Final = 60.0
"""When it is tried again after the log could not be written."""
PAUSE_SECONDS: Final = 0.005
"""Between two transactions, so that a server that waits for one of its own gets it."""
PATIENCE: Final = 200
"""Milliseconds that a step waits for the sequencer to commit: questions wait with it."""
DAY: Final = 86_400_000


class Retention:
    """Lets go of what is older than `days` (None: of nothing), at once and then every hour.

    Owned by the thread that calls `step`.
    """

    def __init__(self, path: Path, days: int | None) -> None:
        self._path = path
        self._days = days
        self._next = time.monotonic()
        self._pruning: Pruning | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def due(self) -> bool:
        """Whether `step` has something to do."""
        return self._days is not None and (self._pruning is not None or time.monotonic() >= self._next)

    def step(self, index: SearchIndex) -> None:
        """Do a small piece of what is due, in the log and in the index. Raises LogError."""
        if self._days is None or not self.due:
            return
        try:
            if self._pruning is None:
                self._pruning = Pruning(self._path, boundary(self._days), PATIENCE)
            more = self._pruning.step()
            index.forget(self._pruning.done + 1)
        except LogError:
            self._end(AGAIN_SECONDS)
            raise
        if not more:
            if self._pruning.taken:
                log.info("let go of %d entries older than %d days", self._pruning.taken, self._days)
            self._end(EVERY_SECONDS)

    def _end(self, seconds: float = 0) -> None:
        self._next = time.monotonic() + seconds
        if self._pruning is not None:
            self._pruning.close()
            self._pruning = None


def boundary(days: int) -> int:
    """Return the moment (ms since 1970) that many days ago."""
    return time.time_ns() // 1_000_000 - days * DAY


def prune(path: Path, days: int, progress: Callable[[int, int], None]) -> int:
    """Let go of what is older than `days`, beside a running server or without one; return how much that was.

    Raises LogError; what was done until then stays done.
    """
    with Pruning(path, boundary(days)) as pruning, SearchIndex(path, fold, 0, 0) as index:
        while pruning.step():
            index.forget(pruning.done + 1)
            progress(pruning.done, pruning.upto)
            time.sleep(PAUSE_SECONDS)
        index.forget(pruning.done + 1)
        return pruning.taken
