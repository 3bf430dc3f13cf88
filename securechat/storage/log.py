"""The ordered log on disk: one SQLite file, one commit per turn, nothing shown before it is kept (law 2)."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from filelock import FileLock, Timeout

from securechat.records import Entry, Kind

VERSION: Final = 1
"""`user_version` of the schema that this code writes."""
BUSY_MILLISECONDS: Final = 1000
"""How long a commit waits for another program that has the file locked, before the turn is refused."""

_SCHEMA: Final = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY,
    msgid TEXT NOT NULL UNIQUE,
    time INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    target TEXT NOT NULL,
    sender TEXT NOT NULL,
    text TEXT NOT NULL,
    tags TEXT NOT NULL
) STRICT;
CREATE INDEX entries_state ON entries (seq) WHERE kind BETWEEN 10 AND 19;
"""
_STATE: Final = "SELECT * FROM entries WHERE kind BETWEEN 10 AND 19 ORDER BY seq"
"""The condition is that of the index to the letter, or SQLite would read the whole table."""


class LogError(Exception):
    """The log cannot be read or written. The text is one sentence that names the file and the way out."""


class Log(Protocol):
    """What the sequencer needs of a store. Owned by the thread that made it."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep all of these, in one commit, on disk when this returns; raise LogError with none kept."""

    def last(self) -> Entry | None:
        """Return the newest entry."""

    def state(self) -> Iterator[Entry]:
        """Give the entries of the kinds in `records.STATE`, oldest first."""

    def began(self) -> int | None:
        """Return the time of the oldest entry (ms)."""

    def close(self) -> None:
        """Let go of the file."""


class SqliteLog:
    """The log in `path`, made if it is not there (mode 0600). One process at a time. Implements `Log`.

    Raises LogError where the file is unusable, newer than this code, or in use by another server.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
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
            self._prepare()
        except (sqlite3.Error, LogError) as error:
            self.close()
            raise error if isinstance(error, LogError) else self._failed("opened", error) from None

    def append(self, entries: Sequence[Entry]) -> None:
        """See Log. A commit that fails leaves nothing of the turn (SQLite, "Atomic Commit")."""
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", entries)
            database.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise self._failed("written", error) from None

    def last(self) -> Entry | None:
        """See Log."""
        return next(self._read("SELECT * FROM entries ORDER BY seq DESC LIMIT 1"), None)

    def state(self) -> Iterator[Entry]:
        """See Log."""
        return self._read(_STATE)

    def began(self) -> int | None:
        """See Log."""
        first = next(self._read("SELECT * FROM entries ORDER BY seq LIMIT 1"), None)
        return first.time if first else None

    def close(self) -> None:
        """See Log. SQLite folds its write-ahead log into the file here."""
        self._database.close()
        self._lock.release()

    def _prepare(self) -> None:
        database = self._database
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise LogError(f"{self._path} was written by a newer securechat: update this one.")
        if version == 0:
            database.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")

    def _read(self, query: str) -> Iterator[Entry]:
        try:
            for seq, msgid, time, kind, *rest in self._database.execute(query):
                yield Entry(seq, msgid, time, Kind(kind), *rest)
        except (sqlite3.Error, ValueError) as error:
            raise self._failed("read", error) from None

    def _failed(self, done: str, error: Exception) -> LogError:
        return LogError(f"{self._path} cannot be {done}: {error}. Check its disk, its owner and its mode.")
