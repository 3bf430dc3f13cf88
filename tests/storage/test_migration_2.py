"""A file of version 2, as that version made it, becomes one of this version; nothing of it is lost."""

from __future__ import annotations

import json
import logging
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from helpers.archive import MOST_BYTES, reader
from helpers.commands import in_process, refused

from securechat.chat.conversations import conversation
from securechat.protocol.names import fold
from securechat.records import Entry, Kind, Lookup, Page, Place, Scope, Search, Targets, run_of
from securechat.storage import schema
from securechat.storage.history import SqliteHistory
from securechat.storage.log import LogError, SqliteLog
from securechat.storage.schema import VERSION
from securechat.storage.search import SearchIndex

VERSION_2 = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY,
    msgid TEXT NOT NULL UNIQUE,
    time INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    target TEXT NOT NULL,
    sender TEXT NOT NULL,
    text TEXT NOT NULL,
    tags TEXT NOT NULL,
    key TEXT NOT NULL DEFAULT '',
    conversation TEXT NOT NULL DEFAULT '',
    number INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX entries_state ON entries (seq) WHERE kind BETWEEN 10 AND 19;
CREATE INDEX entries_time ON entries (time);
CREATE INDEX entries_said ON entries (conversation, seq) WHERE number > 0;
CREATE INDEX entries_events ON entries (conversation, seq) WHERE number = 0 AND conversation <> '';
CREATE INDEX entries_key ON entries (key) WHERE key <> '';
CREATE INDEX entries_keyed ON entries (time) WHERE key <> '';
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
PRAGMA user_version = 2;
"""
"""As securechat/storage/schema.py had it."""

RUN = "19ab3f0c2d1a1b2c3"
NOON = 1_764_000_000_000
SAID = [
    (1, f"{RUN}-1", 0, 14, "#чат", "Иван", "#Чат", "", "", "#чат", 0),
    (2, f"{RUN}-2", 0, 10, "#чат", "Иван", "", "", "", "#чат", 0),
    (3, f"{RUN}-3", 5, 1, "#чат", "Иван", "привет needle", "+draft/reply=x", "k1", "#чат", 1),
    (4, f"{RUN}-4", 5, 1, "bob", "alice", "hi needle", "", "", "alice bob", 1),
    (5, f"{RUN}-5", 9, 5, "#чат", "Иван", "", "", "k2", "#чат", 2),
    (6, f"{RUN}-6", 9, 4, "#чат", "Иван", f"{RUN}-5 sorry", "", "", "#чат", 3),
    (7, "brought from elsewhere", 20, 1, "#чат", "bob", "foreign needle", "", "", "#чат", 4),
    (8, "other-8f", 20, 2, "#чат", "bob", "foreign too", "", "", "#чат", 5),
    (9, "~odd-9", 21, 3, "#чат", "bob", "", "+draft/react=x", "", "#чат", 6),
    (0x1A, "later0001-1a", 30, 1, "#чат", "bob", "after a gap", "", "k1", "#чат", 7),
    (0x1B, "later0001-1b", 30, 21, "", "bob", "", "", "", "", 0),
]
ROWS = [(seq, msgid, NOON + time, *rest) for seq, msgid, time, *rest in SAID]
WANTED = [Entry(row[0], run_of(row[1], row[0]), row[2], Kind(row[3]), *row[4:]) for row in ROWS]
FOREIGN = [7, 8, 9]
PAIRS = [("alice", "alice bob"), ("bob", "alice bob")]
LATEST = [(40, "bob", "#чат", str(NOON)), (41, "bob", "phone", "8")]


@pytest.fixture
def path(tmp_path):
    """A file of version 2, in WAL mode as a server left it."""
    with closing(sqlite3.connect(tmp_path / "chat.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(VERSION_2)
        database.executemany(f"INSERT INTO entries VALUES ({', '.join('?' * 11)})", ROWS)
        database.executemany("INSERT INTO correspondence VALUES (?, ?)", PAIRS)
        database.executemany("INSERT INTO latest VALUES (?, ?, ?, ?)", LATEST)
        database.commit()
    return tmp_path / "chat.db"


def rows(path, query="SELECT * FROM entries ORDER BY seq"):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def is_version_2(path):
    whole = rows(path, "PRAGMA integrity_check") == [("ok",)]
    return rows(path, "PRAGMA user_version") == [(2,)] and rows(path) == ROWS and whole


def check(path):
    """Every row of every table is there as this version wants it."""
    with closing(SqliteLog(path, conversation)) as log:
        assert log.last() == WANTED[-1]
        assert [log.number(where) for where in ("#чат", "alice bob")] == [7, 1]
        assert list(log.state()) == WANTED[:2]
        assert [entry.seq for entry in log.keyed(0, 9)] == [3, 5, 0x1A]
    assert rows(path, "PRAGMA user_version") == [(VERSION,)]
    assert rows(path) == [tuple(entry) for entry in WANTED]
    assert [entry.msgid for entry in WANTED] == [row[1] for row in ROWS]
    assert rows(path, "SELECT seq FROM entries WHERE run >= '~' ORDER BY seq") == [(seq,) for seq in FOREIGN]
    assert rows(path, "SELECT * FROM correspondence ORDER BY 1") == PAIRS
    assert rows(path, "SELECT * FROM latest ORDER BY 1") == LATEST
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_it_becomes_this_version(path):
    """And is left alone from then on; what it was is kept beside it."""
    check(path)
    check(path)
    copy = path.with_name("chat.db.v2")
    assert is_version_2(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert not path.with_name("chat.db.v1").exists()


def test_the_tables_are_those_of_a_new_file(path, tmp_path):
    """To the letter: the same code works on both."""
    SqliteLog(path, conversation).close()
    SqliteLog(tmp_path / "new.db", conversation).close()
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2"
    assert rows(path, query) == rows(tmp_path / "new.db", query)


def test_it_is_read_as_before(path):
    """By msgid, by moment and by key; and what was said then can be taken back."""
    with closing(SqliteLog(path, conversation)) as log, closing(SqliteHistory(path, MOST_BYTES)) as history:

        def texts(**places):
            return [entry.text for entry in history.page(Page(Scope("#чат"), 99, **places)).entries]

        for entry in WANTED:
            assert history.lookup(Lookup(entry.msgid)) == entry
        assert history.lookup(Lookup(sender="Иван", key="k2")).kind is Kind.REDACTED
        everything = ["привет needle", "foreign needle", "foreign too", "after a gap"]
        assert texts() == everything
        for number, entry in enumerate([WANTED[2], WANTED[6], WANTED[7], WANTED[9]]):
            assert texts(after=Place(entry.msgid)) == everything[number + 1 :]
            assert texts(before=Place(entry.msgid)) == everything[:number]
        assert texts(after=Place(time=NOON + 5)) == everything[1:]
        assert texts(before=Place(time=NOON + 21)) == everything[:3]
        found = history.targets(Targets(reader("bob", Scope("#чат")), 0, 2**53, 9))
        assert found == [("alice bob", NOON + 5), ("#чат", NOON + 30)]
        for seq, gone in enumerate([WANTED[2], WANTED[7]], 0x1C):
            text = f"{gone.msgid} why"
            log.append([gone._replace(seq=seq, run="id", kind=Kind.REDACT, text=text, key="", number=seq)])
            assert history.lookup(Lookup(gone.msgid)) == gone._replace(kind=Kind.REDACTED, text="", tags="")


def test_its_search_index_is_used_further(path, caplog):
    """Whose log it is, and how far it has come, it knows by a msgid."""
    with closing(sqlite3.connect(path.with_name("search.db"))) as made:
        made.executescript(
            "CREATE VIRTUAL TABLE lines USING fts5 (text, tokenize = 'trigram', detail = none, columnsize = 0);"
            "CREATE TABLE done (seq INTEGER NOT NULL, msgid TEXT NOT NULL) STRICT;"
            "INSERT INTO lines (rowid, text) VALUES (3, 'привет needle'), (4, 'hi needle');"
            f"INSERT INTO done VALUES (6, '{RUN}-6'); PRAGMA user_version = 2;"
        )
    SqliteLog(path, conversation).close()
    with caplog.at_level(logging.WARNING), SearchIndex(path, fold, MOST_BYTES, 9) as index:
        found = index.search(Search(reader("bob", "#чат"), "needle", 9)).entries
    assert [entry.seq for entry in found] == [3, 4, 7]
    assert rows(path.with_name("search.db"), "SELECT * FROM done") == [(0x1B, "later0001-1b")]
    assert not caplog.records


def test_a_clock_that_was_set_back(path):
    """No version wrote such a file; were there one, its moments are put in order."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE entries SET time = time - 10 WHERE seq IN (6, 7)")
        database.commit()
    SqliteLog(path, conversation).close()
    times = [time - NOON for (time,) in rows(path, "SELECT time FROM entries ORDER BY seq")]
    assert times == [0, 0, 5, 5, 9, 9, 10, 20, 21, 30, 30]


