"""One channel or one conversation of two: what was said, what of it is new, and what is being typed. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

from securechat.client.desk.entries import Entry, State

MAX_ENTRIES: Final = 120_000
"""Entries of one conversation that are kept for scrolling; the oldest tenth goes beyond that (law 5)."""
MAX_REACTIONS_AHEAD: Final = 1000
TYPING_MS: Final = 6000
"""How long a typing notice holds (IRCv3 typing)."""


class Conversation:
    """Entries in the server's order, and behind them our own that wait. Owned by the desk.

    `read` is the time up to which the person has read on any device, `line` where the "new" line stands while
    they look (0: nowhere). `generation` changes with whatever changes the list of entries.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: list[Entry] = []
        self.pending: list[Entry] = []
        self.by_id: dict[str, Entry] = {}
        self.read = 0
        self.line = 0
        self.seek = 0
        self.unread = self.mentions = 0
        self.draft = ""
        self.muted = False
        self.joined = False
        self.complete = False
        self.asked = False
        self.typing: dict[str, int] = {}
        self.generation = 0
        self._ahead: dict[str, list[tuple[str, str, bool]]] = {}

    @property
    def channel(self) -> bool:
        """Whether it is a channel, not a conversation of two."""
        return self.name.startswith("#")

    def __len__(self) -> int:
        return len(self.entries) + len(self.pending)

    def at(self, index: int) -> Entry:
        """Return an entry by its place: what is kept first, then what waits."""
        kept = len(self.entries)
        return self.entries[index] if index < kept else self.pending[index - kept]

    def add(self, entry: Entry) -> bool:
        """Put an entry where it belongs. Say whether it was new."""
        if entry.msgid and entry.msgid in self.by_id:
            return False
        if not self.entries or entry.order >= self.entries[-1].order:
            self.entries.append(entry)
        else:
            self.entries.insert(bisect_right(self.entries, entry.order, key=lambda one: one.order), entry)
        self._know(entry)
        self._trim()
        return True

    def prepend(self, page: Iterable[Entry]) -> int:
        """Put a page of history in; give how many were new."""
        fresh = [one for one in page if not (one.msgid and one.msgid in self.by_id)]
        if not fresh:
            return 0
        for entry in fresh:
            self._know(entry)
        self.entries = sorted([*fresh, *self.entries], key=lambda one: one.order)
        self._trim()
        return len(fresh)

    def _know(self, entry: Entry) -> None:
        if entry.msgid:
            self.by_id[entry.msgid] = entry
            for name, reaction, on in self._ahead.pop(entry.msgid, ()):
                entry.react(name, reaction, on=on)
        self.typing.pop(entry.sender.casefold(), None)
        self.generation += 1

    def _trim(self) -> None:
        if len(self.entries) > MAX_ENTRIES:
            gone = self.entries[: MAX_ENTRIES // 10]
            del self.entries[: len(gone)]
            for entry in gone:
                self.by_id.pop(entry.msgid, None)
            self.complete = False

    def react(self, msgid: str, name: str, reaction: str, *, on: bool) -> None:
        """Note a reaction; one to a message that is not here yet waits for it."""
        entry = self.by_id.get(msgid)
        if entry is not None:
            entry.react(name, reaction, on=on)
            self.generation += 1
        elif len(self._ahead) < MAX_REACTIONS_AHEAD:
            self._ahead[msgid] = [*self._ahead.get(msgid, []), (name, reaction, on)][-50:]

    def redact(self, msgid: str) -> None:
        """Take a message back."""
        entry = self.by_id.get(msgid)
        if entry is not None:
            entry.redact()
            self.generation += 1

    # --- what we say ---

    def wait(self, entry: Entry) -> None:
        """Add what we say and the server does not have yet."""
        entry.state = State.WAITING
        self.pending.append(entry)
        self.generation += 1

    def settle(self, key: str, why: str = "") -> Entry | None:
        """End the waiting of one of our own: it is kept or, with `why`, refused and stays to be seen.

        Give it, if it waited.
        """
        for index, entry in enumerate(self.pending):
            if entry.key == key and entry.state is State.WAITING:
                self.generation += 1
                del self.pending[index]
                if why:
                    entry.state, entry.why = State.REFUSED, why
                    entry.version += 1
                    self.add(entry)
                return entry
        return None

    # --- what is new ---

    def count(self, entry: Entry, *, direct: bool) -> None:
        """Count an entry that nobody has looked at."""
        if entry.spoken and not entry.own and entry.time > self.read:
            self.unread += 1
            self.mentions += entry.mention or direct

    def recount(self) -> None:
        """Count anew what is behind the read marker."""
        self.unread = self.mentions = 0
        for entry in self.entries[self.first_after(self.read) :]:
            self.count(entry, direct=not self.channel)

    def mark(self, time: int) -> None:
        """Take it that the person has read up to `time`; it never goes back."""
        if time > self.read:
            self.read = time
            self.recount()

    def first_after(self, time: int) -> int:
        """Return the index of the first entry later than `time`."""
        return bisect_right(self.entries, time, key=lambda one: one.time)

    def first_from(self, time: int) -> int:
        """Return the index of the first entry at `time` or later."""
        return bisect_left(self.entries, time, key=lambda one: one.time)

    def typists(self, now: int) -> list[str]:
        """Return who is typing."""
        self.typing = {name: until for name, until in self.typing.items() if until > now}
        return sorted(self.typing)
