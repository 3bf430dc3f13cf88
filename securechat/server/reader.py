"""The reader thread: answers questions about the log beside the sequencer, one after the other."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, Final

from securechat.chat.people import Session
from securechat.protocol.names import fold
from securechat.records import Lookup, Missed, Page, Question, Search, Targets, Unanswered
from securechat.server.items import Answered
from securechat.storage.history import SqliteHistory, UnknownPlace
from securechat.storage.log import LogError
from securechat.storage.search import SearchIndex, TooSlow

log = logging.getLogger(__name__)

STOP_SECONDS: Final = 10.0
"""How long stopping waits for a place in the queue."""
IDLE_SECONDS: Final = 5.0
"""How long nothing is asked before the search index is brought up to date."""
MORE_SECONDS: Final = 0.02
"""The pause between two pieces of that."""
_UNREADABLE: Final = Unanswered("UNREADABLE", "The log cannot be read now: try again later")


class Reader:
    """Reads the log in `path`. `run` is the body of its thread; `submit` and `stop` may be called from any thread.

    Owned by that thread: the read-only view of the log and the search index beside it. `most_bytes` bounds an
    answer, `seconds` a search, `waiting` the queue.
    """

    def __init__(self, path: Path, most_bytes: int, seconds: float, waiting: int) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._jobs: Queue[tuple[Session, Question] | None] = Queue(waiting)
        self.answer: Callable[[Answered], None] = lambda _: None

    def submit(self, session: Session, question: Question) -> bool:
        """Queue a question; False when too many wait already."""
        try:
            self._jobs.put_nowait((session, question))
        except Full:
            return False
        return True

    def stop(self) -> None:
        """End `run` after the questions that wait."""
        with contextlib.suppress(Full):  # then it is dead, and nobody takes anything any more
            self._jobs.put(None, timeout=STOP_SECONDS)

    def run(self) -> None:
        """Answer until stopped."""
        with (
            SqliteHistory(self._path, self._most_bytes) as history,
            SearchIndex(self._path, fold, self._most_bytes, self._seconds) as index,
        ):
            answers: dict[type, Callable[[Any], Any]] = {
                Page: history.page,
                Targets: history.targets,
                Missed: history.missed,
                Lookup: history.lookup,
                Search: index.search,
            }
            while (job := self._next(index)) is not None:
                session, question = job
                self.answer(Answered(session, self._answer(answers[type(question)], question)))

    def _next(self, index: SearchIndex) -> tuple[Session, Question] | None:
        """Wait for a question, and index meanwhile what is new: a piece at a time, for questions come first."""
        patience = IDLE_SECONDS
        while True:
            try:
                return self._jobs.get(timeout=patience)
            except Empty:
                patience = MORE_SECONDS if self._answer(lambda _: index.step(), None) is True else IDLE_SECONDS

    def _answer(self, find: Callable[[Any], Any], question: Question | None) -> Any:
        try:
            return find(question)
        except UnknownPlace as unknown:
            return Unanswered("UNKNOWN_PLACE", str(unknown))
        except TooSlow as slow:
            return Unanswered("TOO_SLOW", str(slow))
        except LogError as failure:
            log.error("%s", failure)  # noqa: TRY400  # the disk's fault: one sentence for the operator, as elsewhere
        except Exception:
            log.exception("answering %s failed", type(question).__name__)
        return _UNREADABLE
