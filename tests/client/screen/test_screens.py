"""The pictures in docs/screens are what the client draws, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_pictures_are_of_this_client(tmp_path):
    """If this fails because the screen was changed: run scripts/screens and look at what it made."""
    subprocess.run(
        [sys.executable, ROOT / "scripts/screens", tmp_path],
        check=True,
        capture_output=True,
        timeout=120,
        env=os.environ,
    )
    made = {path.name: path.read_text() for path in tmp_path.glob("*.svg")}
    kept = {path.name: path.read_text() for path in (ROOT / "docs/screens").glob("*.svg")}
    assert made.keys() == kept.keys()
    assert [name for name in made if made[name] != kept[name]] == []
    readme = (ROOT / "README.md").read_text()
    assert "docs/screens/dark.svg" in readme
