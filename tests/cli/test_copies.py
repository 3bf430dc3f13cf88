"""`backup` and `restore`: the log put away and put back."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing

import pytest
from helpers.commands import in_process, refused, securechat
from helpers.homes import PASSWORDS
from helpers.logs import DAY, NOON, fill, said
from helpers.process import Serving

from securechat.storage.schema import VERSION


@pytest.fixture
def kept(tmp_path):
    """A home with a log."""
    home = tmp_path / "kept"
    home.mkdir()
    fill(home / "chat.db", said("#x", "Иван", "привет"), said("#x", "bob", "bye"))
    return home


def _texts(path):
    with closing(sqlite3.connect(path)) as database:
        return [text for (text,) in database.execute("SELECT text FROM entries ORDER BY seq")]


def _run(*arguments):
    done = in_process(*arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_there_and_back(kept, tmp_path):
    """What came after the backup is in the file that is kept beside; the index is made anew."""
    path, file = kept / "chat.db", tmp_path / "backup.db"
    assert _run("backup", file, "--home", kept) == f"{file} is a copy of {path}.\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == ["backup.db", "kept"]
    fill(path, said("#x", "bob", "later"), start=NOON + DAY)
    assert "later" in _run("search", "later", "--home", kept)
    assert _run("restore", file, "--home", kept) == (
        f"{path} is as in {file}.\nWhat it was is in {path}.before-restore.\n"
    )
    assert _texts(path) == _texts(file) == ["привет", "bye"]
    assert _texts(f"{path}.before-restore") == ["привет", "bye", "later"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in kept.iterdir()} == {0o600}
    assert _run("search", "later", "--home", kept) == ""
    assert "bye" in _run("search", "bye", "--home", kept)


def test_into_an_empty_home(kept, tmp_path):
    """A new machine."""
    _run("backup", tmp_path / "backup.db", "--home", kept)
    (tmp_path / "new").mkdir()
    _run("restore", tmp_path / "backup.db", "--home", tmp_path / "new")
    assert _texts(tmp_path / "new" / "chat.db") == ["привет", "bye"]


def test_a_file_that_is_there(kept, tmp_path):
    """It is not overwritten unless that is asked for; the log itself never."""
    file = tmp_path / "backup.db"
    file.write_text("mine")
    assert "--force" in refused("backup", file, "--home", kept)
    assert file.read_text() == "mine"
    _run("backup", file, "--force", "--home", kept)
    assert _texts(file) == ["привет", "bye"]
    for other in (kept / "chat.db", tmp_path):
        assert "not to be replaced" in refused("backup", other, "--force", "--home", kept)
    assert "cannot be written" in refused("backup", tmp_path / "no" / "x", "--home", kept)
    assert "There is no log" in refused("backup", tmp_path / "x", "--home", tmp_path)


def test_a_server_that_was_killed(kept, tmp_path):
    """What is in its write-ahead log only is kept too, and is not put into the file that is restored."""
    _run("backup", tmp_path / "backup.db", "--home", kept)
    with closing(sqlite3.connect(kept / "chat.db")) as database:
        database.execute("UPDATE entries SET text = 'in the wal'")
        database.commit()
        killed = tmp_path / "killed"
        shutil.copytree(kept, killed)
    assert (killed / "chat.db-wal").stat().st_size
    _run("restore", tmp_path / "backup.db", "--home", killed)
    assert _texts(killed / "chat.db") == ["привет", "bye"]
    assert _texts(killed / "chat.db.before-restore") == ["in the wal"] * 2


def test_a_damaged_log_is_replaced(kept, tmp_path):
    """That is what a backup is for; the damaged one is kept as it lies there."""
    _run("backup", tmp_path / "backup.db", "--home", kept)
    (kept / "chat.db").write_bytes(b"garbage" * 1000)
    _run("restore", tmp_path / "backup.db", "--home", kept)
    assert _texts(kept / "chat.db") == ["привет", "bye"]
    assert (kept / "chat.db.before-restore").read_bytes() == b"garbage" * 1000


def test_files_that_are_no_backups(kept, tmp_path):
    """One sentence, and the log is left alone."""
    file = tmp_path / "backup.db"
    before = (kept / "chat.db").read_bytes()
    assert "There is no file" in refused("restore", file, "--home", kept)
    file.write_bytes(b"garbage" * 1000)
    assert "is no log of securechat" in refused("restore", file, "--home", kept)
    file.unlink()
    _run("backup", file, "--home", kept)
    whole = file.read_bytes()
    file.write_bytes(whole[:8192] + b"\xff" * 12288 + whole[20480:])
    assert "is damaged" in refused("restore", file, "--home", kept)
    file.write_bytes(whole)
    with closing(sqlite3.connect(file)) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    assert "newer securechat" in refused("restore", file, "--home", kept)
    assert "is the log itself" in refused("restore", kept / "chat.db", "--home", kept)
    assert "has no folder" in refused("restore", file, "--home", tmp_path / "nowhere")
    assert (kept / "chat.db").read_bytes() == before
    assert not (kept / "chat.db.before-restore").exists()


def test_a_running_server(home, tmp_path):
    """Backs up from it; restores only once it is stopped."""
    file = tmp_path / "backup.db"
    server = Serving(home.path)
    try:
        wire = server.dial().login("alice", PASSWORDS["alice"], "echo-message")
        wire.send("PRIVMSG #lobby :hello there")
        wire.expect("hello there")
        done = securechat("--home", home.path, "backup", file)
        assert done.returncode == 0, done.stderr
        assert "hello there" in _texts(file)
        wire.send("PRIVMSG #lobby :and later")
        wire.expect("and later")
        assert "stop it first" in refused("restore", file, "--home", home.path)
        wire.close()
    finally:
        assert server.stop() == 0
    assert securechat("restore", file, SECURECHAT_HOME=str(home.path)).returncode == 0
    server = Serving(home.path)
    assert server.stop() == 0
    assert "and later" not in _texts(home.log)
