"""`init-certs` as a user types it."""

from __future__ import annotations

import os
import stat

import pytest
from helpers.certificates import connect
from helpers.commands import refused, securechat

from securechat import certs
from securechat.cli import certs as cli_certs


def test_first_run(tmp_path):
    """Fingerprint, expiry, names, where the files are, and what to type next."""
    done = securechat("init-certs", "--host", "chat.example", "--host", "10.0.0.7", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    made = certs.describe(tmp_path / "certs")
    until, authority_until = f"{made.not_after:%Y-%m-%d}", f"{made.ca_not_after:%Y-%m-%d}"
    assert (made.ca_not_after - made.not_before).days == 3652
    assert (made.not_after - made.not_before).days == 397
    assert (
        f"Certificate authority, new, valid until {authority_until}, SHA-256:\n  {made.ca_fingerprint}\n"
        in done.stdout
    )
    assert f"Server certificate, new, valid until {until}, for:\n  localhost, 127.0.0.1, ::1, " in done.stdout
    assert "chat.example, 10.0.0.7\n" in done.stdout
    assert "Give certs/ca.pem to everybody who connects." in done.stdout
    assert done.stdout.endswith("\n\nNext: securechat adduser NAME --admin\n")
    connect(tmp_path / "certs", "chat.example")


def test_second_run(tmp_path):
    """The authority is kept, the certificate renewed with the names it had."""
    first = securechat("init-certs", "--host", "chat.example", cwd=tmp_path)
    fingerprint = first.stdout.splitlines()[1]
    securechat("adduser", "anna", "--password-stdin", cwd=tmp_path, text="correct horse\n")
    done = securechat("init-certs", "--days", "30", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Certificate authority, kept" in done.stdout
    assert done.stdout.splitlines()[1] == fingerprint
    renewed = certs.describe(tmp_path / "certs")
    assert (renewed.not_after - renewed.not_before).days == 30
    assert f"Server certificate, renewed, valid until {renewed.not_after:%Y-%m-%d}" in done.stdout
    assert "chat.example" in done.stdout
    assert done.stdout.endswith("Next: securechat serve\n")


def test_closed_to_others(tmp_path):
    """Whatever the umask of the shell is."""
    old = os.umask(0)
    try:
        securechat("init-certs", "--home", tmp_path / "new")
    finally:
        os.umask(old)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").rglob("*")}
    assert modes.pop("ca.pem") == modes.pop("server.pem") == 0o644
    assert modes == {"certs": 0o700, "ca.key": 0o600, "server.key": 0o600}


def test_same_default_everywhere():
    """The command has its own copy of the default, to keep `--help` quick."""
    assert cli_certs.LEAF_DAYS == certs.LEAF_DAYS


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["--host", "two words"], 1, "'two words' is neither a host name nor an address."),
        (["--host", "1.2.3.400"], 1, "'1.2.3.400' is neither"),
        (["--host", "\x1b[31mred"], 1, "is neither a host name"),
        (["--days", "0"], 2, "Invalid value for '--days'"),
        (["--days", "5000"], 2, "Invalid value for '--days'"),
        (["--days", "ten"], 2, "Invalid value for '--days'"),
        (["--hots", "a"], 2, "No such option: --hots"),
        (["extra"], 2, "unexpected extra argument"),
    ],
)
def test_refused(tmp_path, arguments, code, why):
    """A mistake on the command line makes nothing."""
    assert why in refused("init-certs", *arguments, code=code, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_authority_without_key(tmp_path):
    """The sentence names the missing file and the way out."""
    securechat("init-certs", cwd=tmp_path)
    (tmp_path / "certs" / "ca.key").unlink()
    sentence = refused("init-certs", cwd=tmp_path)
    assert sentence.startswith(
        "certs/ca.key is missing beside certs/ca.pem; put it back, or if it is kept elsewhere"
    )


def test_home_is_a_file(tmp_path):
    """A path that cannot be a home is named."""
    (tmp_path / "file").touch()
    assert str(tmp_path / "file") in refused("init-certs", "--home", tmp_path / "file")
