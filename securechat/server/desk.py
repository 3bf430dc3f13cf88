"""Carries out what the hub decides: entries get their place, output and questions go into the turn's ledger."""

from __future__ import annotations

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, Protocol

from securechat.chat import burst
from securechat.chat.conversations import conversation
from securechat.chat.effects import Admit, Ask, Burst, Close, Effects, Refused, Rehash, Reply
from securechat.chat.hub import Hub
from securechat.chat.labels import Response, label_of
from securechat.chat.people import Session
from securechat.chat.render import error
from securechat.net.connection import Connection
from securechat.protocol import numerics
from securechat.protocol.errors import Fault
from securechat.protocol.lines import Line, Texts
from securechat.protocol.message import Message
from securechat.records import EPHEMERAL, LATEST, SAID, Draft, Entry, Kind, alike
from securechat.server import audit
from securechat.server.items import Answered, Closed, Opened
from securechat.server.ledger import Ledger
from securechat.storage.log import LogError

log = logging.getLogger(__name__)

TAILS: Final = 20_000
"""Conversations whose newest number is remembered; with more, they are read from the log again."""


class Driver(Protocol):
    """What the desk needs of whoever takes the turns."""

    @property
    def turn(self) -> Ledger:
        """The books of this turn."""

    def end_turn(self) -> None:
        """Commit what was decided so far and begin a new turn."""

    def restore(self) -> None:
        """Build the hub anew from the log."""

    def number(self, conversation: str) -> int:
        """Return the number of the newest entry of a conversation in the log."""

    def rehash(self) -> str:
        """Read again what an administrator may have changed; return a sentence if that failed."""


class Waiting(NamedTuple):
    """A session with a question open: what follows, for which line, and what was said since."""

    ask: Ask
    command: str
    label: str
    response: Response | None
    held: deque[tuple[list[Line], int]]


