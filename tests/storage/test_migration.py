"""A file of version 1, as that version made it, becomes one of this version; what it was is kept beside it."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from helpers.commands import in_process

from securechat.chat.conversations import conversation
from securechat.records import Entry, Kind, run_of
from securechat.storage import schema
from securechat.storage.log import LogError, SqliteLog
from securechat.storage.schema import VERSION

VERSION_1 = """
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
PRAGMA user_version = 1;
"""
"""As securechat/storage/log.py had it."""

SAID = [
    (Kind.ONLINE, "", "Иван", "", "", 0),
    (Kind.CREATE, "#чат", "Иван", "#Чат", "", 0),
    (Kind.JOIN, "#чат", "Иван", "", "#чат", 0),
    (Kind.PRIVMSG, "#чат", "Иван", "привет", "#чат", 1),
    (Kind.PRIVMSG, "bob", "Alice", "hi", "alice bob", 1),
    (Kind.TOPIC, "#чат", "Иван", "тема", "#чат", 0),
    (Kind.NOTICE, "#чат", "bob", "two", "#чат", 2),
    (Kind.PRIVMSG, "alice", "bob", "and back", "alice bob", 2),
    (Kind.PRIVMSG, "bob", "Alice", "\x01VERSION\x01", "", 0),
    (Kind.PRIVMSG, "bob", "Alice", "\x01ACTION waves\x01", "alice bob", 3),
    (Kind.NOTICE, "*", "Alice", "to all", "", 0),
    (Kind.TAGMSG, "#чат", "bob", "", "#чат", 3),
    (Kind.PRIVMSG, "иван", "Иван", "note to myself", "иван иван", 1),
    (Kind.PRIVMSG, "иван", "bob", "privet", "bob иван", 1),
    (Kind.PART, "#чат", "Иван", "", "#чат", 0),
    (Kind.OFFLINE, "", "Иван", "", "", 0),
]
"""Kind, target, sender, text; and what is to be found out: conversation and number."""
WANTED = [
    Entry(seq, run_of(f"id-{seq}", seq), 1_700_000_000_000 + seq, *said[:4], "+t", "", *said[4:])
    for seq, said in enumerate(SAID, 1)
]
OLD = [(entry.seq, entry.msgid, *entry[2:8]) for entry in WANTED]
PAIRS = [("alice", "alice bob"), ("bob", "alice bob"), ("bob", "bob иван"), ("иван", "bob иван")]


@pytest.fixture
def path(tmp_path):
    """A file of version 1, in WAL mode as a server left it."""
    with closing(sqlite3.connect(tmp_path / "chat.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(VERSION_1)
        database.executemany(f"INSERT INTO entries VALUES ({', '.join('?' * 8)})", OLD)
        database.commit()
    return tmp_path / "chat.db"


def rows(path, query="SELECT * FROM entries ORDER BY seq"):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def version(path):
    return rows(path, "PRAGMA user_version")[0][0]


def is_version_1(path):
    return version(path) == 1 and rows(path) == OLD and rows(path, "PRAGMA integrity_check") == [("ok",)]


def check(path):
    """Everything is there as this version wants it."""
    log = SqliteLog(path, conversation)
    assert log.last() == WANTED[-1]
    assert [log.number(where) for where in ("#чат", "alice bob", "bob иван", "#no")] == [3, 3, 1, 0]
    assert list(log.state()) == [entry for entry in WANTED if 10 <= entry.kind <= 19]
    log.close()
    assert version(path) == VERSION
    assert rows(path) == [tuple(entry) for entry in WANTED]
    found = rows(path, "SELECT * FROM correspondence ORDER BY account, conversation")
    assert sorted({*PAIRS, ("иван", "иван иван")}) == found
    assert rows(path, "SELECT * FROM latest") == []


def test_it_becomes_this_version(path):
    """Conversations, their numbers and who wrote to whom are found out; nothing else changes."""
    check(path)
    check(path)


def test_the_tables_are_those_of_a_new_file(path, tmp_path):
    """Column by column and index by index: the same code works on both."""
    SqliteLog(path, conversation).close()
    SqliteLog(tmp_path / "new.db", conversation).close()
    names = "SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2"
    assert rows(path, names) == rows(tmp_path / "new.db", names)
    for table in ("entries", "correspondence", "latest"):
        query = f"SELECT * FROM pragma_table_info('{table}')"
        assert rows(path, query) == rows(tmp_path / "new.db", query)


def test_the_old_file_is_kept(path):
    """Whole, readable by the old version, and by nobody else."""
    SqliteLog(path, conversation).close()
    copy = path.with_name("chat.db.v1")
    assert is_version_1(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert not path.with_name("chat.db.v1.new").exists()


def test_a_new_file_has_no_copy(tmp_path):
    """Nor has one of this version."""
    for _ in range(2):
        SqliteLog(tmp_path / "chat.db", conversation).close()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["chat.db", "chat.db.lock"]


@pytest.mark.parametrize("statement", ["CREATE INDEX entries_said", "CREATE TABLE latest", "INSERT OR IGNORE"])
def test_a_migration_that_fails_changes_nothing(path, monkeypatch, statement):
    """One transaction: it is done again from the beginning."""
    for name in ("_FROM_1", "_BESIDES", "_PAIRS"):
        broken = getattr(schema, name).replace(statement, f"SELECT * FROM nonsense; {statement}", 1)
        monkeypatch.setattr(schema, name, broken)
    with pytest.raises(LogError, match="nonsense"):
        SqliteLog(path, conversation)
    assert is_version_1(path)
    monkeypatch.undo()
    check(path)
    assert is_version_1(path.with_name("chat.db.v1"))


def test_a_place_for_the_copy_that_is_missing(path):
    """No copy, no migration."""
    path.with_name("chat.db.v1.new").mkdir()
    with pytest.raises(LogError):
        SqliteLog(path, conversation)
    assert is_version_1(path)
    path.with_name("chat.db.v1.new").rmdir()
    check(path)


KILLED = """
import os, signal, sys
from pathlib import Path
from securechat.chat.conversations import conversation
from securechat.storage.log import SqliteLog

left = int(sys.argv[2])

def place(*entry):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return conversation(*entry)

SqliteLog(Path(sys.argv[1]), place)
"""


@pytest.mark.parametrize("entries", [0, 1, len(SAID) - 1])
def test_a_process_killed_in_the_middle_of_it(path, entries):
    """The next one finds version 1 and does it."""
    done = subprocess.run([sys.executable, "-c", KILLED, path, str(entries)], check=False, timeout=30)
    assert done.returncode == -9
    assert is_version_1(path)
    assert is_version_1(path.with_name("chat.db.v1"))
    check(path)


def test_the_old_file_can_be_restored(path, tmp_path):
    """The copy is a log of a version that is known."""
    SqliteLog(path, conversation).close()
    done = in_process("restore", path.with_name("chat.db.v1"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert is_version_1(path)
    check(path)
