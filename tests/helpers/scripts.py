"""Running what is in scripts/ as people do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS = 120
"""Only ever reached when something is broken."""
KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")


def environment(**more):
    """Return variables for a script: the environment of these tests, and nothing set by whoever runs them."""
    own = {name: value for name, value in os.environ.items() if name in KEPT}
    return (
        own | {"SECURECHAT_VENV": sys.prefix, "TERM": "dumb"} | {name: str(value) for name, value in more.items()}
    )


def run(script, *words, **variables):
    """Run a script without a terminal to its end."""
    return subprocess.run(
        [script, *words],
        env=environment(**variables),
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
