"""While much is said a turn waits a moment for more; while little is said nothing waits."""

from __future__ import annotations

import pytest
from helpers.house import account
from helpers.memory import MemoryLog

from securechat.chat.hub import Hub
from securechat.chat.rules import Rules
from securechat.config import Limits
from securechat.server import sequencer
from securechat.server.items import Lines
from securechat.server.sequencer import GATHER_SECONDS, RUSH_LINES, Sequencer

MOST = 100
"""Lines in one turn."""


class Directory:
    """Accounts that never change."""

    def __init__(self):
        self.accounts = {"alice": account("alice")}

    def refresh(self):
        return False


@pytest.fixture
def turns(monkeypatch):
    """Takes a turn with so many lines (of a connection that is gone); tells for how long it has waited."""
    waits = []
    monkeypatch.setattr(sequencer, "WATCH_SECONDS", 0.001)
    monkeypatch.setattr(sequencer.time, "sleep", waits.append)
    rules = Rules(server="s.example", limits=Limits(), lobby="#lobby", started="today")
    directory = Directory()
    hub = Hub(rules, directory.accounts, 0)
    owner = Sequencer(hub, (MemoryLog(), None), directory, [], lambda *_: True, lambda _: "", MOST)

    def take(*lines):
        if lines:
            owner.put(*(Lines(None, [None] * count, 0) for count in lines))
        waits.clear()
        owner._take_turn()
        return sum(waits)

    return take


def test_after_many_lines_the_next_turn_waits_once(turns):
    assert turns(RUSH_LINES) == 0
    assert turns(1) == GATHER_SECONDS
    assert turns(1) == 0


def test_it_goes_on_as_long_as_the_rush(turns):
    assert turns(1, RUSH_LINES) == 0
    assert [turns(RUSH_LINES // 2, RUSH_LINES // 2) for _ in range(3)] == [GATHER_SECONDS] * 3
    assert turns(RUSH_LINES - 1) == GATHER_SECONDS
    assert turns(RUSH_LINES) == 0


def test_a_few_lines_never_wait(turns):
    assert [turns(RUSH_LINES - 1) for _ in range(3)] == [0] * 3


def test_nothing_waits_where_nothing_came(turns):
    turns(RUSH_LINES)
    assert turns() == 0
    assert turns(1) == 0


def test_what_was_too_much_for_one_turn_does_not_wait(turns):
    assert turns(MOST, 7) == 0
    assert turns() == 0
