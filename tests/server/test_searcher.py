"""When the searcher brings its index up to date: while little is said, or before much of it is missing."""

from __future__ import annotations

import pytest

from securechat.server import reader
from securechat.server.reader import Searcher
from securechat.storage.search import CHUNK, MOST_BEHIND


class Index:
    """Counts what is done to it. `behind_at` has how far it is behind at each look."""

    def __init__(self, *behind_at: int) -> None:
        self._behind_at = list(behind_at)
        self.steps: list[int] = []

    def behind(self) -> int:
        self.now = self._behind_at.pop(0)
        return self.now

    def step(self) -> bool:
        self.steps.append(self.now)
        return False


class Retention:
    due = False


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
def test_a_busy_chat_comes_first(tmp_path, monkeypatch, looks, steps):
    monkeypatch.setattr(reader, "IDLE_SECONDS", 0.001)
    searcher = Searcher(tmp_path / "chat.db", 1000, 1, 1)
    index = Index(*looks)
    behind = index.behind

    def last_look():
        if len(index._behind_at) == 1:
            searcher.stop()
        return behind()

    index.behind = last_look
    assert searcher._next(index, Retention()) is None
    assert index.steps == steps
