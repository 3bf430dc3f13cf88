"""The disk fails in mid-conversation: nothing is shown that is not kept, nothing is lost or doubled afterwards.

A real server process, and real ways in which its files cannot be written.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from helpers.homes import PASSWORDS
from helpers.process import Serving

from securechat.config import Home

CAPS = ("batch", "draft/chathistory", "echo-message", "message-tags", "securechat/order", "server-time")
IMPATIENT = "from securechat.storage import log\nlog.BUSY_MILLISECONDS = 20"


class Trouble:
    """Something that keeps the server's files from being written, and its end. `needs` prepares the home."""

    code = ""

    def __init__(self, home: Path) -> None:
        self.home = home

    def prepare(self) -> None:
        """Before the server starts."""

    def clean(self) -> None:
        """After it has ended."""

    def begin(self, server: Serving) -> None:
        raise NotImplementedError

    def end(self, server: Serving) -> None:
        raise NotImplementedError


class NoFileMayGrow(Trouble):
    """RLIMIT_FSIZE: every write fails, as on a full disk."""

    def begin(self, server):
        server.limit_files(0)

    def end(self, server):
        server.limit_files(None)


class FullDisk(Trouble):
    """A small file system without a free block."""

    def prepare(self):
        mounted = shutil.which("mount") and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", str(self.home)],
            check=False,
            capture_output=True,
        )
        if not mounted or mounted.returncode:
            pytest.skip("a file system may not be mounted here, so none can be filled up")

    def clean(self):
        subprocess.run(["umount", str(self.home)], check=True)

    def begin(self, server):
        with (self.home / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(b"x" * 4096)

    def end(self, server):
        (self.home / "filler").unlink()


class ReadOnlyFiles(Trouble):
    """Immutable files: unlike a mode, that counts for files that are open already, and for root."""

    def begin(self, server):
        done = shutil.which("chattr") and self._set("+i")
        if not done or done.returncode or self._written():
            pytest.skip("files that are open cannot be made immutable here")

    def _written(self):
        """Whether a file that is open can be written all the same: file systems differ."""
        probe = self.home / "chat.db-probe"
        with probe.open("wb", buffering=0) as file:
            self._set("+i", probe)
            try:
                file.write(b"x")
            except PermissionError:
                return False
            finally:
                self._set("-i", probe)
                probe.unlink()
        return True

    def end(self, server):
        assert self._set("-i").returncode == 0

    def clean(self):
        if shutil.which("chattr"):
            self._set("-i")

    def _set(self, change, *paths):
        # Not chat.db-shm: that is memory, and the kernel kills a process which cannot write to its memory.
        files = [str(path) for path in paths or (self.home / "chat.db", self.home / "chat.db-wal")]
        return subprocess.run(["chattr", change, *files], check=False, capture_output=True)


class Locked(Trouble):
    """Another process holds the database for longer than a commit waits."""

    code = IMPATIENT

    def begin(self, server):
        self._other = sqlite3.connect(self.home / "chat.db", isolation_level=None)
        self._other.execute("BEGIN IMMEDIATE")

    def end(self, server):
        self._other.execute("ROLLBACK")
        self._other.close()


@pytest.fixture(params=[NoFileMayGrow, FullDisk, ReadOnlyFiles, Locked], ids=lambda kind: kind.__name__)
def trouble(request, model_home, tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    one = request.param(folder)
    one.prepare()
    shutil.copytree(model_home.path, folder, dirs_exist_ok=True)
    yield one
    one.clean()


@pytest.fixture
def start(serving, trouble):
    """Start the server where the trouble is; again after it was stopped."""
    return lambda: serving("--limit", "lines_per_second=0", code=trouble.code, place=trouble.home)


@pytest.fixture
def enter():
    """Log in with everything that shows order and history: enter(server, "alice")."""
    wires = []

    def login(server, name):
        wires.append(server.dial().login(name, PASSWORDS[name], *CAPS))
        return wires[-1]

    yield login
    for wire in wires:
        wire.close()


def told(wire, text):
    """Wait for a message: its msgid and its number."""
    line = wire.expect(f" PRIVMSG #lobby :?{text}$").string
    return re.search(r"msgid=([^; ]+)", line)[1], int(re.search(r"securechat/order=(\d+)", line)[1])


def history(wire):
    """What the log says was said in the lobby: (number, text)."""
    wire.send("CHATHISTORY LATEST #lobby * 100")
    lines = [line for line in wire.barrier() if "batch=" in line]
    return [
        (int(re.search(r"securechat/order=(\d+)", line)[1]), line.rpartition(" :")[2])
        for line in lines
        if " PRIVMSG " in line
    ]


def test_a_conversation_goes_on_where_it_was(trouble, start, enter):
    server = start()
    alice, bob = enter(server, "alice"), enter(server, "bob")
    alice.send("@+securechat/key=k1 PRIVMSG #lobby :first")
    first = told(alice, "first")
    assert told(bob, "first") == first
    assert first[1] == 1
    alice.barrier()
    bob.barrier()

    trouble.begin(server)
    alice.send("@+securechat/key=k2 PRIVMSG #lobby :lost " + "x" * 300)
    alice.send("@+securechat/key=k3 PRIVMSG #lobby :also lost")
    bob.send("PRIVMSG #lobby :lost of bob", "JOIN #lost")
    for wire, commands in ((alice, ("PRIVMSG", "PRIVMSG")), (bob, ("PRIVMSG", "JOIN"))):
        for command in commands:
            wire.expect(f"FAIL {command} NOT_STORED :")
    for wire in (alice, bob):
        assert history(wire) == [(1, "first")]  # and the log can be read meanwhile
        assert not [line for line in wire.seen if "lost" in line]

    trouble.end(server)
    again = ["@+securechat/key=k2 PRIVMSG #lobby :second", "@+securechat/key=k3 PRIVMSG #lobby :third"]
    alice.send(*again)
    kept = [told(alice, "second"), told(alice, "third")]
    assert [number for _, number in kept] == [2, 3]  # no gap, so nobody looks for what never was
    assert [told(bob, "second"), told(bob, "third")] == kept
    alice.send(*again)
    assert [told(alice, "second"), told(alice, "third")] == kept
    assert not [line for line in bob.barrier() if "PRIVMSG" in line]
    bob.send("PRIVMSG #lobby :fourth")
    assert told(alice, "fourth")[1] == told(bob, "fourth")[1] == 4

    wanted = [(1, "first"), (2, "second"), (3, "third"), (4, "fourth")]
    assert history(alice) == history(bob) == wanted
    assert server.stop() == 0, server.said()
    assert server.said().count("chat.db cannot be written") == 1, server.said()
    assert "the log can be written again" in server.said()
    assert "Traceback" not in server.said()
    assert history(enter(start(), "alice")) == wanted


def test_what_was_told_is_there_after_it_was_killed_meanwhile(trouble, start, enter):
    """Killed while nothing can be written, it starts with all that anybody saw, and nothing else."""
    server = start()
    alice = enter(server, "alice")
    for number in range(1, 6):
        alice.send(f"PRIVMSG #lobby :kept {number}")
        told(alice, f"kept {number}")
    trouble.begin(server)
    alice.send("PRIVMSG #lobby :lost " + "x" * 300)
    alice.expect("FAIL PRIVMSG NOT_STORED")
    server.signal(signal.SIGKILL)
    trouble.end(server)
    server.finish()
    server = start()
    assert history(enter(server, "alice")) == [(number, f"kept {number}") for number in range(1, 6)]


def test_who_comes_and_goes_meanwhile(trouble, start, enter):
    """Arrivals are refused, departures are shown later, and search and history answer all the while."""
    server = start()
    alice, bob = enter(server, "alice"), enter(server, "bob")
    alice.send("PRIVMSG #lobby :kept")
    told(bob, "kept")
    trouble.begin(server)
    carol = server.dial()
    carol.send("PASS :carol:secret of carol", "NICK carol", "USER c 0 * :" + "c" * 100)
    assert carol.rest()[-1] == "ERROR :The server cannot store anything now"
    carol.close()
    bob.close()
    while "bob" in (alice.send("ISON bob"), alice.expect(" 303 alice :(.*)$"))[1][1]:
        pass  # another worker may serve him: he has left when he is here no more
    alice.send("PRIVMSG #lobby :lost " + "x" * 300)
    alice.expect("FAIL PRIVMSG NOT_STORED")
    assert history(alice) == [(1, "kept")]
    trouble.end(server)
    enter(server, "carol")
    alice.send("PRIVMSG #lobby :kept too")
    assert told(alice, "kept too")[1] == 2
    quits = [line for line in alice.seen if " QUIT " in line]
    assert len(quits) == 1
    assert ":bob!" in quits[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_became_unwritable_has_no_effect(home: Home):
    """The log's files are open: they are written on."""
    server = Serving(home.path)
    try:
        home.path.chmod(0o500)
        wire = server.dial().login("alice", PASSWORDS["alice"], *CAPS)
        wire.send("PRIVMSG #lobby :kept")
        assert told(wire, "kept")[1] == 1
    finally:
        home.path.chmod(0o700)
        assert server.stop() == 0
