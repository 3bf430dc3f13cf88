"""`issue-cert`, `devices`, `revoke` and `certs` as people type them; the CA's key protected or elsewhere."""

from __future__ import annotations

import json
import ssl
import stat

import pytest
from helpers.commands import at_terminal, finish, in_process, refused, securechat
from helpers.homes import PASSWORDS

from securechat import certs
from securechat.certs import DEVICE_DAYS
from securechat.cli import devices as cli_devices
from securechat.storage.users import UserFile

SECRET = "correct horse battery"


def run(home, *arguments, **how):
    done = in_process(*arguments, "--home", home.path, **how)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_a_certificate_for_another_client(home, tmp_path):
    file = tmp_path / "weechat.pem"
    said = run(home, "issue-cert", "ALICE", "--out", file)
    assert said.startswith(f"{file} logs alice in as weechat until ")
    assert f"revoke alice weechat --home {home.path}" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(file)
    (device,) = UserFile(home.users).load()["alice"].devices
    assert (device.name, device.not_after - device.created) == (
        "weechat",
        pytest.approx(90 * 86_400_000, abs=2000),
    )
    assert "PRIVATE KEY" not in home.users.read_text()


def test_an_old_users_file_becomes_one_with_devices(home, tmp_path):
    assert json.loads(home.users.read_text())["version"] == 1
    run(home, "issue-cert", "alice", "--out", tmp_path / "a.pem")
    assert json.loads(home.users.read_text())["version"] == 2
    assert set(UserFile(home.users).load()) == {name.lower() for name in PASSWORDS}


def test_no_file_is_replaced_unless_told(home, tmp_path):
    file = tmp_path / "a.pem"
    run(home, "issue-cert", "alice", "--out", file, "--days", "5", "--device", "Büro")
    before = file.read_bytes(), home.users.read_bytes()
    sentence = refused("issue-cert", "alice", "--out", file, "--home", home.path)
    assert sentence == f"{file} is there already; name another file, or replace it with --force."
    assert (file.read_bytes(), home.users.read_bytes()) == before
    run(home, "issue-cert", "alice", "--out", file, "--force", "--device", "Büro")
    assert file.read_bytes() != before[0]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nobody", "--out", "{}/a.pem"], "There is no account 'nobody'"),
        (["alice", "--out", "{}/a.pem", "--device", "two words"], "A device's name has 1 to 32 bytes"),
        (["alice", "--out", "{}/missing/a.pem"], "No such file or directory"),
        (["alice", "--out", "{}", "--force", "--device", "a"], "is a folder; name a file in it."),
        (["alice", "--out", "{}/a.pem", "--ca-offline", "{}"], "ca.key is missing beside"),
    ],
)
def test_what_cannot_be_issued(home, tmp_path, arguments, why):
    words = [word.format(tmp_path) for word in arguments]
    before = home.users.read_bytes()
    assert why in refused("issue-cert", *words, "--home", home.path)
    assert list(tmp_path.glob("*.pem*")) == []
    assert home.users.read_bytes() == before, "no device is noted that has no key"


def test_devices_are_listed_and_revoked(home, tmp_path):
    assert run(home, "devices") == "There are no devices that log in by certificate.\n"
    assert run(home, "devices", "alice") == "alice has no devices that log in by certificate.\n"
    for name, device in (("alice", "laptop"), ("alice", "phone"), ("Иван", "bot")):
        run(home, "issue-cert", name, "--out", tmp_path / f"{device}.pem")
    head, *rows = run(home, "devices").splitlines()
    assert head.split() == ["NAME", "DEVICE", "SINCE", "UNTIL", "LEFT"]
    assert [row.split()[:2] for row in rows] == [["alice", "laptop"], ["alice", "phone"], ["Иван", "bot"]]
    assert all(row.endswith("  89 days") for row in rows)
    assert run(home, "revoke", "alice", "phone").startswith("Revoked: phone. ")
    assert run(home, "devices", "alice").count("laptop") == 1
    assert refused("revoke", "alice", "phone", "--home", home.path).startswith("alice has no device 'phone'; ")
    run(home, "issue-cert", "alice", "--out", tmp_path / "x.pem")
    assert run(home, "revoke", "alice").startswith("Revoked: laptop, x. ")
    assert run(home, "revoke", "alice") == "alice has no devices that log in by certificate.\n"
    assert [one.name for one in UserFile(home.users).load()["иван"].devices] == ["bot"]


