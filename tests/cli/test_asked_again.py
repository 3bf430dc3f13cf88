"""A password that somebody mistypes at a terminal."""

from __future__ import annotations

import pytest
from helpers.commands import at_terminal, finish
from helpers.homes import PASSWORDS

ASKED = "Password for alice: "
WRONG = "Login refused: the name or the password is wrong."


@pytest.fixture
def terminal(home, server, tmp_path):
    """`connect --plain` of alice at a terminal; always ended."""
    words = ("connect", "--plain", "--no-device", "--user", "alice", "--port", server.port, "--home", home.path)
    started = at_terminal(*words, TERM="xterm", NO_COLOR="1", XDG_STATE_HOME=str(tmp_path / "state"))
    yield started
    started.close(force=True)


def test_it_can_be_typed_again(terminal):
    for typed in ("wrong", "wrong again", PASSWORDS["alice"]):
        terminal.expect_exact(ASKED)
        terminal.sendline(typed)
    terminal.expect_exact("#lobby>")


def test_three_times_is_enough(terminal):
    for _ in range(3):
        terminal.expect_exact(ASKED)
        terminal.sendline("wrong")
        terminal.expect_exact(WRONG)
    code, said = finish(terminal)
    assert code == 1
    assert ASKED not in said
