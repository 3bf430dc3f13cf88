"""What all commands share: help, `--home`, settings, and how every error ends in one sentence."""

from __future__ import annotations

import importlib
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers.commands import COMMAND, environment, in_process, refused, securechat

from securechat import __version__, certs
from securechat.cli import FORESEEN


def _days_left(home):
    left = certs.describe(home / "certs").not_after - datetime.now(UTC)
    return round(left / timedelta(days=1))


def test_help():
    """Short, in order, and within 80 columns."""
    done = in_process("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    commands = [
        line.split()[0] for line in done.stdout.partition("Commands:\n")[2].splitlines() if line.startswith("  ")
    ]
    assert commands[:5] == ["init-certs", "adduser", "passwd", "deluser", "kick"]
    for command in [*commands[:5], "issue-cert", "invite", "client-setup", "certs"]:
        done = in_process(command, "--help")
        assert done.returncode == 0
        assert max(map(len, done.stdout.splitlines())) <= 80
        assert "--home DIR" in done.stdout


def test_no_arguments():
    """The help, on standard error: nothing was done."""
    done = in_process()
    assert done.returncode == 2
    assert done.stderr == in_process("--help").stdout


def test_version():
    """`--version` says it."""
    assert securechat("--version").stdout == f"securechat {__version__}\n"


def test_unknown_command():
    """A usage error names the way to the help."""
    assert refused("adduesr", "x", code=2) == (
        "No such command 'adduesr'. Did you mean 'adduser'? See 'securechat --help'."
    )


@pytest.mark.parametrize(
    ("before", "after", "variable", "wanted"),
    [
        ("one", None, None, "one"),
        (None, "two", None, "two"),
        ("one", "two", None, "two"),
        (None, None, "three", "three"),
        ("one", None, "three", "one"),
        (None, "two", "three", "two"),
        (None, None, None, "."),
        (None, ".", "three", "."),
        (None, None, "", "."),
    ],
)
def test_home(tmp_path, before, after, variable, wanted):
    """`--home` after the command's name counts, then before it, then SECURECHAT_HOME, then the current folder."""
    arguments = [*(["--home", before] if before else []), "init-certs", *(["--home", after] if after else [])]
    variables = {} if variable is None else {"SECURECHAT_HOME": variable}
    done = in_process(*arguments, cwd=tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    assert [path.parent for path in tmp_path.rglob("certs")] == [tmp_path / wanted]


def test_empty_home(tmp_path):
    """--home "$UNSET" does not mean the current folder."""
    assert "--home" in refused("init-certs", "--home", "", code=2, cwd=tmp_path)
    assert "--home" in refused("--home", "", "init-certs", code=2, cwd=tmp_path)


def test_next_command_names_the_home(tmp_path):
    """What to type next works as it stands."""
    home = tmp_path / "a home"
    assert in_process("init-certs", "--home", home).stdout.endswith(f"--admin --home '{home}'\n")
    assert in_process("init-certs", SECURECHAT_HOME=str(home)).stdout.endswith("--admin\n")
    assert in_process("init-certs", cwd=home).stdout.endswith("--admin\n")


@pytest.mark.parametrize(
    ("arguments", "variables", "days"),
    [
        ([], {}, 50),
        ([], {"SECURECHAT_INIT_CERTS_DAYS": "60"}, 60),
        (["--days", "70"], {"SECURECHAT_INIT_CERTS_DAYS": "60"}, 70),
    ],
)
@pytest.mark.parametrize("place", ["before", "after"])
def test_settings(tmp_path, arguments, variables, days, place):
    """The command line wins over the environment, and that over HOME/securechat.toml."""
    (tmp_path / "securechat.toml").write_text('[init-certs]\ndays = 50\nhost = ["a.example", "чат.рф"]\n')
    home = ["--home", tmp_path]
    command = [*home, "init-certs"] if place == "before" else ["init-certs", *home]
    done = in_process(*command, *arguments, **variables)
    assert done.returncode == 0, done.stderr
    assert _days_left(tmp_path) == days
    assert {"a.example", "xn--80a0bn.xn--p1ai"} < set(certs.describe(tmp_path / "certs").names)


def test_settings_of_the_home_that_counts(tmp_path):
    """Neither the settings of another home nor those of another command matter."""
    for name, text in (("one", "[broken"), ("two", '[init-certs]\ndays = 50\nhost = "a.example"\n[users]\n')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "securechat.toml").write_text(text)
    done = in_process("--home", tmp_path / "one", "init-certs", "--home", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert _days_left(tmp_path / "two") == 50


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"[init-certs\n", "is not valid TOML"),
        (b"\xff", "is not UTF-8"),
        (b"days = 1\n", "'days' is not the table of a command, which are init-certs, adduser"),
        (b"[init_certs]\n", "'init_certs' is not the table of a command"),
        (b"[init-certs]\ndaze = 1\n", "init-certs has no option 'daze' (it has: host, days, "),
        (b'[init-certs]\nhome = "x"\n', "init-certs has no option 'home'"),
        (b'[init-certs]\ndays = "ten"\n', "[init-certs]: Invalid value for '--days'"),
        (b"[init-certs]\ndays = 0\n", "[init-certs]: Invalid value for '--days'"),
        (b"[init-certs]\ndays = [1]\n", "[init-certs]: Invalid value for '--days'"),
    ],
)
def test_broken_settings(tmp_path, text, why):
    """A mistake in the file is a sentence that names the file."""
    path = tmp_path / "securechat.toml"
    path.write_bytes(text)
    sentence = refused("init-certs", "--home", tmp_path)
    assert sentence.startswith(str(path))
    assert why in sentence
    assert list(tmp_path.iterdir()) == [path]


def test_settings_that_cannot_be_read(tmp_path):
    """The sentence names the file and the way out."""
    (tmp_path / "securechat.toml").mkdir()
    sentence = refused("users", "--home", tmp_path)
    assert sentence.startswith(f"{tmp_path / 'securechat.toml'} cannot be read (Is a directory); check its owner")


def test_help_with_broken_settings(tmp_path):
    """Help needs no settings."""
    (tmp_path / "securechat.toml").write_text("[")
    assert in_process("init-certs", "--help", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(("module", "name"), FORESEEN.items())
def test_foreseen(module, name):
    """Each exception in the table exists where it says."""
    assert issubclass(getattr(importlib.import_module(module), name), Exception)


def _break(tmp_path):
    """Make a command fail in a way that nobody foresaw."""
    (tmp_path / "sitecustomize.py").write_text(
        "import ipaddress\ndef fail(text):\n    secret = 'swordfish'\n    raise KeyError(secret)\n"
        "ipaddress.ip_address = fail\n"
    )
    return {"PYTHONPATH": str(tmp_path)}


def test_unforeseen(tmp_path):
    """A mistake of ours is one sentence too, without the text of the error, which may hold anything."""
    sentence = refused("init-certs", "--host", "a", start=securechat, cwd=tmp_path, **_break(tmp_path))
    assert sentence.startswith("Unexpected KeyError; SECURECHAT_DEBUG=1 ")


def test_unforeseen_debugged(tmp_path):
    """Who asks for it gets the traceback."""
    done = securechat("init-certs", "--host", "a", cwd=tmp_path, SECURECHAT_DEBUG="1", **_break(tmp_path))
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "names.py" in done.stderr


def test_full_output(tmp_path):
    """Output that cannot be written is an error, and not two."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "--version"], stdout=full, stderr=subprocess.PIPE, env=environment(), check=False
        )
    assert (done.returncode, done.stderr) == (1, b"securechat: No space left on device.\n")
