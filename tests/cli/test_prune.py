"""`prune --keep` and `serve --keep`: what is old goes, what the server stands on stays."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from threading import Event, Thread

import pytest
from helpers.commands import in_process, refused, securechat
from helpers.homes import PASSWORDS
from helpers.logs import DAY, fill, said
from helpers.process import Serving

from securechat.chat.conversations import conversation
from securechat.records import Draft, Entry, Kind
from securechat.storage.log import LogError, SqliteLog
from securechat.storage.retention import Pruning

NOW = time.time_ns() // 1_000_000


def _old(path):
    """What was said ten days ago, and today."""
    fill(
        path,
        Draft(Kind.ONLINE, "", "bob"),
        Draft(Kind.CREATE, "#x", "bob", "#X"),
        Draft(Kind.JOIN, "#x", "bob"),
        Draft(Kind.TOPIC, "#x", "bob", "stays"),
        said("#x", "bob", "old one"),
        said("#y", "bob", "old and last in y"),
        said("alice", "bob", "old and last of two"),
        said("*", "alice", "old to all", Kind.NOTICE),
        said("#x", "bob", "old two"),
        Draft(Kind.OFFLINE, "", "bob"),
        start=NOW - 10 * DAY,
    )
    fill(path, said("#x", "Иван", "new"), start=NOW - 10_000)


def _rows(path, columns="kind, text"):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f"SELECT {columns} FROM entries ORDER BY seq").fetchall()


LEFT = [(14, "#X"), (10, ""), (12, "stays"), (5, ""), (5, ""), (1, "new")]


def test_prune(tmp_path):
    """What was said and who came and went; never the state, and each conversation counts on."""
    path = tmp_path / "chat.db"
    _old(path)
    assert "old and last in y" in in_process("search", "old", cwd=tmp_path).stdout
    done = in_process("prune", "--keep", "9", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "7 entries older than 9 days are gone.\n"), done.stderr
    assert _rows(path) == LEFT
    with closing(sqlite3.connect(tmp_path / "search.db")) as index:
        assert index.execute("SELECT text FROM lines").fetchall() == [("new",)]
    assert in_process("search", "old", cwd=tmp_path).stdout == ""
    assert in_process("prune", "--keep", "9", cwd=tmp_path).stdout == "0 entries older than 9 days are gone.\n"
    log = SqliteLog(path, conversation)
    assert [log.number(where) for where in ("#x", "#y", "alice bob")] == [3, 1, 1]
    assert [entry.text for entry in log.state()] == ["#X", "", "stays"]
    log.close()
    assert b"old and last" not in path.read_bytes()


def test_everything_is_old(tmp_path):
    """The newest entry keeps its place: numbers are never given twice."""
    path = tmp_path / "chat.db"
    for drafts in ([said("*", "alice", "to all", Kind.NOTICE)], [Draft(Kind.OFFLINE, "", "bob")]):
        fill(path, said("#x", "bob", "old"), *drafts, start=NOW - 10 * DAY)
        newest = _rows(path, "seq")[-1]
        assert in_process("prune", "--keep", "1", cwd=tmp_path).returncode == 0
        assert _rows(path, "seq")[-1] == newest


def test_what_cannot_be_pruned(tmp_path):
    """One sentence."""
    assert "There is no log in" in refused("prune", "--keep", "1", cwd=tmp_path)
    assert "Missing option '--keep'" in refused("prune", cwd=tmp_path, code=2)
    assert "--keep" in refused("prune", "--keep", "0", cwd=tmp_path, code=2)
    _old(tmp_path / "chat.db")
    with closing(sqlite3.connect(tmp_path / "chat.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "database is locked" in refused("prune", "--keep", "1", cwd=tmp_path)


@pytest.mark.parametrize("how", ["option", "file", "environment"])
def test_serve(home, how):
    """A server lets go of it by itself, and goes on counting."""
    _old(home.log)
    if how == "file":
        (home.path / "securechat.toml").write_text("[serve]\nkeep = 9\n")
    code = 'import os; os.environ["SECURECHAT_SERVE_KEEP"] = "9"' if how == "environment" else ""
    server = Serving(home.path, *(["--keep", "9"] if how == "option" else []), code=code)
    try:
        deadline = time.monotonic() + 20
        while "let go of 7 entries" not in server.said():
            assert time.monotonic() < deadline, server.said()
            time.sleep(0.05)
        assert _rows(home.log)[: len(LEFT)] == LEFT
        wire = server.dial().login("alice", PASSWORDS["alice"], "echo-message")
        wire.send("JOIN #y", "PRIVMSG #y :more")
        wire.expect("PRIVMSG #y :more")
        wire.close()
    finally:
        assert server.stop() == 0
    said_in_y = [row for row in _rows(home.log, "conversation, kind, text, number") if row[0] == "#y" and row[3]]
    assert said_in_y == [("#y", 5, "", 1), ("#y", 1, "more", 2)]


def test_without_keep_nothing_goes(home):
    """The default is for ever."""
    _old(home.log)
    before = _rows(home.log)
    server = Serving(home.path)
    time.sleep(0.3)
    assert server.stop() == 0
    assert _rows(home.log)[: len(before)] == before


def test_commits_go_on_meanwhile(tmp_path):
    """A server's commits are not held up by pruning a large log, which takes many small transactions."""
    path = tmp_path / "chat.db"
    fill(path, *[said("#x", "bob", "word " * 20)] * 40_000, start=NOW - 10 * DAY, step=1)
    log, slowest, ended, failed = SqliteLog(path, conversation), [0.0], Event(), []

    def write():
        seq = 40_000
        while not ended.is_set():
            seq += 1
            began = time.monotonic()
            try:
                log.append([Entry(seq, "new", NOW, Kind.PRIVMSG, "#x", "bob", "x", "", "", "#x", seq)])
            except LogError as error:
                failed.append(error)
            slowest.append(time.monotonic() - began)
            time.sleep(0.001)

    writer = Thread(target=write)
    writer.start()
    try:
        done = securechat("prune", "--keep", "9", cwd=tmp_path)
    finally:  # a command that takes too long is a failure, and must not leave a thread that writes for ever
        ended.set()
        writer.join()
        log.close()
    assert done.returncode == 0, done.stderr
    assert not failed
    assert max(slowest) < 1
    assert {text for _, text in _rows(path)} <= {"x", ""}


def test_one_step_is_bounded(tmp_path):
    """However much there is to let go."""
    path = tmp_path / "chat.db"
    fill(path, *[said("#x", "bob", "word")] * 2500, start=NOW - 10 * DAY, step=1)
    taken = [0]
    with Pruning(path, NOW) as pruning:
        while pruning.step():
            taken.append(pruning.taken)
        taken.append(pruning.taken)
    assert taken == [0, 1000, 2000, 2500]