class Desk:
    """The sessions and what becomes of their lines. Owned by the sequencer thread.

    `seq` and `now` are those of the newest entry; `driver` takes the turns.
    """

    def __init__(self, hub: Hub, newest: Entry | None, driver: Driver) -> None:
        self._hub = hub
        self._driver = driver
        self.sessions: dict[Connection, Session] = {}
        self._waiting: dict[Session, Waiting] = {}
        self.seq = newest.seq if newest else 0
        self.now = newest.time if newest else 0
        self._run = f"{time.time_ns() // 1_000_000:x}{secrets.token_hex(3)}"
        self.tails: dict[str, int] = {}
        """The number of the newest entry by conversation, as far as it is known."""
        self.unkept: list[Draft] = []
        """Departures that could not be kept yet."""
        self._applying: list[Entry] = []
        """The entries that are being applied: if that fails, they are half done."""
        self._response: Response | None = None
        """What gathers the response to a labelled command while it is being decided."""

    def opened(self, item: Opened) -> None:
        """Begin a session."""
        connection = item.connection
        self.sessions[connection] = self._hub.open(
            connection, connection.lane, connection.address, connection.certificate
        )

    def departed(self, item: Closed) -> None:
        """End the session of a connection that is gone."""
        session = self.sessions.pop(item.connection, None)
        if session is None:
            return
        self._waiting.pop(session, None)
        audit.left(session, item.reason)
        self.decide(session, "QUIT", lambda: self._hub.depart(session, item.reason.capitalize()))

    def close(self, close: Close) -> None:
        """End a session from our side."""
        session = close.session
        if self.sessions.pop(session.link, None) is None:
            return
        self._waiting.pop(session, None)
        audit.left(session, close.reason)
        self._driver.turn.close(close)

    def take(self, session: Session, lines: list[Line], size: int) -> None:
        """Decide the lines of one session until a question holds it up."""
        waiting = self._waiting.get(session)
        if waiting is not None:
            waiting.held.append((lines, size))
            return
        left = deque(lines)
        while left:
            line = left.popleft()
            if not isinstance(line, Texts):
                self._decide_line(session, line)
            elif (found := self._find_burst(session, line)) is not None:
                self.decide(session, line.command, partial(iter, (found,)), times=len(line.texts))
            else:
                left.extendleft(reversed([*line.messages()]))
            if session.link not in self.sessions:
                return
            if session in self._waiting:
                self._waiting[session].held.append(([*left], size))
                return
        self._driver.turn.out.credit(session, size)

    def answered(self, item: Answered) -> None:
        """Go on with what a session's question was for, and then with what it has said since."""
        session = item.session
        waiting = self._waiting.pop(session, None)
        if waiting is None or session.link not in self.sessions:
            return
        self._response = waiting.response
        self.decide(session, waiting.command, lambda: waiting.ask.then(item.answer), waiting.label)
        self._end_response(session)
        for lines, size in waiting.held:
            if session.link in self.sessions:
                self.take(session, lines, size)

    def decide(
        self,
        session: Session | None,
        command: str,
        decision: Callable[[], Effects],
        label: str = "",
        times: int = 1,
    ) -> None:
        """Carry out a decision for so many lines. A mistake of ours in it costs this one connection (law 6)."""
        self._driver.turn.begin(session, command, label, times)
        try:
            self._carry_out(session, decision())
        except LogError:
            raise
        except Exception:
            log.exception("%s of %s failed", command, session.address if session else "the server itself")
            self._recover(session)

    def _find_burst(self, session: Session, said: Texts) -> Burst | None:
        """See whether texts can be taken as one. A mistake of ours in it costs this one connection (law 6)."""
        try:
            return burst.find(self._hub, session, said)
        except Exception:
            log.exception("lines of %s failed", session.address)
            self._recover(session)
            return None

    def _decide_line(self, session: Session, line: Message | Fault) -> None:
        command, label = "*", ""
        if not isinstance(line, Fault):
            command = line.command
            if line.tags or command == "BATCH":
                label = label_of(session, line)
        if label:
            self._response = Response(session, label, self._hub.rules.server)
        self.decide(session, command, lambda: self._hub.decide(session, line), label)
        if label:
            self._end_response(session)

    def _end_response(self, session: Session) -> None:
        """Send what a labelled command gave, unless its answer is still to come."""
        if self._response is None:
            return
        response, self._response = self._response, None
        waiting = self._waiting.get(session)
        if waiting is None:
            self._driver.turn.reply(response.finish())
        else:
            self._waiting[session] = waiting._replace(response=response)

    def _carry_out(self, session: Session | None, effects: Effects) -> None:
        """Do what a decision asks for; each draft is applied before the next effect is asked for."""
        for effect in effects:
            if isinstance(effect, Draft):
                self._record(effect, session)
            elif isinstance(effect, Burst):
                self._record_burst(effect)
            elif isinstance(effect, Reply):
                self._reply(effect)
            elif isinstance(effect, Close):
                self.close(effect)
            elif isinstance(effect, Ask):
                self._question(effect)
            elif isinstance(effect, Admit):
                self._admit(effect)
            elif isinstance(effect, Refused):
                audit.refused(effect.session, effect.why)
            else:
                self._rehash(effect)

    def _reply(self, reply: Reply) -> None:
        """Add an answer; what belongs to a labelled response waits for the rest of it."""
        left = self._response.take(reply) if self._response is not None else reply
        if isinstance(left, Reply):
            self._driver.turn.reply(left)

    def _record(self, draft: Draft, origin: Session | None) -> None:
        """Give a draft its place in the log and apply it."""
        turn = self._driver.turn
        if draft.kind in EPHEMERAL:
            entry = Entry(0, "", self.now, *draft)
        elif draft.kind in LATEST:
            entry = Entry(0, "", self.now, *draft)
            turn.entries.append(entry)
        else:
            self.seq += 1
            entry = self._placed(draft)
            turn.entries.append(entry)
        self._applying = [entry]
        for output in self._hub.apply(entry, origin):
            left = self._response.take(output) if self._response is not None else output
            if left is not None:
                turn.show(left)
        self._applying = []

    def _record_burst(self, said: Burst) -> None:
        """Give the texts of a burst their places in the log and apply them."""
        where, turn = said.channel.key, self._driver.turn
        place = self.seq + 1, self._run, self.now
        number = self._next_number(where, len(said.texts))
        first = Entry(*place, said.kind, where, said.sender, conversation=where, number=number)
        entries = alike(first, said.texts)
        self.seq += len(entries)
        turn.add_burst(entries)
        self._applying = entries
        turn.show(burst.apply(self._hub, said, entries))
        self._applying = []

    def _placed(self, draft: Draft) -> Entry:
        """Return a draft as the entry number `seq`, with its number in its conversation."""
        where = conversation(draft.kind, draft.target, draft.sender, draft.text)
        number = self._next_number(where) if where and draft.kind in SAID else 0
        return Entry(self.seq, self._run, self.now, *draft, where, number)

    def _next_number(self, conversation_: str, numbers: int = 1) -> int:
        """Return the next number in a conversation, the first of so many that are given away."""
        newest = self.tails.get(conversation_)
        if newest is None:
            if len(self.tails) >= TAILS:
                self.tails.clear()
            newest = self._driver.number(conversation_)
        self.tails[conversation_] = newest + numbers
        return newest + 1

    def _recover(self, session: Session | None) -> None:
        """Go on after a failure of ours. An entry that was only half applied never was.

        What came before it is kept and shown; then the hub is built anew from the log. If that fails too, the
        thread ends, and with it, loudly, the server.
        """
        self._response = None
        half, self._applying = self._applying, []
        if half:
            self._undo(half)
        if session is None:
            return
        person = session.person
        if session.link not in self.sessions:
            # It failed while it was leaving: it has left all the same.
            if person is not None and session in person.sessions:
                person.sessions.remove(session)
                person.devices_changed()
                self.unkept += [] if person.sessions else [Draft(Kind.OFFLINE, "", person.name, "Internal error")]
        else:
            self._driver.turn.begin(session, "QUIT")
            self._carry_out(session, self._hub.depart(session, "Internal error"))
            self.close(Close(session, error("Internal error: the server has logged it"), "internal error"))

    def _undo(self, half: list[Entry]) -> None:
        """Take out the newest entries, keep what came before them, and build the hub anew."""
        if half[0].kind not in EPHEMERAL:
            self._driver.turn.take_out(len(half))
            self.seq -= sum(1 for entry in half if entry.seq)
            self.tails.clear()
        self._driver.end_turn()
        self._driver.restore()

    def _admit(self, admit: Admit) -> None:
        session = admit.session
        audit.login(session)
        self._driver.turn.arrived.append(session)
        self._driver.turn.out.admit(session)

    def _rehash(self, rehash: Rehash) -> None:
        """Have everything read again, and say how that went."""
        log.info("rehash by %s", rehash.session.nick)
        shown = self._driver.rehash() or "Users, certificates and message of the day have been read again"
        self._reply(self._hub.numeric(rehash.session, numerics.RPL_REHASHING, "securechat", text=(shown,)))

    def _question(self, ask: Ask) -> None:
        turn = self._driver.turn
        self._waiting[ask.session] = Waiting(ask, turn.command, turn.label, None, deque())
        turn.questions.append(ask)