@pytest.mark.parametrize("statement", ["INSERT INTO entries", "DROP TABLE former", "CREATE INDEX entries_key"])
def test_a_migration_that_fails_changes_nothing(path, monkeypatch, statement):
    """One transaction: it is done again from the beginning."""
    broken = schema._FROM_2.replace(statement, f"SELECT * FROM nonsense; {statement}", 1)
    monkeypatch.setattr(schema, "_FROM_2", broken)
    with pytest.raises(LogError, match="nonsense"):
        SqliteLog(path, conversation)
    assert is_version_2(path)
    monkeypatch.undo()
    check(path)
    assert is_version_2(path.with_name("chat.db.v2"))


KILLED = """
import os, signal, sys
from pathlib import Path
from securechat.chat.conversations import conversation
from securechat.storage import schema
from securechat.storage.log import SqliteLog

left, run_of = int(sys.argv[2]), schema.run_of

def killing(*entry):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return run_of(*entry)

schema.run_of = killing
SqliteLog(Path(sys.argv[1]), conversation)
"""


@pytest.mark.parametrize("entries", [0, 1, len(SAID) - 1])
def test_a_process_killed_in_the_middle_of_it(path, entries):
    """The next one finds version 2 and does it."""
    done = subprocess.run([sys.executable, "-c", KILLED, path, str(entries)], check=False, timeout=30)
    assert done.returncode == -9
    assert is_version_2(path)
    assert is_version_2(path.with_name("chat.db.v2"))
    check(path)


def test_commands_ask_for_the_server_first(path, tmp_path):
    """They read no older version; and the copy of one can be put back."""
    assert "run `securechat serve` once" in refused("history", cwd=tmp_path)
    SqliteLog(path, conversation).close()
    assert in_process("history", cwd=tmp_path).stdout.count("needle") == 3
    done = in_process("restore", path.with_name("chat.db.v2"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert is_version_2(path)
    check(path)


def test_an_export_says_msgids(path, tmp_path):
    """And an import takes them, whoever gave them."""
    SqliteLog(path, conversation).close()
    lines = in_process("export", cwd=tmp_path).stdout.splitlines()
    entries = [json.loads(line) for line in lines if '"entry"' in line]
    assert [entry["msgid"] for entry in entries] == [row[1] for row in ROWS]
    assert not any("run" in entry for entry in entries)
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "log.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    for imported in (len(ROWS), 0):
        done = in_process("import", tmp_path / "log.jsonl", "--home", other)
        assert done.stdout == f"{imported} entries imported.\n", done.stderr
    assert rows(other / "chat.db") == rows(path)
