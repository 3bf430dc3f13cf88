"""A worker and its listener without a server behind them."""

from __future__ import annotations

import pytest
from helpers.lane import Lane


@pytest.fixture
def lane(model_home):
    """Start lanes: lane(handshake_seconds=0.2, ...) takes limits; see helpers.lane.Lane."""
    lanes = []

    def start(**how) -> Lane:
        lanes.append(Lane(model_home.certs, **how))
        return lanes[-1]

    yield start
    for one in lanes:
        one.hang_up()
        one.stop()
