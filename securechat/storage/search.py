"""Full-text search: an index beside the log, made from it and made anew whenever it does not fit (SQLite FTS5).

It is brought up to date before each search, in the thread that searches: the sequencer has no part in it. It is a
file of its own, because what can be made again from the log must not cost a commit.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from securechat.records import Entry, Reader, Search, Stretch
from securechat.storage.finding import BY_MSGID, by_msgid
from securechat.storage.log import LogError, entry_of

T = TypeVar("T")

log = logging.getLogger(__name__)

VERSION: Final = 2
CHUNK: Final = 2000
"""Entries that are indexed in one transaction."""
MOST_BEHIND: Final = 25 * CHUNK
"""Entries that a search waits for; with more it is refused until they are indexed."""
TRIGRAM: Final = 3
"""Characters of the shortest word that the index can find; shorter ones are looked for line by line."""
STEPS: Final = 10_000
"""SQLite's instructions between two looks at the clock."""

# Which lines have a trigram is kept, not where in them: that costs a quarter less to make and takes half the room.
# That the trigrams of a word stand in a row is for the query to see.
_SCHEMA: Final = f"""
CREATE VIRTUAL TABLE lines USING fts5 (text, tokenize = 'trigram', detail = none, columnsize = 0);
CREATE TABLE done (seq INTEGER NOT NULL, msgid TEXT NOT NULL) STRICT;
INSERT INTO done VALUES (0, '');
PRAGMA user_version = {VERSION};
"""
_UPTO: Final = "SELECT max(seq) FROM (SELECT seq FROM log.entries WHERE seq > ? ORDER BY seq LIMIT ?)"
_BEHIND: Final = "SELECT count(*) FROM (SELECT 1 FROM log.entries WHERE seq > ? LIMIT ?)"
"""Counted, not reckoned from numbers: what the log has let go leaves gaps in them."""
_ADD: Final = """
INSERT INTO lines (rowid, text) SELECT seq, text FROM log.entries
    WHERE seq > ? AND seq <= ? AND kind IN (1, 2) AND number > 0
"""
_REDACTS: Final = "SELECT text FROM log.entries WHERE seq > ? AND seq <= ? AND kind = 4"
_REMOVE: Final = f"DELETE FROM lines WHERE rowid IN (SELECT seq FROM log.entries WHERE {BY_MSGID})"
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_AT: Final = "SELECT * FROM log.entries WHERE seq = ?"


class TooSlow(Exception):  # noqa: N818  # it is an answer to somebody, not a failure of ours
    """A search took too long."""


