"""The ordered log on disk: one SQLite file, one commit per turn, nothing shown before it is kept (law 2)."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from filelock import FileLock, Timeout

from securechat.records import LATEST, Draft, Entry, Kind
from securechat.storage.finding import BY_MSGID, by_msgid
from securechat.storage.schema import NewerFile, Place, prepare

T = TypeVar("T")

BUSY_MILLISECONDS: Final = 1000
"""How long a commit waits for another program that has the file locked, before the turn is refused."""
KNOWN_PAIRS: Final = 10_000
"""Conversations of two that need not be noted again; with more, it begins anew."""

ROWS: Final = 50
"""Entries in one INSERT: each call leaves the interpreter and has to get back in, which costs more than a row."""

_REDACT: Final = f"UPDATE entries SET kind = 5, text = '', tags = '' WHERE {BY_MSGID} AND kind IN (1, 2, 3)"
_STATE: Final = "SELECT * FROM entries WHERE kind BETWEEN 10 AND 19 ORDER BY seq"
"""The condition is that of the index to the letter, or SQLite would read the whole table."""
_NUMBER: Final = "SELECT number FROM entries WHERE conversation = ? AND number > 0 ORDER BY seq DESC LIMIT 1"
_KEYED: Final = "SELECT * FROM entries WHERE key <> '' AND time >= ? ORDER BY time DESC, seq DESC LIMIT ?"


_BESIDES: Final = LATEST | {Kind.REDACT, Kind.FORGET}
"""Kinds that do more than stand in the order."""
_KINDS: Final = slice(Entry._fields.index("kind"), None, len(Entry._fields))
"""The kinds in a row of values. Made plain numbers: others are adapted, one by one, at a sixth of a row's cost."""


class LogError(Exception):
    """The log cannot be read or written. The text is one sentence that names the file and the way out."""


class Log(Protocol):
    """What the sequencer needs of a store. Owned by the thread that made it."""

    def append(self, entries: Sequence[Entry], bursts: Sequence[slice] = ()) -> None:
        """Keep all of these, in one commit, on disk when this returns; raise LogError with none kept.

        Of the kinds in `records.LATEST` each takes the place of the one before. A REDACT empties its message.
        `bursts` are runs of entries, in order, each said in one channel: they count up `seq` and `number`, and
        otherwise differ in their text alone.
        """

    def last(self) -> Entry | None:
        """Return the newest entry."""

    def state(self) -> Iterator[Entry]:
        """Give the entries of the kinds in `records.STATE`, oldest first."""

    def latest(self) -> Iterator[Draft]:
        """Give what is kept of the kinds in `records.LATEST`."""

    def number(self, conversation: str) -> int:
        """Return the number of the newest entry of a conversation, 0 where nothing was said in it."""

    def keyed(self, since: int, limit: int) -> list[Entry]:
        """Return the newest `limit` entries with an idempotency key since a moment (ms), oldest first."""

    def began(self) -> int | None:
        """Return the time of the oldest entry (ms)."""

    def close(self) -> None:
        """Let go of the file."""


