"""The sequencer thread: one order for everything (laws 2 and 3).

Each turn takes what has come in, lets the hub decide and apply it, commits all entries at once, and only then
hands the output to the workers and the questions to those who answer them. What a turn has gathered so far is in
its `ledger`; the sessions and what becomes of their lines are the `desk`'s.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final

from securechat.chat import admin, devices
from securechat.chat.effects import Close
from securechat.chat.hub import Hub
from securechat.chat.people import Session
from securechat.chat.render import error
from securechat.net.worker import Worker
from securechat.protocol.lines import size
from securechat.records import Entry, Kind, Unanswered
from securechat.server import audit
from securechat.server.desk import Desk
from securechat.server.directory import Directory
from securechat.server.items import Answered, Closed, Item, Lines, Notice, Opened, Reread
from securechat.server.ledger import Ledger
from securechat.server.outgoing import Outgoing
from securechat.storage.log import Log, LogError

log = logging.getLogger(__name__)

WATCH_SECONDS: Final = 0.5
"""How often the users file is looked at while nothing happens."""
RUSH_LINES: Final = 32
"""After a turn with so many lines the next one waits for more: they share a commit and leave in fuller records."""
GATHER_SECONDS: Final = 0.001
"""How long it waits then. A thousand turns a second are enough; where less is said, nothing ever waits."""
KEYS_MILLISECONDS: Final = 24 * 60 * 60 * 1000
"""How far back idempotency keys are known without asking the log."""
BUSY: Final = Unanswered("BUSY", "The server has too much to do: try again in a moment")


class Sequencer:
    """Takes the turns. Owns hub and desk, and the log's writing side. Implements `desk.Driver`.

    Owned by the thread that calls `run`; others call `put` only. `ask(session, question)` has a question answered
    elsewhere and says whether there was room for it; its answer comes back as Answered. `store` is the log and
    its last entry. `reload(hub)` reads certificates and message of the day again; it returns a sentence if that
    failed.
    """

    def __init__(
        self,
        hub: Hub,
        store: tuple[Log, Entry | None],
        directory: Directory,
        workers: Sequence[Worker],
        ask: Callable[[Session, Any], bool],
        reload: Callable[[Hub], str],
        turn_lines: int,
    ) -> None:
        self._hub = hub
        self._log, newest = store
        self._directory = directory
        self._check_accounts = True
        self._workers = workers
        self._ask = ask
        self._reload = reload
        self._turn_lines = turn_lines
        self._queue: SimpleQueue[tuple[Item, ...]] = SimpleQueue()
        self._next: deque[Item] = deque()
        """What was taken out of the queue."""
        self.turn = Ledger(len(workers))
        self._desk = Desk(hub, newest, self)
        self._failing = False
        self._rush = False
        """The turn before had many lines."""
        self._stopping = False

    def put(self, *items: Item) -> None:
        """Queue something for the next turn, from any thread; what comes together is dealt with in one.

        The queue is bounded by what it holds: each connection's unanswered input is (`Limits.inflight_bytes`).
        """
        self._queue.put(items)

    def run(self) -> None:
        """Take turns until stopped, then let go of the log."""
        try:
            self._tell_time()
            self.restore()
            self._desk.decide(None, "", self._hub.prepare)
            self._log.append(self.turn.entries)
            self.turn = Ledger(len(self._workers))
            while not self._stopping:
                self._take_turn()
        finally:
            self._log.close()

    def _tell_time(self) -> None:
        # A clock that is set back must not put an entry before an older one.
        self._desk.now = self._hub.now = max(self._desk.now, time.time_ns() // 1_000_000)

    def _take_turn(self) -> None:
        more = self._more(WATCH_SECONDS)
        if self._rush and more:
            time.sleep(GATHER_SECONDS)
        self._tell_time()
        self._begin_turn()
        lines = 0
        while more and not self._stopping and lines < self._turn_lines:
            item = self._next.popleft()
            lines += size(item.lines) if isinstance(item, Lines) else 1
            self._handle(item)
            more = self._more()
        self._rush = RUSH_LINES <= lines < self._turn_lines  # what is too much for one turn is there already
        self.end_turn()

    def _more(self, seconds: float = 0) -> bool:
        """Whether there is something to do, at the latest in so many seconds."""
        if not self._next:
            try:
                self._next += self._queue.get(bool(seconds), seconds)
            except Empty:
                return False
        return bool(self._next)

    def _begin_turn(self) -> None:
        # Who left is shown leaving before an account that is gone is forgotten, or nobody would be told.
        desk = self._desk
        unkept, desk.unkept = desk.unkept, []
        for draft in unkept:
            if not self._hub.person(draft.sender).sessions:
                desk.decide(None, "", partial(iter, (draft,)))
        self._refresh_accounts()
        desk.decide(None, "", self._hub.confirm)

    def _handle(self, item: Item) -> None:
        if isinstance(item, Lines):
            session = self._desk.sessions.get(item.connection)
            if session is not None:
                self._desk.take(session, item.lines, item.size)
        elif isinstance(item, Opened):
            self._desk.opened(item)
        elif isinstance(item, Closed):
            self._desk.departed(item)
        elif isinstance(item, Answered):
            self._desk.answered(item)
        elif isinstance(item, Reread):
            self._reread(item.why)
        elif isinstance(item, Notice):
            self._desk.decide(None, "", partial(admin.notice, self._hub, item.text))
        else:
            self._stop()

    def _reread(self, why: str) -> None:
        """Read everything again. What cannot be used is told, and what was before stays in force."""
        trouble = self.rehash()
        if trouble:
            log.error("%s: %s What was read before stays in force.", why, trouble)
            self._desk.decide(None, "", partial(admin.notice, self._hub, trouble))
        else:
            log.info("%s: users, certificates and message of the day have been read again", why)

    def end_turn(self) -> None:
        """Commit what was decided, then let the output go; or take the turn back."""
        out, questions = self.turn.out, self.turn.questions
        if self.turn.entries:
            try:
                self._log.append(self.turn.entries, self.turn.bursts)
            except LogError as failure:
                out = self._take_back(failure)
            else:
                if self._failing:
                    log.info("the log can be written again")
                self._failing = False
        for lane, work in out.turns():
            self._workers[lane].post(work)
        for ask in questions:
            if not self._ask(ask.session, ask.question):
                self.put(Answered(ask.session, BUSY))
        self.turn = Ledger(len(self._workers))

    def _take_back(self, failure: LogError) -> Outgoing:
        """Make the turn not have happened and return what goes out instead.

        Who came in this turn has to come again; who left has left, and is shown leaving once that can be kept.
        The hub goes back to what the log says: if even that cannot be read, the LogError ends the thread.
        """
        if not self._failing:
            log.error("%s Nothing is accepted until then.", failure)
        self._failing = True
        entries, arrived, desk = self.turn.entries, self.turn.arrived, self._desk
        desk.seq -= sum(1 for entry in entries if entry.seq)
        desk.tails.clear()
        desk.unkept += [entry.draft for entry in entries if entry.kind is Kind.OFFLINE]
        self._check_accounts = True
        for session in arrived:
            if session.person is not None:
                self._hub.apply(Entry(0, "", desk.now, Kind.DETACH, "", session.person.name), session)
            desk.close(Close(session, error("The server cannot store anything now"), "log failed"))
        self.restore()
        return self.turn.refused(self._hub.rules.server)

    def restore(self) -> None:
        """Build the hub anew from the log. Raises LogError."""
        keyed = self._log.keyed(self._desk.now - KEYS_MILLISECONDS, self._hub.rules.limits.keys)
        self._hub.restore(self._desk.seq, list(self._log.state()), list(self._log.latest()), keyed)

    def number(self, conversation: str) -> int:
        """Return the number of the newest entry of a conversation in the log."""
        return self._log.number(conversation)

    def rehash(self) -> str:
        """Read again what an administrator may have changed; return a sentence if that failed."""
        self._check_accounts = True
        return self._directory.check() or self._reload(self._hub)

    def _refresh_accounts(self) -> None:
        """Take in the users file if it changed, or if what followed from the last change was not kept."""
        if self._directory.refresh() or self._check_accounts:
            self._check_accounts = False
            self._desk.decide(None, "", lambda: self._hub.accounts_changed(self._directory.accounts))
            for session in devices.revoked(self._hub):
                self._desk.decide(session, "", partial(devices.end, self._hub, session))

    def _stop(self) -> None:
        """Make this turn the last. The workers bid farewell: they also know who came in behind this order."""
        self._stopping = True
        for session in self._desk.sessions.values():
            audit.left(session, "server stopped")