class SearchIndex(AbstractContextManager["SearchIndex"]):
    """Finds messages of the log in `path`. Usable in any one thread. All raise LogError.

    The file is opened when it is first needed: where it cannot be, nothing but searching fails.

    `fold` makes an account's key of its name; `most_bytes` bounds the text in one answer, `seconds` the time that
    one search may take (bringing the index up to date not included).
    """

    def __init__(self, path: Path, fold: Callable[[str], str], most_bytes: int, seconds: float) -> None:
        self._log = path
        self._fold = fold
        self._path = path.with_name("search.db")
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._deadline = 0.0
        self._opened: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def search(self, search: Search) -> Stretch:
        """See `records.Search`. Raises TooSlow."""
        return self._whole(lambda: self._search(search))

    def step(self) -> bool:
        """Index up to CHUNK entries that have come since the last time; tell whether there are more.

        Raises LogError.
        """
        return self._whole(self._step)

    def behind(self) -> int:
        """Return how many entries are not indexed yet, counted up to one more than MOST_BEHIND."""
        return self._whole(self._behind)

    def newest(self) -> int:
        """Return the number of the log's newest entry."""
        return self._whole(lambda: int(self._one("SELECT coalesce(max(seq), 0) FROM log.entries")))

    def forget(self, oldest: int) -> None:
        """Take out what stands before the entry `oldest`, which the log has let go."""
        self._whole(lambda: self._database().execute("DELETE FROM lines WHERE rowid < ?", (oldest,)))

    def _whole(self, work: Callable[[], T]) -> T:
        """Do something with the index; if that turns out to be damaged, make it anew and do it again."""
        try:
            try:
                return work()
            except sqlite3.DatabaseError as error:
                if not _damaged(error):
                    raise
                log.warning("%s is made anew: %s", self._path, error)
                self.close()
                self._discard()
                return work()
        except (sqlite3.Error, OSError, ValueError) as error:
            raise self._failed(error) from None

    def _search(self, search: Search) -> Stretch:
        # Only once a step has looked whether the index is of this log is it known how far it has got.
        if self._step() and self._behind() > MOST_BEHIND:
            raise TooSlow("The index is being made: try again in a moment")
        while self._step():
            pass
        try:
            return self._find(search)
        except sqlite3.OperationalError as error:
            if str(error) == "interrupted":
                raise TooSlow("The search takes too long: look for longer words, or in one place only") from None
            raise

    def _step(self) -> bool:
        database = self._database()
        database.execute("BEGIN IMMEDIATE")
        try:
            done, msgid = database.execute("SELECT seq, msgid FROM done").fetchone()
            if done and self._msgid(done) != msgid:
                log.warning("%s is not of this log and is made anew", self._path)
                database.execute("DELETE FROM lines")
                database.execute("UPDATE done SET seq = 0, msgid = ''")
                done = 0
            upto = self._one(_UPTO, done, CHUNK)
            if upto is not None:
                database.execute(_ADD, (done, upto))
                for (text,) in database.execute(_REDACTS, (done, upto)).fetchall():
                    database.execute(_REMOVE, by_msgid(text.partition(" ")[0]))
                database.execute("UPDATE done SET seq = ?, msgid = ?", (upto, self._msgid(upto)))
            database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise
        return upto is not None and bool(self._one("SELECT max(seq) FROM log.entries") > upto)

    def _msgid(self, seq: int) -> str | None:
        row = self._database().execute(_AT, (seq,)).fetchone()
        return entry_of(row).msgid if row else None

    def _behind(self) -> int:
        return int(self._one(_BEHIND, self._one("SELECT seq FROM done"), MOST_BEHIND + 1))

    def _database(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _find(self, search: Search) -> Stretch:
        query, values = _query(search)
        forwards = search.after is not None
        entries: list[Entry] = []
        size, complete = 0, True
        self._deadline = time.monotonic() + self._seconds
        database = self._database()
        database.set_progress_handler(self._expired, STEPS)
        try:
            with closing(database.execute(query, values)) as rows:
                for entry in map(entry_of, rows):
                    size += len(entry.text.encode()) + len(entry.tags.encode())
                    if len(entries) >= search.limit or (entries and size > self._most_bytes):
                        complete = False
                        break
                    entries.append(entry)
        finally:
            database.set_progress_handler(None, 0)
        return Stretch(entries if forwards else entries[::-1], complete)

    def _expired(self) -> int:
        return time.monotonic() > self._deadline

    def _open(self) -> sqlite3.Connection:
        """Open the index, made anew where it is damaged or of another version."""
        for _ in range(2):
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            database = sqlite3.connect(
                _uri(self._path), isolation_level=None, timeout=5, check_same_thread=False, uri=True
            )
            try:
                if self._prepared(database):
                    return database
            except sqlite3.DatabaseError as error:
                if not _damaged(error):
                    database.close()
                    raise
                log.warning("%s is made anew: %s", self._path, error)
            database.close()
            self._discard()
        raise sqlite3.OperationalError("it cannot be made")

    def _prepared(self, database: sqlite3.Connection) -> bool:
        """Make the tables if there are none and attach the log; tell whether the version is that of this code."""
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA secure_delete = ON")
        database.execute("BEGIN IMMEDIATE")  # others may make them at this moment
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if not version:
            for statement in _SCHEMA.split(";"):
                database.execute(statement)
        database.execute("COMMIT")
        # Read-only, or each transaction here would keep the log's writer out.
        database.execute("ATTACH ? AS log", (f"{_uri(self._log)}?mode=ro",))
        database.create_function("folded", 1, str.casefold, deterministic=True)
        database.create_function("key_of", 1, self._fold, deterministic=True)
        return version in (0, VERSION)

    def _discard(self) -> None:
        for ending in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    def _one(self, query: str, *values: object) -> Any:
        row = self._database().execute(query, values).fetchone()
        return row[0] if row else None

    def _failed(self, error: Exception) -> LogError:
        return LogError(f"{self._path} cannot be used: {error}. Check its disk, its owner and its mode.")


def _uri(path: Path) -> str:
    return path.absolute().as_uri()


def _damaged(error: sqlite3.DatabaseError) -> bool:
    # The lower byte is the kind of the failure, the others say more about it (SQLite, "Result and Error Codes").
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def _query(search: Search) -> tuple[str, list[object]]:
    """Return the query for a search: what the asker may read is part of it."""
    words = search.text.split()
    long = [word for word in words if len(word) >= TRIGRAM]
    where = list(_conditions(search))
    source = "log.entries AS entries"
    if long:
        source = "lines JOIN log.entries AS entries ON entries.seq = lines.rowid"
        parts = dict.fromkeys(part for word in long for part in _trigrams(word))
        where.append(("lines MATCH ?", " ".join(f'"{part}"' for part in parts)))
    where += [("instr(folded(entries.text), ?)", word.casefold()) for word in words]
    allowed, within, values = _allowed(search.reader)
    values += [value for _, value in where]
    by = "lines.rowid" if long else "entries.seq"
    query = f"""
        {allowed} SELECT entries.* FROM {source} {within} entries.kind IN (1, 2) AND entries.number > 0
        AND {" AND ".join(condition for condition, _ in where) or "1"}
        ORDER BY {by} {"ASC" if search.after is not None else "DESC"}
    """
    return query, values


def _trigrams(word: str) -> Iterator[str]:
    """Give the trigrams of a word, each as it stands in quotes (SQLite FTS5, "Full-text Query Syntax")."""
    for start in range(len(word) - TRIGRAM + 1):
        yield word[start : start + TRIGRAM].replace('"', '""')


def _allowed(reader: Reader | None) -> tuple[str, str, list[object]]:
    """Return the table of what a reader may see, how the query keeps to it, and its values; None sees all."""
    if reader is None:
        return "", "WHERE", []
    allowed = "SELECT conversation, 0, ? FROM log.correspondence WHERE account = ?"
    values: list[object] = [reader.since, reader.account]
    if reader.channels:
        allowed += f" UNION ALL SELECT * FROM (VALUES {', '.join(['(?, ?, ?)'] * len(reader.channels))})"
        values += [part for scope in reader.channels for part in scope]
    within = """CROSS JOIN allowed
        WHERE allowed.conversation = entries.conversation AND entries.seq >= allowed.seq
        AND entries.time >= allowed.time AND"""
    return f"WITH allowed (conversation, seq, time) AS MATERIALIZED ({allowed})", within, values


def _conditions(search: Search) -> Iterator[tuple[str, object]]:
    if search.conversation:
        yield "entries.conversation = ?", search.conversation
    if search.sender:
        yield "key_of(entries.sender) = ?", search.sender
    if search.after is not None:
        yield "entries.time >= ?", search.after
    if search.before is not None:
        yield "entries.time <= ?", search.before
