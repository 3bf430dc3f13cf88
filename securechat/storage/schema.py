"""The tables of the log's file, their versions, and how an older file becomes a newer one."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from securechat.records import run_of

VERSION: Final = 3
"""`user_version` of the schema that this code writes."""

Place: TypeAlias = Callable[[int, str, str, str], str]
"""Kind, target, sender and text of an entry to its conversation (see `records.Entry`)."""

# Each entry costs as much again for every index that has it: of time one in 64 is enough (see `finding`), and of
# msgids those that do not tell where their entry stands.
_ENTRIES: Final = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    time INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    target TEXT NOT NULL,
    sender TEXT NOT NULL,
    text TEXT NOT NULL,
    tags TEXT NOT NULL,
    key TEXT NOT NULL,
    conversation TEXT NOT NULL,
    number INTEGER NOT NULL
) STRICT;
"""
_INDEXES: Final = """
CREATE INDEX entries_state ON entries (seq) WHERE kind BETWEEN 10 AND 19;
CREATE INDEX entries_time ON entries (time) WHERE seq % 64 = 0;
CREATE INDEX entries_said ON entries (conversation, seq) WHERE number > 0;
CREATE INDEX entries_events ON entries (conversation, seq) WHERE number = 0 AND conversation <> '';
CREATE INDEX entries_key ON entries (key) WHERE key <> '';
CREATE INDEX entries_keyed ON entries (time) WHERE key <> '';
CREATE UNIQUE INDEX entries_foreign ON entries (run) WHERE run >= '~';
"""
_BESIDES: Final = """
CREATE TABLE correspondence (
    account TEXT NOT NULL,
    conversation TEXT NOT NULL,
    PRIMARY KEY (account, conversation)
) STRICT, WITHOUT ROWID;
CREATE TABLE latest (
    kind INTEGER NOT NULL,
    sender TEXT NOT NULL,
    target TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (kind, sender, target)
) STRICT, WITHOUT ROWID;
"""
_FROM_1: Final = """
ALTER TABLE entries ADD COLUMN key TEXT NOT NULL DEFAULT '';
ALTER TABLE entries ADD COLUMN conversation TEXT NOT NULL DEFAULT '';
ALTER TABLE entries ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE entries SET conversation = place(kind, target, sender, text);
UPDATE entries SET number = counted.number FROM (
    SELECT seq, row_number() OVER (PARTITION BY conversation ORDER BY seq) AS number
    FROM entries WHERE kind BETWEEN 1 AND 5 AND conversation <> ''
) AS counted WHERE counted.seq = entries.seq;
CREATE INDEX entries_said ON entries (conversation, seq) WHERE number > 0;
"""
_PAIRS: Final = """
INSERT OR IGNORE INTO correspondence SELECT substr(conversation, 1, instr(conversation, ' ') - 1), conversation
    FROM entries WHERE number > 0 AND instr(conversation, ' ');
INSERT OR IGNORE INTO correspondence SELECT substr(conversation, instr(conversation, ' ') + 1), conversation
    FROM entries WHERE number > 0 AND instr(conversation, ' ');
WITH forgotten AS MATERIALIZED (
    SELECT target AS account, max(seq) AS seq FROM entries
    WHERE kind = 13 AND kind BETWEEN 10 AND 19 GROUP BY target
) DELETE FROM correspondence WHERE EXISTS (
    SELECT 1 FROM forgotten WHERE forgotten.account = correspondence.account AND forgotten.seq > (
        SELECT max(seq) FROM entries WHERE entries.conversation = correspondence.conversation AND number > 0
    )
);
"""
# Copied, because the index that goes belongs to a column. Times that a clock once set back are lifted to those
# before them: who looks for a moment relies on their order.
_FROM_2: Final = f"""
ALTER TABLE entries RENAME TO former;
{_ENTRIES}
INSERT INTO entries
    SELECT seq, run_of(msgid, seq), max(time) OVER (ORDER BY seq), kind, target, sender, text, tags, key,
        conversation, number
    FROM former ORDER BY seq;
DROP TABLE former;
{_INDEXES}
"""
_NEW: Final = _ENTRIES + _INDEXES + _BESIDES


class NewerFile(Exception):  # noqa: N818  # it is a fact about the file
    """The file was written by a newer version of this program."""


def prepare(database: sqlite3.Connection, path: Path, place: Place) -> None:
    """Bring the file to VERSION in one transaction; before that, an older one is copied to "FILE.vN".

    Raises NewerFile, sqlite3.Error, and OSError where the copy cannot be made.
    """
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerFile
    if version == VERSION:
        return
    script = _NEW
    if version:
        copy(database, path.with_name(f"{path.name}.v{version}"))
        database.create_function("place", 4, place, deterministic=True)
        database.create_function("run_of", 2, run_of, deterministic=True)
        script = _FROM_2 if version == 2 else _FROM_1 + _BESIDES + _PAIRS + _FROM_2
    try:
        database.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {VERSION}; COMMIT;")
    except sqlite3.Error:
        with contextlib.suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise


def copy(
    database: sqlite3.Connection, path: Path, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> None:
    """Copy a database to a new file (mode 0600) while others use it (SQLite, "Online Backup API").

    The copy appears under its name once it is whole. `progress` is told pages done and pages in all.
    Raises OSError and sqlite3.Error, and leaves nothing behind then.
    """
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with contextlib.closing(sqlite3.connect(unfinished)) as other:
            database.backup(other, pages=4096, progress=lambda _, left, all_: progress(all_ - left, all_))
            other.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
