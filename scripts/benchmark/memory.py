"""What another process has in memory. Linux only."""

from __future__ import annotations

import re
from pathlib import Path


def memory(pid: int) -> tuple[float, float]:
    """Return RSS and PSS (pages shared with others counted by halves, thirds, ...) in KiB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    rss, pss = (re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE) for name in ("Rss", "Pss"))
    assert rss is not None
    assert pss is not None
    return float(rss[1]), float(pss[1])
