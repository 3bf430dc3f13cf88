"""Passwords typed at a terminal: asked for twice, never shown, and every way out of the prompt."""

from __future__ import annotations

import os
import signal

import pytest
from helpers.commands import at_terminal, finish, interrupt, securechat
from helpers.homes import CHEAP

from securechat.server.accounts import add_account
from securechat.server.passwords import DEFAULT
from securechat.storage.users import UserFile

WORD = "correct horse"


@pytest.fixture
def home(tmp_path):
    """A home with nothing in it."""
    return tmp_path


def _have(home, *names):
    """Put accounts in place without the command."""
    for name in names:
        add_account(UserFile(home / "users.json"), name, WORD, name == "anna", hasher=CHEAP)


def _add(home, name, *arguments, text=WORD + "\n"):
    done = securechat("adduser", name, "--password-stdin", *arguments, cwd=home, text=text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _stored(home, key):
    return UserFile(home / "users.json").load()[key].hash


def test_asked_twice(home):
    """The password is typed twice and never shown."""
    terminal = at_terminal("adduser", "Иван", cwd=home)
    terminal.expect_exact("Password: ")
    terminal.sendline("пароль-пароль")
    terminal.expect_exact("The same again: ")
    between = terminal.before
    terminal.sendline("пароль-пароль")
    code, said = finish(terminal)
    assert (code, "Иван may log in now." in said) == (0, True)
    assert "пароль" not in between + said
    assert DEFAULT.verify(_stored(home, "иван"), "пароль-пароль")


def test_asked_again(home):
    """Too short or not the same: there is another try."""
    terminal = at_terminal("adduser", "anna", cwd=home)
    terminal.expect_exact("Password: ")
    terminal.sendline("short")
    terminal.expect_exact("at least 8 characters")
    terminal.expect_exact("Password: ")
    terminal.sendline(WORD)
    terminal.expect_exact("The same again: ")
    terminal.sendline(WORD + "x")
    terminal.expect_exact("The two differ.")
    terminal.expect_exact("Password: ")
    terminal.sendline(WORD)
    terminal.expect_exact("The same again: ")
    terminal.sendline(WORD)
    code, said = finish(terminal)
    assert code == 0, said
    assert DEFAULT.verify(_stored(home, "anna"), WORD)


def test_asked_in_vain(home):
    """After three tries nothing was changed."""
    terminal = at_terminal("adduser", "anna", cwd=home)
    for _ in range(3):
        terminal.expect_exact("Password: ")
        terminal.sendline("short")
    code, said = finish(terminal)
    assert code == 1
    assert "securechat: No password was chosen; nothing was changed." in said
    assert not (home / "users.json").exists()


def test_passwd_at_terminal(home):
    """`passwd` asks in the same way."""
    _have(home, "anna")
    terminal = at_terminal("passwd", "anna", cwd=home)
    for prompt in ("Password: ", "The same again: "):
        terminal.expect_exact(prompt)
        terminal.sendline("another horse")
    assert finish(terminal)[0] == 0
    assert DEFAULT.verify(_stored(home, "anna"), "another horse")


def test_password_stdin_at_terminal(home):
    """--password-stdin at a terminal asks once, and does not show it either."""
    terminal = at_terminal("adduser", "anna", "--password-stdin", cwd=home)
    terminal.expect_exact("Password: ")
    terminal.sendline(WORD)
    code, said = finish(terminal)
    assert code == 0, said
    assert WORD not in said


def test_name_before_password(home):
    """A name that is refused costs nobody a password."""
    _have(home, "anna")
    code, said = finish(at_terminal("adduser", "ANNA", cwd=home))
    assert (code, said) == (1, "securechat: There is an account anna already.\r\n")


def test_end_of_input(home):
    """Ctrl-D at the prompt is one sentence."""
    terminal = at_terminal("adduser", "anna", cwd=home)
    terminal.expect_exact("Password: ")
    terminal.sendeof()
    assert finish(terminal) == (1, "\r\nsecurechat: Input ended before the command had what it needs.\r\n")


def test_interrupt(home):
    """Ctrl-C at the prompt is one word and 130, and the terminal shows again what is typed."""
    terminal = at_terminal("adduser", "anna", cwd=home)
    terminal.expect_exact("Password: ")
    interrupt(terminal)
    assert finish(terminal) == (130, "\r\nsecurechat: Interrupted.\r\n")


def test_invalid_text_typed(home):
    """Bytes that are no UTF-8 are one sentence."""
    terminal = at_terminal("adduser", "anna", cwd=home)
    terminal.expect_exact("Password: ")
    os.write(terminal.child_fd, b"secret \xff secret\n")
    code, said = finish(terminal)
    assert (code, "secret" in said) == (1, False)
    assert "is not text in the terminal's encoding." in said


def test_killed_while_asking(home):
    """Killed at the prompt, nothing is locked and nothing was written."""
    terminal = at_terminal("adduser", "anna", cwd=home)
    terminal.expect_exact("Password: ")
    terminal.kill(signal.SIGKILL)
    terminal.close()
    _add(home, "anna")
