"""Letting go of what was said long ago: in small steps, beside a running server."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from securechat.storage.finding import since
from securechat.storage.reading import connect, failed

CHUNK: Final = 1000
"""Entries that are looked at in one transaction: a server's commit waits no longer than that takes."""

_UPTO: Final = "SELECT coalesce(max(seq), 0) FROM entries WHERE seq < ?"
_NEXT: Final = "SELECT max(seq) FROM (SELECT seq FROM entries WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?)"
_OLD: Final = "seq > ? AND seq <= ? AND kind IN (1, 2, 3, 4, 5, 20, 21)"
_NEWEST: Final = """
    (seq = (SELECT max(seq) FROM entries) OR (number > 0 AND NOT EXISTS (
        SELECT 1 FROM entries AS newer
        WHERE newer.conversation = entries.conversation AND newer.number > 0 AND newer.seq > entries.seq
    )))
"""
"""The newest entry of all, and of each conversation: the next ones count on from them."""
_EMPTY: Final = f"""
UPDATE entries SET kind = 5, text = '', tags = '', key = ''
    WHERE {_OLD} AND kind < 20 AND (kind, text, tags, key) <> (5, '', '', '') AND {_NEWEST}
"""
_DELETE: Final = f"DELETE FROM entries WHERE {_OLD} AND NOT {_NEWEST}"


class Pruning:
    """Takes out of the log in `path` what was said before the moment `before` (ms), and who came and went then.

    What makes up the state of the channels stays, and of the newest message in each conversation its place (a
    REDACTED). A step waits up to `patience` (ms) for its turn to write. Used in one thread. Raises LogError.
    """

    def __init__(self, path: Path, before: int, patience: int = 5000) -> None:
        self._path = path
        self._database = connect(path, write=True)
        self.taken = 0
        """Entries whose text is gone."""
        self.done = 0
        """The entry up to which this has come."""
        try:
            self._database.execute(f"PRAGMA busy_timeout = {patience:d}")
            self._database.execute("PRAGMA secure_delete = ON")  # gone from the file, not only from its tables
            kept = since(self._database, before)
            (upto,) = self._database.execute(_UPTO, (2**63 - 1 if kept is None else kept,)).fetchone()
        except sqlite3.Error as error:
            self.close()
            raise failed(path, "read", error) from None
        self.upto: int = upto

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def step(self) -> bool:
        """Look at up to CHUNK entries, in one transaction; tell whether there are more. Raises LogError."""
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            (upto,) = database.execute(_NEXT, (self.done, self.upto, CHUNK)).fetchone()
            taken = 0
            if upto is not None:
                taken = database.execute(_EMPTY, (self.done, upto)).rowcount
                taken += database.execute(_DELETE, (self.done, upto)).rowcount
            database.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise failed(self._path, "written", error) from None
        if upto is None:
            return False
        self.taken += taken
        self.done = upto
        return self.done < self.upto
