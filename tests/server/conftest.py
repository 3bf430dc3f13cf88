"""What tests of whole server processes need."""

from __future__ import annotations

import pytest
from helpers.process import Serving


@pytest.fixture
def serving(request):
    """Start server processes in `home` or in `place`, also one after the other: serving("--workers", "2")."""
    started = []

    def start(*arguments, code="", place=None):
        started.append(Serving(place or request.getfixturevalue("home").path, *arguments, code=code))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.finish()