def test_everything_with_its_days(home, tmp_path):
    run(home, "issue-cert", "Иван", "--out", tmp_path / "bot.pem")
    said = run(home, "certs")
    rows = {line.split()[0]: line for line in said.splitlines() if line}
    assert rows["authority"].endswith("  3651 days")
    assert "localhost" in rows["server"]
    assert rows["server"].endswith("  29 days")
    assert rows["device"].split()[1] == "Иван@bot"
    (home.certs / "ca.key").unlink()
    assert "Its key is kept elsewhere" in run(home, "certs")


def test_the_same_for_programs_that_watch(home, tmp_path):
    run(home, "issue-cert", "Иван", "--out", tmp_path / "bot.pem")
    *_, authority, server, device = run(home, "certs", "--metrics").splitlines()
    (kept,) = UserFile(home.users).load()["иван"].devices
    assert device == f'securechat_certificate_end_seconds{{kind="device",for="Иван@bot"}} {kept.not_after // 1000}'
    assert authority.startswith('securechat_certificate_end_seconds{kind="authority",for=""} ')
    assert 'kind="server",for="localhost, ' in server


def test_those_of_a_public_authority(home, tmp_path):
    public = certs.issue(tmp_path / "public", ["irc.example.com"])
    (home.path / "securechat.toml").write_text(f'[serve]\ncert = "{public.certificate}"\nkey = "{public.key}"\n')
    assert "irc.example.com" in run(home, "certs")
    assert "Authority, SHA-256" in run(home, "certs"), "there is one for devices"
    for path in list(home.certs.iterdir()):
        path.unlink()
    assert "is of another authority" in run(home, "certs")
    (home.path / "securechat.toml").unlink()
    assert "init-certs" in refused("certs", "--home", home.path)


def test_same_default_everywhere():
    assert cli_devices.DAYS == DEVICE_DAYS


# The authority's key


def test_a_key_that_is_kept_elsewhere(home, tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    said = run(home, "init-certs", "--ca-offline", stick)
    assert f"ca.key is in {stick}." in said
    assert not (home.certs / "ca.key").exists()
    assert "--ca-offline" in refused("issue-cert", "alice", "--out", tmp_path / "a.pem", "--home", home.path)
    run(home, "issue-cert", "alice", "--out", tmp_path / "a.pem", "--ca-offline", stick)
    run(home, "init-certs", "--ca-offline", stick)


def test_a_passphrase_from_a_file(home, tmp_path):
    file = tmp_path / "passphrase"
    file.write_text(f"{SECRET}\nsecond line\n")
    why = refused("init-certs", "--passphrase", "--passphrase-file", file, "--home", home.path)
    assert why == f"{file} can be read by others; close it with 'chmod 600 {file}'."
    file.chmod(0o600)
    run(home, "init-certs", "--passphrase", "--passphrase-file", file)
    assert b"ENCRYPTED" in (home.certs / "ca.key").read_bytes()
    why = refused("issue-cert", "alice", "--out", tmp_path / "a.pem", "--home", home.path)
    assert why == "There is no terminal to ask for the passphrase unseen; name a file with it (--passphrase-file)."
    run(home, "issue-cert", "alice", "--out", tmp_path / "a.pem", "--passphrase-file", file)
    file.write_text("a guess that is wrong")
    why = refused("init-certs", "--passphrase-file", file, "--home", home.path)
    assert "not opened by that passphrase" in why
    assert "guess" not in why
    file.unlink()
    assert "cannot be read" in refused("init-certs", "--passphrase-file", file, "--home", home.path)


def test_a_passphrase_that_is_too_short(home, tmp_path):
    file = tmp_path / "passphrase"
    file.write_text("short")
    file.chmod(0o600)
    before = (home.certs / "ca.key").read_bytes()
    assert "8 to" in refused("init-certs", "--passphrase", "--passphrase-file", file, "--home", home.path)
    assert (home.certs / "ca.key").read_bytes() == before


def test_a_passphrase_is_typed_and_never_shown(tmp_path):
    terminal = at_terminal("init-certs", "--passphrase", cwd=tmp_path)
    for prompt in ("New passphrase of ca.key: ", "The same again: "):
        terminal.expect_exact(prompt)
        terminal.sendline(SECRET)
    code, said = finish(terminal)
    assert code == 0, said
    assert SECRET not in said
    terminal = at_terminal("init-certs", cwd=tmp_path)
    terminal.expect("Passphrase of certs/ca.key: ")
    terminal.sendline(SECRET)
    assert finish(terminal)[0] == 0


def test_no_passphrase_in_the_environment(tmp_path):
    done = securechat("init-certs", cwd=tmp_path, SECURECHAT_INIT_CERTS_PASSPHRASE=SECRET)
    assert done.returncode == 0, done.stderr
    assert b"ENCRYPTED" not in (tmp_path / "certs" / "ca.key").read_bytes()