class SqliteLog:
    """The log in `path`, made if it is not there (mode 0600). One process at a time. Implements `Log`.

    `place` says which conversation an entry of an older file belongs to. Raises LogError where the file is
    unusable, newer than this code, or in use by another server.
    """

    def __init__(self, path: Path, place: Place) -> None:
        self._path = path
        self._pairs: set[str] = set()
        if not path.parent.is_dir():
            raise LogError(f"{path} has no folder to be in: make that, or name another with --home.")
        self._lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600, thread_local=False)
        try:
            self._lock.acquire(timeout=0)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            # Made by the thread that starts the server, which can still report errors, and then handed over.
            self._database = sqlite3.connect(
                path, isolation_level=None, timeout=BUSY_MILLISECONDS / 1000, check_same_thread=False
            )
        except Timeout:
            raise LogError(f"{path} is in use by another securechat server: stop it first.") from None
        except OSError as error:
            self._lock.release()
            raise self._failed("opened", OSError(error.strerror)) from None
        except sqlite3.Error as error:
            self._lock.release()
            raise self._failed("opened", error) from None
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute("PRAGMA secure_delete = ON")  # what is taken back is gone from the file, too
            prepare(self._database, path, place)
        except NewerFile:
            self.close()
            raise LogError(f"{path} was written by a newer securechat: update this one.") from None
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise self._failed("opened", error) from None

    def append(self, entries: Sequence[Entry], bursts: Sequence[slice] = ()) -> None:
        """See Log. A commit that fails leaves nothing of the turn (SQLite, "Atomic Commit")."""
        database = self._database
        single: list[Entry] = []
        begin = 0
        try:
            database.execute("BEGIN IMMEDIATE")
            for burst in bursts:
                self._insert(entries[begin : burst.start])
                self._insert_burst(entries[burst])
                single += entries[begin : burst.start]
                begin = burst.stop
            self._insert(entries[begin:])
            single += entries[begin:]
            pairs = self._besides(single)
            self._note(pairs - self._pairs)
            database.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise self._failed("written", error) from None
        if len(self._pairs) >= KNOWN_PAIRS:
            self._pairs.clear()
        self._pairs |= pairs

    def absorb(self, things: Iterable[Entry | Draft]) -> None:
        """Keep entries of another log and rows of its `latest`, all in one commit or none of them.

        Of `latest` what is here already stays. What `things` raises goes on to the caller; else raises LogError.
        """
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            for thing in things:
                if isinstance(thing, Draft):
                    row = (thing.kind, thing.sender, thing.target, thing.text)
                    database.execute("INSERT OR IGNORE INTO latest VALUES (?, ?, ?, ?)", row)
                    continue
                database.execute(_insert_of(1), thing)
                if thing.number and " " in thing.conversation:
                    self._note({thing.conversation})
                if thing.kind in _BESIDES:
                    self._besides([thing])
            database.execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise self._failed("written", error) from None
            raise

    def has(self, msgid: str) -> bool:
        """Whether there is an entry with this id."""
        return next(self._rows(f"SELECT 1 FROM entries WHERE {BY_MSGID}", *by_msgid(msgid), make=bool), False)

    def last(self) -> Entry | None:
        """See Log."""
        return next(self._read("SELECT * FROM entries ORDER BY seq DESC LIMIT 1"), None)

    def state(self) -> Iterator[Entry]:
        """See Log."""
        return self._read(_STATE)

    def latest(self) -> Iterator[Draft]:
        """See Log."""
        query = "SELECT kind, target, sender, text FROM latest"
        return self._rows(query, make=lambda row: Draft(Kind(row[0]), *row[1:]))

    def number(self, conversation: str) -> int:
        """See Log."""
        return next(self._rows(_NUMBER, conversation, make=lambda row: int(row[0])), 0)

    def keyed(self, since: int, limit: int) -> list[Entry]:
        """See Log."""
        return list(self._read(_KEYED, since, limit))[::-1]

    def began(self) -> int | None:
        """See Log."""
        first = next(self._read("SELECT * FROM entries ORDER BY seq LIMIT 1"), None)
        return first.time if first else None

    def close(self) -> None:
        """See Log. SQLite folds its write-ahead log into the file here."""
        self._database.close()
        self._lock.release()

    def _insert(self, entries: Sequence[Entry]) -> None:
        placed = [entry for entry in entries if entry.kind not in LATEST]
        for start in range(0, len(placed), ROWS):
            some = placed[start : start + ROWS]
            values: list[Any] = list(chain.from_iterable(some))
            values[_KINDS] = map(int, values[_KINDS])
            self._database.execute(_insert_of(len(some)), values)

    def _insert_burst(self, entries: Sequence[Entry]) -> None:
        """Insert entries that are alike, with what they have in common bound once: a row costs a third less."""
        for start in range(0, len(entries), ROWS):
            some = entries[start : start + ROWS]
            seq, run, time, kind, target, sender, _, tags, key, conversation, number = some[0]
            common = (seq, run, time, int(kind), target, sender, tags, key, conversation, number)
            texts = [entry.text for entry in some]
            self._database.execute(_insert_alike(len(some)), (*common, *texts))

    def _besides(self, entries: Sequence[Entry]) -> set[str]:
        """Do what some kinds mean for what is kept already; return the pairs that are to be noted."""
        database, begun = self._database, 0
        for index, entry in enumerate(entries):
            if entry.kind not in _BESIDES:
                continue
            if entry.kind in LATEST and entry.text:
                row = (entry.kind, entry.sender, entry.target, entry.text)
                database.execute("INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?)", row)
            elif entry.kind in LATEST:
                query = "DELETE FROM latest WHERE kind = ? AND sender = ? AND target = ?"
                database.execute(query, (entry.kind, entry.sender, entry.target))
            elif entry.kind is Kind.REDACT:
                database.execute(_REDACT, by_msgid(entry.text.partition(" ")[0]))
            elif entry.kind is Kind.FORGET:
                # Whoever gets the name next has not been anywhere and has spoken to nobody.
                self._note(_pairs(entries[begun:index]))
                begun = index
                database.execute("DELETE FROM latest WHERE sender = ?", (entry.target,))
                database.execute("DELETE FROM correspondence WHERE account = ?", (entry.target,))
                self._pairs.clear()
        return _pairs(entries[begun:])

    def _note(self, pairs: set[str]) -> None:
        """Note new conversations of two for both sides."""
        rows = [(key, pair) for pair in pairs for key in pair.split(" ")]
        self._database.executemany("INSERT OR IGNORE INTO correspondence VALUES (?, ?)", rows)

    def _read(self, query: str, *values: object) -> Iterator[Entry]:
        return self._rows(query, *values, make=entry_of)

    def _rows(self, query: str, *values: object, make: Callable[[Any], T]) -> Iterator[T]:
        try:
            for row in self._database.execute(query, values):
                yield make(row)
        except (sqlite3.Error, ValueError) as error:
            raise self._failed("read", error) from None

    def _failed(self, done: str, error: Exception) -> LogError:
        return LogError(f"{self._path} cannot be {done}: {error}. Check its disk, its owner and its mode.")


@lru_cache(maxsize=ROWS)
def _insert_of(count: int) -> str:
    """Return the statement for so many entries; SQLite's module keeps it compiled."""
    row = f"({', '.join('?' * len(Entry._fields))})"
    return f"INSERT INTO entries VALUES {', '.join([row] * count)}"


@lru_cache(maxsize=ROWS)
def _insert_alike(count: int) -> str:
    """Return the statement for so many entries that differ in seq, text and number alone."""
    rows = (f"(?1 + {n}, ?2, ?3, ?4, ?5, ?6, ?{11 + n}, ?7, ?8, ?9, ?10 + {n})" for n in range(count))
    return f"INSERT INTO entries VALUES {', '.join(rows)}"


def _pairs(entries: Sequence[Entry]) -> set[str]:
    """Return the conversations of two in which something was said."""
    return {entry.conversation for entry in entries if entry.number and " " in entry.conversation}


def entry_of(row: Sequence[Any]) -> Entry:
    """Return the entry in a row of the table; raise ValueError where its kind is not known."""
    return Entry._make((*row[:3], Kind(row[3]), *row[4:]))
