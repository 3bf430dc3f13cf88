"""The sequencer thread: one order for everything (laws 2 and 3).

Each turn takes what has come in, lets the hub decide and apply it, commits all entries at once, and only then
hands the output to the workers. What a turn has gathered so far is in its `ledger`.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final

from securechat.chat.effects import Admit, Ask, Close, Effects, Rehash, Reply
from securechat.chat.hub import Hub
from securechat.chat.labels import Response, label_of
from securechat.chat.people import Session
from securechat.chat.render import error
from securechat.net.connection import Connection, Line
from securechat.net.worker import Worker
from securechat.protocol import numerics
from securechat.protocol.errors import Fault
from securechat.protocol.sasl import Credentials
from securechat.records import EPHEMERAL, Draft, Entry, Kind
from securechat.server import audit
from securechat.server.directory import Directory
from securechat.server.items import Answered, Closed, Item, Lines, Opened
from securechat.server.ledger import Ledger
from securechat.server.outgoing import Outgoing
from securechat.storage.log import Log, LogError

log = logging.getLogger(__name__)

WATCH_SECONDS: Final = 0.5
"""How often the users file is looked at while nothing happens."""


class Sequencer:
    """Drives the hub. Owns it, the log's writing side and the map from connections to sessions.

    Owned by the thread that calls `run`; others call `put` only. `ask(session, credentials)` starts a password
    check elsewhere and says whether there was room for it; its answer comes back as Answered. `store` is the
    log and its last entry. `reload(hub)` reads certificates and message of the day again and returns a sentence if
    that failed.
    """

    def __init__(
        self,
        hub: Hub,
        store: tuple[Log, Entry | None],
        directory: Directory,
        workers: Sequence[Worker],
        ask: Callable[[Session, Credentials], bool],
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
        self._queue: SimpleQueue[Item] = SimpleQueue()
        self._sessions: dict[Connection, Session] = {}
        self._waiting: dict[Session, deque[tuple[list[Line], int]]] = {}
        """Sessions with a question open, and what they said since."""
        self._seq = newest.seq if newest else 0
        self._now = newest.time if newest else 0
        self._run_id = f"{time.time_ns() // 1_000_000:x}{secrets.token_hex(3)}"
        self._turn = Ledger(len(workers))
        self._applying: Entry | None = None
        """The entry that is being applied: if that fails, it is half done."""
        self._response: Response | None = None
        """What gathers the response to a labelled command while it is being decided."""
        self._unkept: list[Draft] = []
        self._failing = False
        self._stopping = False

    def put(self, item: Item) -> None:
        """Queue something for the next turn, from any thread.

        The queue is bounded by what it holds: each connection's unanswered input is (`Limits.inflight_bytes`).
        """
        self._queue.put(item)

    def run(self) -> None:
        """Take turns until stopped, then let go of the log."""
        try:
            self._now = self._hub.now = max(self._now, time.time_ns() // 1_000_000)
            self._hub.restore(self._log.state())
            self._decide(None, "", self._hub.prepare)
            self._log.append(self._turn.entries)
            self._turn = Ledger(len(self._workers))
            while not self._stopping:
                self._take_turn()
        finally:
            self._log.close()

    def _take_turn(self) -> None:
        item: Item | None
        try:
            item = self._queue.get(timeout=WATCH_SECONDS)
        except Empty:
            item = None
        self._now = max(self._now, time.time_ns() // 1_000_000)
        self._hub.now = self._now
        self._begin_turn()
        lines = 0
        while item is not None and not self._stopping:
            lines += len(item.lines) if isinstance(item, Lines) else 1
            self._handle(item)
            if lines >= self._turn_lines:
                break
            try:
                item = self._queue.get_nowait()
            except Empty:
                item = None
        self._end_turn()

    def _begin_turn(self) -> None:
        # Who left is shown leaving before an account that is gone is forgotten, or nobody would be told.
        unkept, self._unkept = self._unkept, []
        for draft in unkept:
            if not self._hub.person(draft.sender).sessions:
                self._decide(None, "", partial(iter, (draft,)))
        self._refresh_accounts()

    def _handle(self, item: Item) -> None:
        if isinstance(item, Lines):
            session = self._sessions.get(item.connection)
            if session is not None:
                self._take(session, item.lines, item.size)
        elif isinstance(item, Opened):
            connection = item.connection
            self._sessions[connection] = self._hub.open(connection, connection.lane, connection.address)
        elif isinstance(item, Closed):
            self._departed(item)
        elif isinstance(item, Answered):
            self._answered(item)
        else:
            self._stop()

    def _take(self, session: Session, lines: list[Line], size: int) -> None:
        """Decide the lines of one session until a question holds it up."""
        held = self._waiting.get(session)
        if held is not None:
            held.append((lines, size))
            return
        for index, line in enumerate(lines):
            self._decide_line(session, line)
            if session.link not in self._sessions:
                return
            if session in self._waiting:
                self._waiting[session].append((lines[index + 1 :], size))
                return
        self._turn.out.credit(session, size)

    def _decide_line(self, session: Session, line: Line) -> None:
        if isinstance(line, Fault):
            self._decide(session, "*", lambda: self._hub.decide(session, line))
            return
        label = label_of(session, line) if line.tags or line.command == "BATCH" else ""
        if label:
            self._response = Response(session, label, self._hub.rules.server)
        self._decide(session, line.command, lambda: self._hub.decide(session, line), label)
        if self._response is not None:
            response, self._response = self._response, None
            self._turn.reply(response.finish())

    def _decide(
        self, session: Session | None, command: str, decision: Callable[[], Effects], label: str = ""
    ) -> None:
        """Carry out a decision. A mistake of ours in it costs this one connection (law 6)."""
        self._turn.begin(session, command, label)
        try:
            self._carry_out(session, decision())
        except LogError:
            raise
        except Exception:
            log.exception("%s of %s failed", command, session.address if session else "the server itself")
            self._recover(session)

    def _carry_out(self, session: Session | None, effects: Effects) -> None:
        """Do what a decision asks for; each draft is applied before the next effect is asked for."""
        for effect in effects:
            if isinstance(effect, Draft):
                self._record(effect, session)
            elif isinstance(effect, Reply):
                self._reply(effect)
            elif isinstance(effect, Close):
                self._close(effect)
            elif isinstance(effect, Ask):
                self._question(effect)
            elif isinstance(effect, Admit):
                self._admit(effect)
            else:
                self._rehashed(effect)

    def _reply(self, reply: Reply) -> None:
        """Add an answer; what belongs to a labelled response waits for the rest of it."""
        left = self._response.take(reply) if self._response is not None else reply
        if isinstance(left, Reply):
            self._turn.reply(left)

    def _record(self, draft: Draft, origin: Session | None) -> None:
        """Give a draft its place in the log and apply it."""
        if draft.kind in EPHEMERAL:
            entry = Entry(0, "", self._now, *draft)
        else:
            self._seq += 1
            entry = Entry(self._seq, f"{self._run_id}-{self._seq:x}", self._now, *draft)
            self._turn.entries.append(entry)
        self._applying = entry
        for output in self._hub.apply(entry, origin):
            left = self._response.take(output) if self._response is not None else output
            if left is not None:
                self._turn.show(left)
        self._applying = None

    def _recover(self, session: Session | None) -> None:
        """Go on after a failure of ours. An entry that was only half applied never was.

        What came before it is kept and shown; then the hub is built anew from the log. If that fails too, the
        thread ends, and with it, loudly, the server.
        """
        self._response = None
        half, self._applying = self._applying, None
        if half is not None:
            if half.seq:
                self._turn.entries.pop()
                self._seq -= 1
            self._end_turn()
            self._hub.restore(list(self._log.state()))
        if session is None:
            return
        person = session.person
        if session.link not in self._sessions:
            # It failed while it was leaving: it has left all the same.
            if person is not None and session in person.sessions:
                person.sessions.remove(session)
                person.devices_changed()
                self._unkept += [] if person.sessions else [Draft(Kind.OFFLINE, "", person.name, "Internal error")]
        else:
            self._turn.begin(session, "QUIT")
            self._carry_out(session, self._hub.depart(session, "Internal error"))
            self._close(Close(session, error("Internal error: the server has logged it"), "internal error"))

    def _admit(self, admit: Admit) -> None:
        session = admit.session
        audit.login(session)
        self._turn.arrived.append(session)
        self._turn.out.admit(session)

    def _rehashed(self, rehash: Rehash) -> None:
        """Read again what an administrator may have changed, and say how that went."""
        log.info("rehash by %s", rehash.session.nick)
        trouble = self._directory.check() or self._reload(self._hub)
        self._check_accounts = True
        shown = trouble or "Users, certificates and message of the day have been read again"
        self._reply(self._hub.numeric(rehash.session, numerics.RPL_REHASHING, "securechat", text=(shown,)))

    def _question(self, ask: Ask) -> None:
        self._waiting[ask.session] = deque()
        if not self._ask(ask.session, ask.credentials):
            text = "Too many logins at once: try again in a moment"
            self._close(Close(ask.session, error(text), "too many logins at once"))

    def _answered(self, answer: Answered) -> None:
        session = answer.session
        held = self._waiting.pop(session, None)
        if held is None or session.link not in self._sessions:
            return
        if answer.account is None:
            audit.refused(session, answer.why)
        self._decide(session, "AUTHENTICATE", lambda: self._hub.answer(session, answer.account))
        for lines, size in held:
            if session.link in self._sessions:
                self._take(session, lines, size)

    def _departed(self, item: Closed) -> None:
        session = self._sessions.pop(item.connection, None)
        if session is None:
            return
        self._waiting.pop(session, None)
        audit.left(session, item.reason)
        self._decide(session, "QUIT", lambda: self._hub.depart(session, item.reason.capitalize()))

    def _close(self, close: Close) -> None:
        session = close.session
        if self._sessions.pop(session.link, None) is None:
            return
        self._waiting.pop(session, None)
        audit.left(session, close.reason)
        self._turn.close(close)

    def _end_turn(self) -> None:
        """Commit what was decided, then let the output go; or take the turn back."""
        out = self._turn.out
        if self._turn.entries:
            try:
                self._log.append(self._turn.entries)
            except LogError as failure:
                out = self._take_back(failure)
            else:
                if self._failing:
                    log.info("the log can be written again")
                self._failing = False
        for lane, work in out.turns():
            self._workers[lane].post(work)
        self._turn = Ledger(len(self._workers))

    def _take_back(self, failure: LogError) -> Outgoing:
        """Make the turn not have happened and return what goes out instead.

        Who came in this turn has to come again; who left has left, and is shown leaving once that can be kept.
        The hub goes back to what the log says: if even that cannot be read, the LogError ends the thread.
        """
        if not self._failing:
            log.error("%s Nothing is accepted until then.", failure)
        self._failing = True
        entries, arrived = self._turn.entries, self._turn.arrived
        self._seq -= len(entries)
        self._unkept += [Draft(*entry[3:]) for entry in entries if entry.kind is Kind.OFFLINE]
        self._check_accounts = True
        for session in arrived:
            if session.person is not None:
                self._hub.apply(Entry(0, "", self._now, Kind.DETACH, "", session.person.name), session)
            self._close(Close(session, error("The server cannot store anything now"), "log failed"))
        self._hub.restore(list(self._log.state()))
        return self._turn.refused(self._hub.rules.server)

    def _refresh_accounts(self) -> None:
        """Take in the users file if it changed, or if what followed from the last change was not kept."""
        if self._directory.refresh() or self._check_accounts:
            self._check_accounts = False
            self._decide(None, "", lambda: self._hub.accounts_changed(self._directory.accounts))

    def _stop(self) -> None:
        """Make this turn the last. The workers bid farewell: they also know who came in behind this order."""
        self._stopping = True
        for session in self._sessions.values():
            audit.left(session, "server stopped")
