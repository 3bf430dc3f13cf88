"""What one turn has decided: entries to keep, output that waits for them, and what to say if they are not kept."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

from securechat.chat.effects import Ask, Close, Output, Reply
from securechat.chat.people import Session
from securechat.chat.render import fail, tagged
from securechat.records import Entry, Kind
from securechat.server.outgoing import Outgoing

NOT_STORED: Final = "Not accepted: the server cannot store it now; send it again later"
_HARMLESS: Final = frozenset({Kind.PRIVMSG, Kind.NOTICE, Kind.TAGMSG, Kind.REDACT, Kind.OFFLINE})
"""Kinds that change nothing that a later question of the same turn could show (who has left is gone anyway)."""


_OWN_AFFAIRS: Final = frozenset(
    {"PING", "CAP", "MONITOR", "NICK", "USER", "PASS", "AUTHENTICATE", "ENROL", "DEVICES"}
)
"""Commands whose answers are about the session itself."""


class _Line(NamedTuple):
    """One decided line, or `times` of the kind: whose, and where its entries and replies begin."""

    session: Session | None
    command: str
    label: str
    times: int
    entries: int
    replies: int


def _may_show(line: _Line) -> bool:
    """Whether an answer can tell of what others changed: strangers are told nothing of others at any time."""
    return line.session is not None and line.session.person is not None and line.command not in _OWN_AFFAIRS


class Ledger:
    """One turn's books. Owned by the sequencer thread, made anew for each turn.

    `entries` are to be committed (`bursts` says which of them are alike, see `storage.log.Log.append`), `out` goes
    to the workers and `questions` to those who answer them afterwards, `arrived` have logged in.
    """

    def __init__(self, lanes: int) -> None:
        self.entries: list[Entry] = []
        self.bursts: list[slice] = []
        self.out = Outgoing(lanes)
        self.arrived: list[Session] = []
        self.questions: list[Ask] = []
        self._lines: list[tuple[Session | None, str, str, int, int, int]] = []
        """The parts of each _Line; only a turn that is refused makes them into such."""
        self._replies: list[Reply] = []
        self._farewells: list[Reply] = []

    def begin(self, session: Session | None, command: str, label: str = "", times: int = 1) -> None:
        """Note that what follows is decided for this line, or for so many of the kind."""
        self._lines.append((session, command, label, times, len(self.entries), len(self._replies)))

    @property
    def command(self) -> str:
        """The command of the line that is being decided."""
        return self._lines[-1][1]

    @property
    def label(self) -> str:
        """The label of the line that is being decided."""
        return self._lines[-1][2]

    def add_burst(self, entries: list[Entry]) -> None:
        """Add entries that were said in a row in one channel."""
        self.bursts.append(slice(len(self.entries), len(self.entries) + len(entries)))
        self.entries += entries

    def take_out(self, count: int) -> None:
        """Take out the newest entries, so many, which were added as one."""
        del self.entries[-count:]
        if self.bursts and self.bursts[-1].stop > len(self.entries):
            del self.bursts[-1]

    def reply(self, reply: Reply) -> None:
        """Add an answer that a decision gave."""
        self._replies.append(reply)
        self.out.reply(reply)

    def show(self, output: Output) -> None:
        """Add what applying an entry gave."""
        self.out.add(output)

    def close(self, close: Close) -> None:
        """Add the end of a connection, which is one whether the turn can be kept or not."""
        farewell = Reply(close.session, close.data)
        self._farewells.append(farewell)
        self.out.reply(farewell)
        self.out.close(close.session, close.reason)

    def refused(self, server: str) -> Outgoing:
        """Return what goes out if the entries could not be kept: nobody sees what is not on disk (law 2).

        Each line that asked for an entry is told so. Other lines keep their answers, but for questions that came
        after a change and may show it: they have to be asked again.
        """
        out = self.out.without_lines()
        changed = False
        end = _Line(None, "", "", 0, len(self.entries), len(self._replies))
        for line, following in pairwise([*map(_Line._make, self._lines), end]):
            caused = [
                entry for entry in self.entries[line.entries : following.entries] if entry.kind is not Kind.SEEN
            ]
            replies = self._replies[line.replies : following.replies]
            if line.session is not None and (caused or (changed and replies and _may_show(line))):
                refusal = fail(server, line.command, "NOT_STORED", text=NOT_STORED)
                label = f"label={line.label}" if line.label else ""
                out.reply(Reply(line.session, (tagged(refusal, label) if label else refusal) * line.times))
            else:
                for reply in replies:
                    out.reply(reply)
            changed = changed or any(entry.kind not in _HARMLESS for entry in caused)
        for farewell in self._farewells:
            out.reply(farewell)
        return out
