"""The shape this project began with: a thread per client."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from running import READY, program

from benchmark.contenders import Place, Running


class Baseline:
    """What is in ../baseline_server.py: Python, no logins; keeps nothing."""

    name = "thread per client"
    keeps = False
    fast = False
    ordered = True
    capabilities: frozenset[str] = frozenset()

    def version(self) -> str:
        """Return the Python that runs it."""
        return f"Python {platform.python_version()}"

    @contextmanager
    def serve(self, place: Place, clients: int) -> Iterator[Running]:
        """Run it; it has no limits."""
        del clients
        command = [sys.executable, "-m", "benchmark.baseline_server", str(place.certificate), str(place.key)]
        with program(self.name, command, place.folder / "baseline.log") as server:
            yield Running(server, int(server.wait_for(READY)[1]), place.authority)

    def kept(self, place: Place) -> int | None:
        """Return None: it has no log."""
        del place
        return None
