"""The whole log for whoever runs the server: read beside a running server, in order, with nothing left out."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from securechat.records import Draft, Entry, Kind
from securechat.storage import finding
from securechat.storage.log import LogError, entry_of
from securechat.storage.schema import VERSION

OLDEST: Final = 1
"""The first version of the schema that there was."""

_SAID: Final = "SELECT * FROM entries WHERE kind IN (1, 2) AND seq >= ?"
_WITH: Final = "SELECT conversation FROM correspondence WHERE instr(' ' || conversation || ' ', ' ' || ? || ' ')"
"""Both sides are looked at: of an account that is gone, the other side's conversations are left."""


def connect(path: Path, *, write: bool = False, oldest: int = VERSION) -> sqlite3.Connection:
    """Open the log in `path`, which must be there, for reading unless `write`; the caller closes it.

    Raises LogError: no such file, none of ours, newer than this code, or older than the version `oldest`.
    """
    if not path.is_file():
        raise LogError(f"There is no log in {path}: run `securechat serve` once, or name another with --home.")
    # Not opened to find out: closing it would drop the locks that SQLite in this process holds on it (SQLite, "How
    # To Corrupt", 2.2), and the next program to read it would take a running server's write-ahead log away.
    if not os.access(path, os.R_OK):
        raise LogError(f"{path} cannot be read: run this as the user who owns it.")
    try:
        uri = f"{path.absolute().as_uri()}?mode=rw"
        database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5)
    except sqlite3.Error as error:
        raise failed(path, "read", error) from None
    try:
        database.execute(f"PRAGMA query_only = {'OFF' if write else 'ON'}")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        database.execute("SELECT seq, kind, sender FROM entries LIMIT 1").fetchone()
    except sqlite3.Error as error:
        database.close()
        if "no such" in str(error) or "not a database" in str(error):
            raise LogError(f"{path} is no log of securechat: name another file.") from None
        raise failed(path, "read", error) from None
    trouble = ""
    if version > VERSION:
        trouble = "was written by a newer securechat: update this one."
    elif version < OLDEST:
        trouble = "is no log of securechat: name another file."
    elif version < oldest:
        trouble = "was written by an older securechat: run `securechat serve` once to bring it up to date."
    if trouble:
        database.close()
        raise LogError(f"{path} {trouble}")
    return database


def failed(path: Path, done: str, error: Exception) -> LogError:
    """Return what to raise where SQLite cannot do something with a file."""
    return LogError(f"{path} cannot be {done}: {error}. Check its disk, its owner and its mode.")


class Reading:
    """The log in `path`, read only. Usable in one thread. Every method raises LogError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = connect(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def said(self, target: str = "", since: int = 0, limit: int = 0) -> Iterator[Entry]:
        """Give messages since a moment (ms), oldest first: at most `limit`, or all if that is 0.

        The newest of them; where there is a moment the first from there on.

        `target` is a channel's key, or an account's for its direct messages; empty for everything, what was said
        to everybody included.
        """
        query = _SAID
        values: list[object] = [self._first(since) if since else 0]
        if target:
            query += f" AND number > 0 AND conversation IN ({'?' if target.startswith('#') else _WITH})"
            values.append(target)
        if limit and since:
            return self._rows(f"{query} ORDER BY seq LIMIT {limit:d}", *values)
        if limit:
            return self._rows(f"SELECT * FROM ({query} ORDER BY seq DESC LIMIT {limit:d}) ORDER BY seq", *values)
        return self._rows(f"{query} ORDER BY seq", *values)

    def _first(self, time: int) -> int:
        """Return the first entry from a moment on, one beyond all where there is none."""
        try:
            found = finding.since(self._database, time)
        except sqlite3.Error as error:
            raise failed(self._path, "read", error) from None
        return 2**63 - 1 if found is None else found

    def entries(self) -> Iterator[Entry]:
        """Give every entry there is."""
        return self._rows("SELECT * FROM entries ORDER BY seq")

    def latest(self) -> Iterator[Draft]:
        """Give what is kept of the kinds in `records.LATEST`."""
        try:
            query = "SELECT kind, target, sender, text FROM latest ORDER BY kind, sender, target"
            for kind, *rest in self._database.execute(query):
                yield Draft(Kind(kind), *rest)
        except (sqlite3.Error, ValueError) as error:
            raise failed(self._path, "read", error) from None

    def count(self) -> int:
        """Return how many entries there are."""
        try:
            return int(self._database.execute("SELECT count(*) FROM entries").fetchone()[0])
        except sqlite3.Error as error:
            raise failed(self._path, "read", error) from None

    def snapshot(self) -> None:
        """Let everything that is read from now on be of this moment, whatever a server writes meanwhile."""
        self._database.execute("BEGIN")
        self.count()

    def _rows(self, query: str, *values: object) -> Iterator[Entry]:
        try:
            for row in self._database.execute(query, values):
                yield entry_of(row)
        except (sqlite3.Error, ValueError) as error:
            raise failed(self._path, "read", error) from None
