"""`history` and `search` as whoever runs the server types them."""

from __future__ import annotations

import sqlite3

import pytest
from helpers.commands import at_terminal, finish, in_process, refused, securechat
from helpers.homes import PASSWORDS
from helpers.logs import DAY, NOON, fill, said
from helpers.process import Serving

from securechat.records import Draft, Kind
from securechat.storage.schema import VERSION


@pytest.fixture
def kept(tmp_path):
    """A home with a log of some conversations."""
    fill(
        tmp_path / "chat.db",
        Draft(Kind.CREATE, "#чат", "", "#Чат"),
        Draft(Kind.JOIN, "#чат", "Иван"),
        said("#Чат", "Иван", "привет, мир"),
        said("#dev", "alice", "\x01ACTION waves\x01"),
        said("bob", "alice", "for bob only"),
        said("#dev", "bob", "one\ntwo \x1b[31mred\x1b[0m\nlong \rer\x07"),
        said("*", "alice", "down at eight", Kind.NOTICE),
        said("#dev", "bob", "\x01VERSION\x01"),
        said("#dev", "bob", "taken back"),
        Draft(Kind.REDACT, "#dev", "bob", "id-9"),
    )
    fill(tmp_path / "chat.db", said("alice", "bob", "and back", Kind.NOTICE), start=NOON + DAY)
    return tmp_path


def _shown(home, *arguments):
    done = in_process("history", *arguments, "--home", home)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()


def test_everything(kept):
    """What was said, in order, readable, and nothing that a terminal would obey."""
    assert _shown(kept) == [
        "-- 2026-01-31",
        "[12:02] #чат <Иван> привет, мир",
        "[12:03] #dev * alice waves",
        "[12:04] alice -> bob: for bob only",
        "[12:05] #dev <bob> one",
        "        two red",
        "        long er",
        "[12:06] * -alice- down at eight",
        "-- 2026-02-01",
        "[12:00] bob -> alice: (notice) and back",
    ]


def test_a_target(kept):
    """A channel, whatever its letter case, or an account's direct messages with everybody."""
    assert _shown(kept, "#ЧАТ") == ["-- 2026-01-31", "[12:02] #чат <Иван> привет, мир"]
    assert [line[8:] for line in _shown(kept, "Alice") if line.startswith("[")] == [
        "alice -> bob: for bob only",
        "bob -> alice: (notice) and back",
    ]
    assert _shown(kept, "carol") == _shown(kept, "#nowhere") == []


def test_limit_and_since(kept):
    """The newest, or the first since a date."""
    assert _shown(kept, "--limit", "1")[1:] == ["[12:00] bob -> alice: (notice) and back"]
    assert _shown(kept, "--since", "2026-02-01") == _shown(kept, "--limit", "1")
    assert _shown(kept, "--since", "2026-01-31T12:03", "--limit", "1")[1:] == ["[12:03] #dev * alice waves"]
    assert len(_shown(kept, "--limit", "0")) == 10
    assert "--since yesterday: want a date" in refused("history", "--since", "yesterday", "--home", kept)


@pytest.mark.parametrize("command", [("history",), ("search", "word")])
def test_a_log_that_cannot_be_read(tmp_path, command):
    """One sentence, and the file is left alone."""
    path = tmp_path / "chat.db"
    assert "There is no log in" in refused(*command, cwd=tmp_path)
    assert not path.exists()
    path.write_bytes(b"no database at all" * 100)
    assert "is no log of securechat" in refused(*command, cwd=tmp_path)
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE mine (text TEXT)")
    database.close()
    assert "is no log of securechat" in refused(*command, cwd=tmp_path)
    path.unlink()
    fill(path, said("#x", "a", "b"))
    for version, words in ((VERSION + 1, "newer securechat"), (VERSION - 1, "older securechat")):
        with sqlite3.connect(path) as database:
            database.execute(f"PRAGMA user_version = {version}")
        database.close()
        assert words in refused(*command, cwd=tmp_path)


def _found(home, *arguments):
    done = in_process("--home", home, "search", *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return [line[8:] for line in done.stdout.splitlines() if line.startswith("[")]


def test_search(kept):
    """All words, parts of words, direct messages too; what was taken back is gone."""
    assert _found(kept, "ПРИВЕТ") == ["#чат <Иван> привет, мир"]
    assert _found(kept, "риве", "мир") == ["#чат <Иван> привет, мир"]
    assert _found(kept, "only") == ["alice -> bob: for bob only"]
    assert _found(kept, "taken") == _found(kept, "word") == []
    assert _found(kept, "bo") == ["alice -> bob: for bob only"]


def test_search_within(kept):
    """In a channel, from somebody, since a date; names in any letter case."""
    fill(kept / "chat.db", said("#dev", "Иван", "привет"), said("#dev", "bob", "привет"), start=NOON + 2 * DAY)
    assert _found(kept, "привет", "--in", "#DEV") == ["#dev <Иван> привет", "#dev <bob> привет"]
    assert _found(kept, "привет", "--from", "ИВАН") == ["#чат <Иван> привет, мир", "#dev <Иван> привет"]
    assert _found(kept, "привет", "--since", "2026-02-02", "--limit", "1") == ["#dev <Иван> привет"]
    assert _found(kept, "привет", "--limit", "1") == ["#dev <bob> привет"]
    assert "There is nothing to search for" in refused("search", " ", cwd=kept)
    assert "--since 31.1.: want a date" in refused("search", "x", "--since", "31.1.", cwd=kept)


def test_beside_a_running_server(home):
    """Both see what a server that runs has just kept."""
    server = Serving(home.path)
    try:
        wire = server.dial().login("alice", PASSWORDS["alice"], "echo-message")
        wire.send("PRIVMSG #lobby :hello there")
        wire.expect("hello there")
        for command in (["history"], ["search", "hello"]):
            done = securechat(*command, cwd=home.path)
            assert done.stdout.endswith("#lobby <alice> hello there\n"), done.stderr
        wire.close()
    finally:
        assert server.stop() == 0
    assert securechat("history", SECURECHAT_HOME=str(home.path)).stdout.endswith("<alice> hello there\n")


def test_progress(tmp_path):
    """A long indexing is shown at a terminal."""
    fill(tmp_path / "chat.db", *(said("#x", "bob", f"number {number}") for number in range(9000)), step=1)
    code, shown = finish(at_terminal("search", "number 8999", cwd=tmp_path))
    assert code == 0
    assert "Indexing" in shown
    assert "<bob> number 8999" in shown
