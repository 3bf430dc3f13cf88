"""Threads that must not die in silence."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class CoreThread(threading.Thread):
    """A thread without which the server is worth nothing: if `body` fails, `on_failure` is called (law 6)."""

    def __init__(self, name: str, body: Callable[[], None], on_failure: Callable[[], None]) -> None:
        super().__init__(name=name)
        self._body = body
        self._on_failure = on_failure

    def run(self) -> None:
        """Run the body to its end."""
        try:
            self._body()
        except BaseException:
            log.critical("thread %s died; the server stops", self.name, exc_info=True)
            self._on_failure()
