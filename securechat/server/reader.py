"""Threads that answer questions about the log beside the sequencer: one for history, one for searching.

They are two because a search can take as long as it may, and a login waits for what its device has missed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any, Final, TypeVar

from securechat.chat.people import Session
from securechat.protocol.names import fold
from securechat.records import Lookup, Missed, Page, Question, Search, Targets, Unanswered
from securechat.server.answering import Answering
from securechat.server.items import Answered
from securechat.server.retention import Retention
from securechat.storage.history import SqliteHistory, UnknownPlace
from securechat.storage.log import LogError
from securechat.storage.search import MOST_BEHIND, SearchIndex, TooSlow

Q = TypeVar("Q")

log = logging.getLogger(__name__)

IDLE_SECONDS: Final = 5.0
"""How long nothing is asked before the search index is brought up to date."""
MORE_SECONDS: Final = 0.02
"""The pause between two pieces of that."""
BUSY: Final = 400
"""Entries a second from which on a chat is busy."""
_UNREADABLE: Final = Unanswered("UNREADABLE", "The log cannot be read now: try again later")


class _Careful(Answering[Q]):
    """Answering where a failure costs one question and no more."""

    def __init__(self, waiting: int) -> None:
        super().__init__(waiting)
        self._told: dict[str, str] = {}

    def _try(self, find: Callable[..., Any], *question: Any) -> Any:
        """Return what `find` gives, or why there is no answer."""
        try:
            found = find(*question)
            self._told.pop(find.__name__, None)
            return found
        except UnknownPlace as unknown:
            return Unanswered("UNKNOWN_PLACE", str(unknown))
        except TooSlow as slow:
            return Unanswered("TOO_SLOW", str(slow))
        except LogError as failure:
            # The disk's fault: one sentence for the operator, and not again at each question of that sort.
            if str(failure) != self._told.get(find.__name__):
                log.error("%s", failure)  # noqa: TRY400
            self._told[find.__name__] = str(failure)
        except Exception:
            log.exception("answering a question failed")
        return _UNREADABLE


class Reader(_Careful[Question]):
    """Answers what is asked of the history of the log in `path`; `most_bytes` bounds the text in one answer.

    `run` is the body of its thread, which owns the read-only view of the log.
    """

    def __init__(self, path: Path, most_bytes: int, waiting: int) -> None:
        super().__init__(waiting)
        self._path = path
        self._most_bytes = most_bytes

    def run(self) -> None:
        """Answer until stopped."""
        with SqliteHistory(self._path, self._most_bytes) as history:
            answers: dict[type, Callable[[Any], Any]] = {
                Page: history.page,
                Targets: history.targets,
                Missed: history.missed,
                Lookup: history.lookup,
            }
            while (job := self._jobs.get()) is not None:
                session, question = job
                self.answer(Answered(session, self._try(answers[type(question)], question)))


class Searcher(_Careful[Search]):
    """Searches the log in `path`; `seconds` bounds one search and `most_bytes` its answer.

    `run` is the body of its thread, which owns the search index. Between searches it keeps that up to date, and
    lets go of what is older than `days` in both.
    """

    def __init__(self, path: Path, most_bytes: int, seconds: float, waiting: int, days: int | None = None) -> None:
        super().__init__(waiting)
        self._days = days
        self._path = path
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._looked = (time.monotonic(), 0)
        """When the log was looked at, and its newest entry then."""

    def run(self) -> None:
        """Search until stopped."""
        with (
            SearchIndex(self._path, fold, self._most_bytes, self._seconds) as index,
            Retention(self._path, self._days) as retention,
        ):
            while (job := self._next(index, retention)) is not None:
                session, search = job
                self.answer(Answered(session, self._try(index.search, search)))

    def _next(self, index: SearchIndex, retention: Retention) -> tuple[Session, Search] | None:
        """Wait for a question, and meanwhile index what is new and let go of what is old.

        A piece at a time, for questions come first; and while much is said, that comes first, too.
        """
        more = False
        while True:
            try:
                return self._jobs.get(timeout=MORE_SECONDS if more or retention.due else IDLE_SECONDS)
            except Empty:
                if retention.due:
                    self._try(retention.step, index)
                else:
                    more = not self._try(self._busy, index) and self._try(index.step) is True

    def _busy(self, index: SearchIndex) -> bool:
        """Whether so much has been said since the last look that the index may wait, and not too much for that.

        A search waits for what is left to index: of the most that it would wait for, half may gather.
        """
        (then, before), self._looked = self._looked, (time.monotonic(), index.newest())
        now, newest = self._looked
        return newest - before > BUSY * (now - then) and index.behind() < MOST_BEHIND // 2
