"""What all threads that answer questions share: a bounded queue, and where the answers go."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from queue import Full, Queue
from typing import Final, Generic, TypeVar

from securechat.chat.people import Session
from securechat.server.items import Answered

STOP_SECONDS: Final = 10.0
"""How long stopping waits for a place in the queue."""

Q = TypeVar("Q")


class Answering(Generic[Q]):
    """Questions of one sort that wait for their threads, `threads` of them, each in a `run` of its own.

    Owns nothing but its queue; `submit` and `stop` may be called from any thread. `answer` takes the answers.
    """

    def __init__(self, waiting: int, threads: int = 1) -> None:
        self._jobs: Queue[tuple[Session, Q] | None] = Queue(waiting)
        self._threads = threads
        self.answer: Callable[[Answered], None] = lambda _: None

    def submit(self, session: Session, question: Q) -> bool:
        """Queue a question; False when too many wait already."""
        try:
            self._jobs.put_nowait((session, question))
        except Full:
            return False
        return True

    def stop(self) -> None:
        """End every thread in `run` after the questions that wait."""
        with contextlib.suppress(Full):  # then they are dead, and nobody takes anything any more
            for _ in range(self._threads):
                self._jobs.put(None, timeout=STOP_SECONDS)
