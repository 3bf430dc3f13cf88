"""The whole program in a terminal, against a real server that is killed and comes back."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import sys

import pytest
from helpers.commands import at_terminal, finish
from helpers.homes import PASSWORDS
from helpers.process import Serving
from helpers.programs import until
from helpers.tmux import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux")
ENV = "env"


@pytest.fixture
def free_port():
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def start(home, port, state):
    words = (
        f"XDG_STATE_HOME={state}",
        f"SECURECHAT_PASSWORD={PASSWORDS['alice']}",
        "TERM=screen-256color",
        "LC_ALL=C.UTF-8",
    )
    command = (sys.executable, "-m", "securechat", "connect", "--user", "alice", "--port", str(port))
    return Terminal(ENV, *words, *command, "--home", str(home.path))


def test_nothing_is_lost(home, tmp_path, free_port):
    """Type, receive, kill the server, type, leave, come back, restart the server: all of it is said once."""
    server = Serving(home.path, "--port", str(free_port))
    terminal = start(home, server.port, tmp_path / "state")
    try:
        terminal.expect(r"● localhost:\d+ +TLS 1\.3 +CA [0-9a-f]{8}")
        terminal.type("first line")
        terminal.expect(r"\d\d:\d\d +alice  first line")
        other = server.dial()
        other.login("bob", PASSWORDS["bob"], "message-tags", "echo-message")
        other.send("PRIVMSG #lobby :hello from bob")
        terminal.expect("bob  hello from bob")
        other.close()
        server.signal(signal.SIGKILL)
        server.finish()
        terminal.expect("offline, trying")
        terminal.type("typed meanwhile")
        terminal.expect("1 waiting")
        terminal.type("выход")
        until(lambda: "offline" not in terminal.screen(), "the client ends")
        terminal.close()
        (kept,) = (tmp_path / "state").rglob("*.json")
        assert kept.stat().st_mode & 0o777 == 0o600
        assert [one["text"] for one in json.loads(kept.read_text())["waiting"]] == ["typed meanwhile"]
        server = Serving(home.path, "--port", str(free_port))
        terminal = start(home, free_port, tmp_path / "state")
        # History is asked for when the lines that waited are on their way: it may be shown after them.
        terminal.expect(r"alice  first line\n(.*\n)*.*bob  hello from bob\n(.*\n)*.*typed meanwhile")
        screen = terminal.screen()
        assert screen.count("typed meanwhile") == 1
        assert screen.count("first line") == 1
        other = server.dial()
        other.login("bob", PASSWORDS["bob"], "message-tags", "echo-message")
        other.send("PRIVMSG #lobby :back again")
        terminal.expect("back again")
        other.close()
        until(lambda: not json.loads(kept.read_text())["waiting"], "nothing waits any more")
    finally:
        terminal.close()
        server.signal(signal.SIGKILL)
        server.finish()


def test_a_wrong_password_is_told_on_the_usual_screen(home, serve, tmp_path):
    """One sentence, exit code 1, no traceback, and the terminal as it was."""
    server = serve()
    client = at_terminal(
        *("connect", "--user", "alice", "--port", server.port, "--home", home.path),
        SECURECHAT_PASSWORD="wrong",
        XDG_STATE_HOME=tmp_path,
        TERM="xterm-256color",
    )
    code, said = finish(client)
    assert code == 1
    assert "Traceback" not in said
    last = re.sub(r"\x1b[^a-zA-Z]*[a-zA-Z]", "", said.split("\x1b[?1049l")[-1])
    assert "password" in last
    assert said.count("\x1b[?1049h") == said.count("\x1b[?1049l")
