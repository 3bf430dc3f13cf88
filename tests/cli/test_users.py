"""`adduser`, `passwd`, `deluser` and `users` as people and scripts type them."""

from __future__ import annotations

import json
import stat
import subprocess

import pytest
from helpers.commands import COMMAND, environment, in_process, refused, securechat
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


def test_add(home):
    """The account is there, closed to others, and the next commands are named."""
    said = _add(home, "Иван", "--admin")
    assert said == (
        "Иван may log in now, as an administrator.\n"
        "\n"
        "Next: securechat init-certs\n"
        "Then: securechat connect --user Иван\n"
    )
    assert stat.S_IMODE((home / "users.json").stat().st_mode) == 0o600
    account = UserFile(home / "users.json").load()["иван"]
    assert account.admin
    assert DEFAULT.verify(account.hash, WORD)
    assert account.hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert WORD not in (home / "users.json").read_text()


def test_next_is_serve(home):
    """With certificates in place the server is next."""
    securechat("init-certs", cwd=home)
    assert "Next: securechat serve\n" in _add(home, "anna")


@pytest.mark.parametrize(
    ("text", "password"),
    [
        (b"correct horse\nnext line\n", "correct horse"),
        (b"correct horse", "correct horse"),
        (b"correct horse\r\n", "correct horse"),
        (b"  spaces count  \n", "  spaces count  "),
        ("пароль-пароль\n".encode(), "пароль-пароль"),
    ],
)
def test_first_line(home, text, password):
    """The password is the first line of standard input without its line end, and nothing else is stripped."""
    done = in_process("adduser", "anna", "--password-stdin", cwd=home, text=text)
    assert done.returncode == 0, done.stderr
    assert DEFAULT.verify(_stored(home, "anna"), password)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "Standard input ended before a password came."),
        (b"\n", "A password has at least 8 characters."),
        (b"short\n", "A password has at least 8 characters."),
        (b"x" * 1025 + b"\n", "A password has at most 1024 bytes in UTF-8."),
        (b"x" * 1_000_000, "too long for a password"),
        (b"secret \xff secret\n", "The password on standard input is not valid UTF-8."),
        (b"secret\0secret\n", "cannot be typed everywhere"),
    ],
)
def test_password_refused(home, text, why):
    """A password that cannot be used is one sentence, which does not repeat it."""
    sentence = refused("adduser", "anna", "--password-stdin", cwd=home, text=text)
    assert why in sentence
    assert "secret" not in sentence
    assert not (home / "users.json").exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ANNA", "There is an account Anna already."),
        ("аnnа", "mixes letters of Cyrillic and Latin"),
        ("axo", "axo looks like the existing account ахо"),
        ("an na", "letters, digits"),
        ("", "at least one character"),
        ("x" * 33, "at most 32 characters"),
        (b"\xff\xfe", "not valid UTF-8"),
        ("\x1b[31mred", "is none of them"),
        ("ChanServ", "reserved"),
    ],
)
def test_name_refused(home, name, why):
    """An existing, malformed or look-alike name is refused before a password is asked for, and says why."""
    _have(home, "Anna", "ахо")
    before = (home / "users.json").read_bytes()
    sentence = refused("adduser", name, cwd=home)
    assert why in sentence
    assert sentence.isprintable()
    assert (home / "users.json").read_bytes() == before


def test_passwd(home):
    """Another password; the name in any letter case."""
    _have(home, "Иван")
    done = securechat("passwd", "ИВАН", "--password-stdin", cwd=home, text="another horse\n")
    assert (done.returncode, done.stdout) == (0, "Иван has a new password.\n")
    assert DEFAULT.verify(_stored(home, "иван"), "another horse")


def test_deluser(home):
    """Deleted is deleted."""
    _have(home, "Иван")
    done = securechat("deluser", "ИВАН", cwd=home)
    assert (done.returncode, done.stdout) == (0, "The account Иван is deleted.\n")
    assert UserFile(home / "users.json").load() == {}


@pytest.mark.parametrize("command", [["passwd", "nobody", "--password-stdin"], ["deluser", "nobody"]])
def test_unknown_name(home, command):
    """Who does not exist cannot be changed."""
    assert refused(*command, cwd=home) == "There is no account 'nobody'; 'securechat users' lists them."


def test_users(home):
    """A table whose columns stand, for names of any width."""
    _have(home, "Иван", "anna", "花子")
    users = json.loads((home / "users.json").read_text())
    for user in users["users"]:
        user["created"] = 1_700_000_000_000
    (home / "users.json").write_text(json.dumps(users))
    assert securechat("users", cwd=home, TZ="UTC").stdout == (
        "NAME  ROLE      CREATED\n"
        "anna  admin     2023-11-14\nИван            2023-11-14\n花子            2023-11-14\n"
    )


def test_users_none(home):
    """An empty list says how to begin."""
    done = securechat("users", cwd=home)
    assert (done.returncode, done.stdout) == (
        0,
        "There are no accounts yet.\n\nNext: securechat adduser NAME --admin\n",
    )


@pytest.mark.parametrize("command", ["users", "deluser"])
def test_no_home(home, command):
    """A mistyped home is no empty one."""
    arguments = [command, *(["anna"] if command == "deluser" else []), "--home", home / "typo"]
    assert "typo is not a folder" in refused(*arguments)
    assert not (home / "typo").exists()


def test_old_terminal(home):
    """A name that the output cannot show is escaped, not a crash."""
    _have(home, "Иван")
    done = securechat("users", cwd=home, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "\\u0418\\u0432\\u0430\\u043d" in done.stdout


@pytest.mark.parametrize("command", [["users"], ["deluser", "anna"], ["adduser", "olga", "--password-stdin"]])
def test_broken_file(home, command):
    """A broken users file is named, never shown, and left alone."""
    _have(home, "anna")
    broken = (home / "users.json").read_bytes()[:-5]
    (home / "users.json").write_bytes(broken)
    sentence = refused(*command, cwd=home, text=WORD)
    assert sentence.startswith("users.json is not valid JSON (line ")
    assert "argon2" not in sentence
    assert (home / "users.json").read_bytes() == broken


def test_many_at_once(home):
    """Accounts that are added at the same time are all there."""
    adding = [
        subprocess.Popen([*COMMAND, "adduser", f"user{i}", "--password-stdin"], stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL, cwd=home, env=environment())
        for i in range(6)
    ]  # fmt: skip
    for process in adding:
        process.communicate(WORD.encode())
    assert [process.returncode for process in adding] == [0] * 6
    assert sorted(UserFile(home / "users.json").load()) == [f"user{i}" for i in range(6)]


def test_no_terminal(home):
    """Without a terminal nobody can be asked, and the way out is named."""
    _have(home, "Anna")
    for command in ("adduser olga", "passwd anna"):
        assert "--password-stdin" in refused(*command.split(), cwd=home, text=WORD)


def test_no_stdin(home):
    """Closed standard input is no crash."""
    for extra in ([], ["--password-stdin"]):
        done = subprocess.run(
            ["/bin/sh", "-c", '"$0" "$@" <&-', *COMMAND, "adduser", "anna", *extra],
            capture_output=True,
            check=False,
            cwd=home,
            env=environment(),
        )
        assert done.returncode == 1
        assert done.stderr.startswith(b"securechat: ")
        assert b"Traceback" not in done.stderr
