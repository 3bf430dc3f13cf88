"""Where and with what the figures were taken."""

from __future__ import annotations

import os
import platform
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path


def cpu_model() -> str:
    """Return what the processor calls itself."""
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()


def describe(versions: Mapping[str, str]) -> dict[str, object]:
    """Return the machine, the moment and the contenders' versions."""
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "date": datetime.now(UTC).date().isoformat(),
        "versions": dict(versions),
    }
