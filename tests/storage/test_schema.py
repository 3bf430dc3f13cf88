"""A log of the first version becomes one of today's: in one transaction, with the old file beside it."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing

import pytest
from helpers.archive import MOST_BYTES, open_log, reader

from securechat.chat.conversations import conversation
from securechat.records import Kind, Missed, Targets
from securechat.storage.history import SqliteHistory
from securechat.storage.log import LogError, SqliteLog

FIRST = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, msgid TEXT NOT NULL UNIQUE, time INTEGER NOT NULL, kind INTEGER NOT NULL,
    target TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL, tags TEXT NOT NULL
) STRICT;
CREATE INDEX entries_state ON entries (seq) WHERE kind BETWEEN 10 AND 19;
PRAGMA user_version = 1;
"""
SAID = [
    (Kind.CREATE, "#x", "bob", "#x"), (Kind.JOIN, "#x", "bob", ""), (Kind.PRIVMSG, "#x", "bob", "one"),
    (Kind.PRIVMSG, "иван", "bob", "direct"), (Kind.PRIVMSG, "bob", "Иван", "answer"),
    (Kind.NOTICE, "*", "bob", "all"), (Kind.PRIVMSG, "bob", "bob", "note"),
    (Kind.PRIVMSG, "#x", "bob", "\x01PING 1\x01"), (Kind.TAGMSG, "#x", "Иван", ""),
    (Kind.PRIVMSG, "#x", "bob", "two"),
]  # fmt: skip
WANTED = [("", 0), ("#x", 0), ("#x", 1), ("bob иван", 1), ("bob иван", 2), ("", 0), ("bob bob", 1), ("", 0),
          ("#x", 2), ("#x", 3)]  # fmt: skip


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "chat.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(FIRST)
        rows = [(seq, f"id-{seq}", seq * 10, *said, "") for seq, said in enumerate(SAID, 1)]
        database.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.commit()
    path.chmod(0o600)
    return path


def test_everything_gets_its_place(old):
    with closing(open_log(old)) as log:
        rows = log._database.execute("SELECT conversation, number FROM entries ORDER BY seq").fetchall()
        assert rows == WANTED
        assert [entry.text for entry in log.state()] == ["#x", ""]
        assert [log.number(where) for where in ("#x", "bob иван", "bob bob")] == [3, 2, 1]
        last = log.last()
        assert last is not None
        log.append([last._replace(seq=11, run="new", number=4, key="k")])
        with closing(SqliteHistory(old, MOST_BYTES)) as history:
            assert history.targets(Targets(reader("иван"), 0, 1000, 9)) == [("bob иван", 50)]
            found = history.missed(Missed(reader("bob", "#x"), 0, 99)).entries
            assert [entry.text for entry in found] == ["one", "direct", "answer", "note", "two", "two"]
    with closing(open_log(old)) as log:  # nothing is done twice
        assert log._database.execute("SELECT count(*) FROM entries").fetchone() == (11,)


def test_its_tables_are_those_of_a_new_one(old, tmp_path):
    """But for the order in which they were made."""
    schemas = []
    for path in (old, tmp_path / "new.db"):
        with closing(open_log(path)) as log:
            shape = [
                [row[1:] for row in log._database.execute(f"PRAGMA table_info({table})")]
                for table in ("entries", "correspondence", "latest")
            ]
            query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
            schemas.append((shape, log._database.execute(query).fetchall()))
    assert schemas[0] == schemas[1]


def test_the_old_file_stays_beside_it(old):
    open_log(old).close()
    copy = old.with_name("chat.db.v1")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert database.execute("SELECT count(*) FROM entries").fetchone() == (len(SAID),)
    assert sorted(path.name for path in old.parent.glob("chat.db*")) == ["chat.db", "chat.db.lock", "chat.db.v1"]


def test_what_fails_on_the_way_leaves_it_as_it_was(old):
    def broken(*_):
        raise ValueError

    with pytest.raises(LogError):
        SqliteLog(old, broken)
    with closing(sqlite3.connect(old)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert len(database.execute("SELECT * FROM entries").fetchone()) == 8
    with closing(SqliteLog(old, conversation)) as log:
        assert log.number("#x") == 3


def test_a_copy_that_cannot_be_made_leaves_it_as_it_was(old):
    old.with_name("chat.db.v1").mkdir()
    with pytest.raises(LogError):
        open_log(old)
    with closing(sqlite3.connect(old)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)


def test_who_was_forgotten_has_spoken_to_nobody(old):
    with closing(sqlite3.connect(old)) as database:
        database.execute("INSERT INTO entries VALUES (11, 'id-11', 200, 13, 'иван', '', '', '')")
        database.execute("INSERT INTO entries VALUES (12, 'id-12', 210, 1, 'иван', 'carol', 'x', '')")
        database.commit()
    with closing(open_log(old)), closing(SqliteHistory(old, MOST_BYTES)) as history:
        assert [where for where, _ in history.targets(Targets(reader("иван"), 0, 1000, 9))] == ["carol иван"]
        assert len(history.targets(Targets(reader("bob"), 0, 1000, 9))) == 2
