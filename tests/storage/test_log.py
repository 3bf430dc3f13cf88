"""The contract of `storage.log.Log`, for every store there is; and what SQLite's file adds to it."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.memory import MemoryLog

from securechat.chat.conversations import conversation
from securechat.records import EPHEMERAL, LATEST, SAID, STATE, Entry, Kind
from securechat.storage.log import LogError, SqliteLog
from securechat.storage.schema import VERSION


def entry(seq: int, kind: Kind = Kind.PRIVMSG, text: str = "привет", tags: str = "") -> Entry:
    time = 1_700_000_000_000 + seq
    where = conversation(kind, "#lobby", "Иван", text)
    return Entry(seq, "id", time, kind, "#lobby", "Иван", text, tags, "", where, seq if kind in SAID else 0)


def open_log(path: Path) -> SqliteLog:
    return SqliteLog(path, conversation)


@pytest.fixture(params=["sqlite", "memory"])
def store(request, tmp_path):
    """Open a store; called again it opens the same one."""
    opened = []

    def start():
        opened.append(open_log(tmp_path / "log") if request.param == "sqlite" else MemoryLog())
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def reopen(store):
    """Close a store and open it again."""

    def again(one):
        if isinstance(one, MemoryLog):
            return one  # all that it has is in it
        one.close()
        return store()

    return again


class TestContract:
    """What the sequencer relies on, whatever the store."""

    def test_an_empty_log(self, store):
        log = store()
        assert (log.last(), log.began(), list(log.state())) == (None, None, [])

    def test_what_was_appended_is_there_after_reopening(self, store, reopen):
        log = store()
        odd = "\x01ACTION\x01 '\"; DROP TABLE entries; -- \U0001f600 \u202e" + "x" * 500
        kept = [entry(1), entry(2, Kind.NOTICE, odd, "+draft/reply=a\\:b;+y"), entry(3, Kind.TOPIC, "")]
        log.append(kept[:2])
        log.append(kept[2:])
        log = reopen(log)
        assert log.last() == kept[2]
        assert log.began() == kept[0].time
        assert list(log.state()) == kept[2:]

    def test_entries_come_back_as_they_were_given(self, store):
        log = store()
        for number, kind in enumerate(Kind, 1):
            if kind not in EPHEMERAL | LATEST:
                log.append([entry(number, kind, "text", "+t")])
                last = log.last()
                assert last == entry(number, kind, "text", "+t")
                assert isinstance(last, Entry)
                assert last.kind is kind

    def test_state_is_the_kinds_of_state_in_order(self, store):
        log = store()
        kinds = [kind for kind in Kind if kind not in EPHEMERAL | LATEST] * 50
        entries = [entry(number, kind) for number, kind in enumerate(kinds, 1)]
        log.append(entries)
        assert list(log.state()) == [one for one in entries if one.kind in STATE]

    def test_nothing_to_append_is_nothing(self, store):
        log = store()
        log.append([])
        assert log.last() is None

    def test_a_turn_is_kept_whole_or_not_at_all(self, store, reopen):
        log = store()
        log.append([entry(1)._replace(run="~of another server"), entry(2)])
        with pytest.raises(LogError):
            log.append([entry(3), entry(4), entry(2)._replace(run="other")])
        with pytest.raises(LogError):
            log.append([entry(3), entry(4)._replace(run="~of another server")])
        assert log.last() == entry(2)
        log.append([entry(3)])
        assert reopen(log).last() == entry(3)

    def test_many_entries_in_one_turn(self, store, reopen):
        log = store()
        log.append([entry(number, Kind.JOIN) for number in range(1, 20_001)])
        assert [one.seq for one in reopen(log).state()] == list(range(1, 20_001))

    def test_closing_twice_is_closing(self, store):
        log = store()
        log.close()
        log.close()


def said(first: int, count: int) -> list[Entry]:
    """Texts in a row from one person, as of one burst."""
    start = entry(first)
    return [start._replace(seq=first + n, number=first + n, text=f"{n} {'я' * n}") for n in range(count)]


def test_bursts_are_kept_as_their_entries(tmp_path):
    """More than one statement takes, and with everything before, between and behind that a turn can have."""
    taken_back = entry(205, Kind.REDACT, "id-3 why")
    read = Entry(0, "", 1, Kind.MARK, "#lobby", "иван", "5")
    turn = [read, entry(1, Kind.JOIN), *said(2, 130), *said(132, 2), entry(134), *said(135, 70), taken_back, read]
    bursts = [slice(2, 132), slice(132, 134), slice(135, 205)]
    assert [one.seq for one in turn if one.seq] == list(range(1, 206))
    rows = []
    for number, how in enumerate([(), bursts]):
        path = tmp_path / str(number)
        log = open_log(path)
        log.append(turn, how)
        log.close()
        with contextlib.closing(sqlite3.connect(path)) as file:
            rows.append(file.execute("SELECT * FROM entries ORDER BY seq").fetchall())
            assert file.execute("SELECT text FROM latest").fetchall() == [("5",)]
    assert rows[0] == rows[1]
    assert [row[6] for row in rows[1][1:4]] == ["0 ", "", "2 яя"]


def sentence(path) -> str:
    """What opening the file says: one sentence that names it."""
    with pytest.raises(LogError) as refused:
        open_log(path)
    text = str(refused.value)
    assert str(path) in text, text
    assert "\n" not in text, text
    assert text.endswith("."), text
    return text


class TestFile:
    """SQLite's file: who may read it, and what is said where it is none."""

    def test_another_server_on_the_same_log_is_refused(self, tmp_path):
        log = open_log(tmp_path / "log")
        with pytest.raises(LogError, match="in use by another securechat server") as refused:
            open_log(tmp_path / "log")
        assert str(tmp_path / "log") in str(refused.value)
        log.append([entry(1)])
        log.close()
        log = open_log(tmp_path / "log")
        assert log.last() == entry(1)
        log.close()

    def test_nobody_else_may_read_it(self, tmp_path):
        old = os.umask(0)
        try:
            log = open_log(tmp_path / "chat.db")
            log.append([entry(1)])
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
            log.close()
        finally:
            os.umask(old)
        assert modes == dict.fromkeys(["chat.db", "chat.db-wal", "chat.db-shm", "chat.db.lock"], 0o600)

    def test_it_is_synced_at_every_commit(self, tmp_path):
        log = open_log(tmp_path / "chat.db")
        synchronous, journal = (
            log._database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")
        )
        log.close()
        assert (synchronous, journal) == (2, "wal")

    def test_a_newer_file_is_refused_and_left_alone(self, tmp_path):
        path = tmp_path / "chat.db"
        open_log(path).close()
        with sqlite3.connect(path) as database:
            database.execute(f"PRAGMA user_version = {VERSION + 1}")
        database.close()
        assert "newer securechat" in sentence(path)
        assert "newer securechat" in sentence(path)  # and not "in use": the lock was let go

    @pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
    def test_a_file_that_is_something_else_is_refused_and_left_alone(self, tmp_path, content):
        path = tmp_path / "chat.db"
        path.write_bytes(content)
        sentence(path)
        assert path.read_bytes() == content

    def test_a_database_of_another_program_is_refused_and_left_alone(self, tmp_path):
        path = tmp_path / "chat.db"
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE entries (mine TEXT)")
        database.close()
        sentence(path)
        with sqlite3.connect(path) as database:
            assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("entries",)]
        database.close()

    def test_a_folder_in_its_place(self, tmp_path):
        (tmp_path / "chat.db").mkdir()
        assert "Check its disk, its owner and its mode" in sentence(tmp_path / "chat.db")

    def test_a_folder_that_is_not_there(self, tmp_path):
        sentence(tmp_path / "nowhere" / "chat.db")
        assert not (tmp_path / "nowhere").exists(), "a mistyped folder must not become a new one"

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_cannot_be_written(self, tmp_path):
        tmp_path.chmod(0o500)
        try:
            sentence(tmp_path / "chat.db")
        finally:
            tmp_path.chmod(0o700)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_file_that_cannot_be_read(self, tmp_path):
        open_log(tmp_path / "chat.db").close()
        (tmp_path / "chat.db").chmod(0)
        sentence(tmp_path / "chat.db")

    def test_an_entry_of_a_kind_that_is_not_known(self, tmp_path):
        log = open_log(tmp_path / "chat.db")
        log.append([entry(1)])
        log._database.execute("UPDATE entries SET kind = 19")
        with pytest.raises(LogError, match="cannot be read"):
            list(log.state())
        with pytest.raises(LogError, match="cannot be read"):
            log.last()
        log.close()

    def test_another_program_that_holds_it_is_waited_for_and_then_told(self, tmp_path, monkeypatch):
        monkeypatch.setattr("securechat.storage.log.BUSY_MILLISECONDS", 50)
        log = open_log(tmp_path / "chat.db")
        other = sqlite3.connect(tmp_path / "chat.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LogError, match="cannot be written: database is locked"):
            log.append([entry(1)])
        other.execute("ROLLBACK")
        other.close()
        log.append([entry(1)])
        assert log.last() == entry(1)
        log.close()

    def test_no_descriptor_is_left_behind(self, tmp_path):
        before = len(list(Path("/proc/self/fd").iterdir()))
        (tmp_path / "garbage").write_bytes(b"garbage" * 1000)
        for _ in range(5):
            log = open_log(tmp_path / "chat.db")
            log.append([entry(1)] if log.last() is None else [])
            with pytest.raises(LogError):
                open_log(tmp_path / "chat.db")
            log.close()
            sentence(tmp_path / "garbage")
        assert len(list(Path("/proc/self/fd").iterdir())) == before

    def test_what_is_taken_back_is_in_no_page_of_it(self, tmp_path):
        log = open_log(tmp_path / "chat.db")
        log.append([entry(1, text="secret" * 50), entry(2, text="kept" * 50)])
        log.append([entry(3, Kind.REDACT, "id-1 why")])
        log.close()
        content = (tmp_path / "chat.db").read_bytes()
        assert b"secret" not in content
        assert b"kept" in content


WRITER = """
import sys
from pathlib import Path
from securechat.chat.conversations import conversation
from securechat.records import Entry, Kind
from securechat.storage.log import SqliteLog

log = SqliteLog(Path(sys.argv[1]), conversation)
last = log.last()
seq = last.seq if last else 0
turn = int(last.text) if last else 0
while True:
    turn += 1
    size = turn % 7 * 50 + 1
    new = range(seq + 1, seq + size + 1)
    log.append([Entry(n, "id", n, Kind.PRIVMSG, "#x", str(size), str(turn)) for n in new])
    seq += size
    print(turn, flush=True)
"""


def test_a_process_killed_in_the_middle_of_commits_keeps_whole_turns(tmp_path):
    """Each turn that was acknowledged is there, and of no turn there is a part."""
    path, acknowledged = tmp_path / "chat.db", 0
    for round_ in range(15):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(1 + round_ * 3 % 11):
            acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        acknowledged = int(([acknowledged, *writer.stdout.read().split("\n")[:-1]])[-1])
        writer.wait()
        writer.stdout.close()
        log = open_log(path)
        rows = log._database.execute(
            "SELECT text, count(*), min(sender), max(sender) FROM entries GROUP BY text"
        ).fetchall()
        seqs = [seq for (seq,) in log._database.execute("SELECT seq FROM entries ORDER BY seq")]
        assert log._database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        log.close()
        turns = sorted(int(turn) for turn, *_ in rows)
        assert turns == list(range(1, len(turns) + 1))
        assert len(turns) in (acknowledged, acknowledged + 1)  # one may have been kept and not told any more
        assert all(int(low) == int(high) == count for _, count, low, high in rows)
        assert seqs == list(range(1, len(seqs) + 1))
        acknowledged = len(turns)
