"""Devices and invites with whole processes: commands beside a running server, which says nothing secret."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from helpers.commands import securechat
from helpers.devices import prove
from helpers.wire import Wire

WORD = "a password of my own"


def run(home, *arguments):
    done = securechat(*arguments, "--home", home.path)
    assert done.returncode == 0, done.stderr
    return done.stdout


def proves(server, home, file):
    wire = Wire(server.port, home.certs / "ca.pem", device=file)
    how = prove(wire)
    if how == "904":
        wire.close()
    return wire, how


def test_commands_act_on_a_running_server(serving, home, tmp_path):
    server, file = serving("--log-level", "debug"), tmp_path / "laptop.pem"
    run(home, "issue-cert", "alice", "--out", file)
    wire, how = proves(server, home, file)
    assert how == "903"
    assert "alice  laptop" in run(home, "devices")
    run(home, "revoke", "alice", "laptop")
    assert wire.rest()[-1].startswith("ERROR :This device's certificate was revoked")
    wire.close()
    assert proves(server, home, file)[1] == "904"
    run(home, "disable", "alice")
    run(home, "issue-cert", "bob", "--out", tmp_path / "bob.pem")
    wire, how = proves(server, home, tmp_path / "bob.pem")
    assert how == "903"
    run(home, "disable", "bob")
    assert wire.rest()[-1] == "ERROR :Your account is disabled"
    wire.close()
    token = join(server, home)
    assert server.stop() == 0
    secrets = [token, WORD, *keys(home.certs / "ca.key"), *keys(home.certs / "server.key"), *keys(file)]
    assert not [secret for secret in secrets if secret in server.said() + server.announced]


def join(server, home):
    """Use an invite; return its token."""
    link = run(home, "invite", "olga").strip()
    token = parse_qs(urlsplit(link).query)["token"][0]
    wire = server.dial()
    wire.send(
        "CAP LS 302", "NICK o", "USER o 0 * :o", f"REGISTER olga * :{WORD}", f"VERIFY olga {token}", "CAP END"
    )
    wire.expect(" 001 olga ")
    wire.close()
    assert run(home, "invites") == "There are no invites.\n"
    return token


def keys(path: Path):
    """The lines of base64 of the private key in a file."""
    (inner,) = re.findall("BEGIN PRIVATE KEY-----\n(.*?)-----END", path.read_text(), re.DOTALL)
    return inner.split()
