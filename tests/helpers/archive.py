"""Writing a log as the sequencer does: every entry gets its place, msgid and number in its conversation."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from securechat.chat.conversations import conversation
from securechat.protocol.names import fold
from securechat.records import LATEST, SAID, Draft, Entry, Kind, Reader, Scope
from securechat.storage.history import SqliteHistory
from securechat.storage.log import SqliteLog
from securechat.storage.search import SearchIndex

START = 1_700_000_000_000
MOST_BYTES = 1024 * 1024


def open_log(path: Path) -> SqliteLog:
    return SqliteLog(path, conversation)


class Archive:
    """Appends to stores what is said; the same entries to each of them."""

    def __init__(self, *stores) -> None:
        self.stores = stores
        self.seq = 0
        self.now = START
        self._numbers: Counter[str] = Counter()

    def place(self, draft: Draft, *, later: int = 1) -> Entry:
        """Return the entry of a draft, `later` ms after the one before."""
        self.now += later
        if draft.kind in LATEST:
            return Entry(0, "", self.now, *draft)
        self.seq += 1
        where = conversation(draft.kind, draft.target, draft.sender, draft.text)
        number = 0
        if where and draft.kind in SAID:
            self._numbers[where] += 1
            number = self._numbers[where]
        return Entry(self.seq, "id", self.now, *draft, where, number)

    def append(self, *drafts: Draft, later: int = 1) -> list[Entry]:
        """Append these in one commit."""
        entries = [self.place(draft, later=later) for draft in drafts]
        for store in self.stores:
            store.append(entries)
        return entries

    def say(self, text: str, target: str = "#x", sender: str = "bob", *, later: int = 1, **fields) -> Entry:
        return self.append(Draft(Kind.PRIVMSG, target, sender, text, **fields), later=later)[0]

    def redact(self, entry: Entry, why: str = "") -> Entry:
        text = f"{entry.msgid} {why}".rstrip()
        return self.append(Draft(Kind.REDACT, entry.target, entry.sender, text))[0]


class OnDisk:
    """SqliteLog, SqliteHistory and SearchIndex of one folder behind one face: what MemoryLog is by itself."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES, seconds: float = 600) -> None:
        self.log = open_log(folder / "chat.db")
        self.history = SqliteHistory(folder / "chat.db", most_bytes)
        self.index = SearchIndex(folder / "chat.db", fold, most_bytes, seconds)
        self.append, self.last, self.state, self.began = (
            self.log.append,
            self.log.last,
            self.log.state,
            self.log.began,
        )
        self.latest, self.number, self.keyed = self.log.latest, self.log.number, self.log.keyed
        self.page, self.targets, self.missed = self.history.page, self.history.targets, self.history.missed
        self.lookup, self.search = self.history.lookup, self.index.search

    def close(self) -> None:
        self.index.close()
        self.history.close()
        self.log.close()


def reader(account: str = "alice", *channels: Scope | str, since: int = 0) -> Reader:
    """Who asks: `channels` are scopes, or names of channels that are read from their beginning."""
    scopes = tuple(Scope(one) if isinstance(one, str) else one for one in channels)
    return Reader(account, scopes, since)
