"""When the searcher brings its index up to date: while little is said, or before much of it is missing."""

from __future__ import annotations

import pytest

from securechat.server import reader
from securechat.server.reader import BUSY, IDLE_SECONDS, MORE_SECONDS, Searcher
from securechat.storage.search import MOST_BEHIND

CHUNK = int(BUSY * IDLE_SECONDS)
"""What may be said between two looks of a quiet time."""
SOON = int(BUSY * MORE_SECONDS)
"""And between two pieces of work."""


class Index:
    """Counts what is done to it. `looks` are the log's newest entry and how far the index has come, each time."""

    def __init__(self, *looks: tuple[int, int]) -> None:
        self._looks = list(looks)
        self.steps: list[int] = []

    def newest(self) -> int:
        self.now, self._done = self._looks.pop(0)
        return self.now

    def behind(self) -> int:
        return self.now - self._done

    def step(self) -> bool:
        self.steps.append(self.now)
        return bool(self._looks) and self._looks[0][1] > 0


class Retention:
    due = False


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Lets a searcher look so often; the time that it waits in between passes at once."""
    clock = [0.0]
    monkeypatch.setattr(reader.time, "monotonic", lambda: clock[0])

    def looking(*looks):
        searcher = Searcher(tmp_path / "chat.db", 1000, 1, 1)
        index, waits = Index(*looks), []

        def get(timeout):
            if not index._looks:
                return
            waits.append(timeout)
            clock[0] += timeout
            raise reader.Empty

        monkeypatch.setattr(searcher._jobs, "get", get)
        assert searcher._next(index, Retention()) is None
        return index.steps, waits

    return looking


@pytest.mark.parametrize(
    ("looks", "steps"),
    [
        ([0, 10, 20], [0, 10, 20]),
        ([0, CHUNK, 2 * CHUNK], [0, CHUNK, 2 * CHUNK]),
        ([CHUNK + 1, CHUNK + 1], [CHUNK + 1]),
        ([2 * CHUNK, 5 * CHUNK, 9 * CHUNK, 9 * CHUNK + 5], [9 * CHUNK + 5]),
        ([0, MOST_BEHIND // 2 - 1, MOST_BEHIND // 2], [0, MOST_BEHIND // 2]),
        ([0, MOST_BEHIND + 1], [0, MOST_BEHIND + 1]),
    ],
)
def test_a_busy_chat_comes_first(run, looks, steps):
    found, waits = run(*((newest, 0) for newest in looks))
    assert found == steps
    assert waits == [IDLE_SECONDS] * len(looks)


def test_one_that_becomes_busy_while_it_works_comes_first_too(run):
    """Between two pieces of work less may be said; then all rests for as long as in an idle time."""
    little = 100 + SOON - 1
    steps, waits = run((100, 0), (little, 50), (little + SOON + 1, 60), (201, 60), (1500, 80))
    assert steps == [100, little, 201]
    assert waits == [IDLE_SECONDS, MORE_SECONDS, MORE_SECONDS, IDLE_SECONDS, MORE_SECONDS]


def test_not_where_too_much_is_missing(run):
    steps, _ = run((100, 0), (40_000, 50), (80_000, 2000))
    assert steps == [100, 40_000, 80_000]
