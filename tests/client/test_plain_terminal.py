"""Plain mode on a terminal, against a real server that is killed and comes back."""

from __future__ import annotations

import signal
import socket

import pytest
from helpers.commands import at_terminal, finish
from helpers.homes import PASSWORDS
from helpers.process import Serving


@pytest.fixture
def free_port():
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_what_was_typed_offline_is_said_by_the_next_program(home, tmp_path, free_port):
    def connect():
        words = ("connect", "--plain", "--user", "alice", "--port", free_port, "--home", home.path)
        variables = {"SECURECHAT_PASSWORD": PASSWORDS["alice"], "TERM": "xterm", "NO_COLOR": "1"}
        return at_terminal(*words, XDG_STATE_HOME=str(tmp_path / "state"), **variables)

    server = Serving(home.path, "--port", str(free_port))
    terminal = connect()
    try:
        terminal.expect_exact("#lobby>")
        terminal.send("first\r")
        terminal.expect_exact("<alice> first")
        server.signal(signal.SIGKILL)
        server.finish()
        terminal.expect_exact("trying again")
        terminal.send("later\r")
        terminal.expect_exact("-- waiting: later")
        terminal.send("/quit\r")
        terminal.expect_exact("1 message is kept, and said when you connect again.")
        assert finish(terminal)[0] == 0
        (kept,) = (tmp_path / "state").rglob("*.json")
        assert kept.stat().st_mode & 0o777 == 0o600
        server = Serving(home.path, "--port", str(free_port))
        terminal = connect()
        terminal.expect_exact("-- waiting: later")
        terminal.expect_exact("<alice> later")
        terminal.send("last\r")
        terminal.expect_exact("<alice> last")
        assert "later" not in terminal.before
        terminal.send("выход\r")
        code, said = finish(terminal)
        assert code == 0
        assert "kept" not in said
    finally:
        terminal.close(force=True)
        server.signal(signal.SIGKILL)
        server.finish()
