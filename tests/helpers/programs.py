"""Other people's programs in tests: their settings files, and waiting for what they do."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 30.0
"""Only ever reached when something is broken."""
PAUSE = 0.02


def write_private(path: Path, text: str) -> None:
    """Make a file that holds a password: 0600 from the moment it exists."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def until(done: Callable[[], bool], what: str) -> None:
    """Wait until `done()` is true."""
    deadline = time.monotonic() + SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {SECONDS:.0f} s")
        time.sleep(PAUSE)


def until_seen(read: Callable[[], str], pattern: str) -> re.Match[str]:
    """Wait until `pattern` is found in what `read()` returns (^ and $ are those of a line)."""
    deadline = time.monotonic() + SECONDS
    while not (found := re.search(pattern, text := read(), re.MULTILINE)):
        if time.monotonic() > deadline:
            raise AssertionError(f"no {pattern!r} in:\n{text}")
        time.sleep(PAUSE)
    return found
