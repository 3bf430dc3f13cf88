"""`invite`, `invites`, `uninvite` and `client-setup` as people type them."""

from __future__ import annotations

import base64
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from helpers.commands import at_terminal, finish, in_process, refused

from securechat import certs
from securechat.cli.setup import Client
from securechat.storage.users import UserFile


def run(home, *arguments, **how):
    done = in_process(*arguments, "--home", home.path, **how)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_a_link_says_where_who_and_by_what(home):
    certs.issue(home.certs, ["chat.example.org"])
    link = run(home, "invite", "Ольга").strip()
    assert "\n" not in link, "a pipe gets the link and nothing else"
    parts = urlsplit(link)
    assert (parts.scheme, parts.hostname, parts.port) == ("securechat", "chat.example.org", 6697)
    assert parts.path == "/%D0%9E%D0%BB%D1%8C%D0%B3%D0%B0"
    query = parse_qs(parts.query)
    ca = x509.load_pem_x509_certificate((home.certs / "ca.pem").read_bytes())
    assert base64.urlsafe_b64decode(query["ca"][0] + "=") == ca.fingerprint(hashes.SHA256())
    assert len(base64.urlsafe_b64decode(query["token"][0] + "==")) == 16
    assert query["token"][0] not in home.users.read_text()


def test_at_a_terminal_there_is_a_picture_and_what_to_do(home):
    terminal = at_terminal("invite", "olga", "--home", home.path, "--admin", "--expires", "30m")
    terminal.expect(r"securechat://\S+")
    code, said = finish(terminal)
    assert code == 0
    assert "▀" in said
    assert "For olga, as an administrator, until " in said
    assert UserFile(home.users).invites()["olga"].admin


def test_invites_are_listed_and_taken_back(home):
    assert run(home, "invites") == "There are no invites.\n"
    run(home, "invite", "olga", "--expires", "7d")
    run(home, "invite", "Пётр", "--admin")
    rows = [re.split("  +", line) for line in run(home, "invites").splitlines()]
    assert [row[0] for row in rows] == ["NAME", "Пётр", "olga"]
    assert [row[-1] for row in rows] == ["LEFT", "47 hours", "6 days"]
    assert run(home, "uninvite", "OLGA") == "The invite of olga is void.\n"
    assert refused("uninvite", "olga", "--home", home.path).startswith("There is no invite for 'olga'; ")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["alice"], "There is an account alice already."),
        (["aIice"], "looks like the existing account"),
        (["olga", "--expires", "soon"], "--expires soon: want minutes, hours or days"),
        (["olga", "--expires", "31d"], "30d at most"),
        (["olga", "--expires", "0h"], "want minutes"),
        (["olga", "--host", "chat.example.org"], "chat.example.org is not in the server's certificate ("),
    ],
)
def test_who_is_not_invited(home, arguments, why):
    before = home.users.read_bytes()
    assert why in refused("invite", *arguments, "--home", home.path)
    assert home.users.read_bytes() == before


def test_the_port_and_the_certificate_are_those_of_serve(home, tmp_path):
    (home.path / "securechat.toml").write_text("[serve]\nport = 7000\n")
    assert ":7000/" in run(home, "invite", "olga")
    assert ":7001/" in run(home, "invite", "olga", SECURECHAT_SERVE_PORT="7001")
    assert ":7002/" in run(home, "invite", "olga", "--port", "7002")
    public = certs.issue(tmp_path / "public", ["irc.example.com"])
    (home.path / "securechat.toml").write_text(f'[serve]\ncert = "{public.certificate}"\nkey = "{public.key}"\n')
    link = run(home, "invite", "olga")
    assert link.startswith("securechat://irc.example.com:6697/olga?ca=system&token=")


def test_the_best_name_in_the_certificate(home):
    certs.issue(home.certs, ["192.0.2.7"])
    assert run(home, "invite", "olga").startswith("securechat://192.0.2.7:")
    assert run(home, "invite", "olga", "--host", "::1").startswith("securechat://[::1]:")
    certs.issue(home.certs, ["chat.example.org"])
    assert run(home, "invite", "olga").startswith("securechat://chat.example.org:")


# Settings for other clients


@pytest.mark.parametrize("client", Client)
def test_settings_have_all_that_a_client_needs(home, client):
    said = run(home, "client-setup", client, "ALICE", "--port", "7000")
    assert "7000" in said
    assert "alice" in said
    if client is Client.GOGUMA:
        ca = x509.load_pem_x509_certificate((home.certs / "ca.pem").read_bytes())
        assert ca.fingerprint(hashes.SHA1()).hex() in said
    else:
        assert (home.certs / "ca.pem").read_text() in said
        assert certs.fingerprint(home.certs / "ca.pem") in said
    assert "{" not in re.sub(r"\$\{sec\.data\.securechat\}", "", said)


@pytest.mark.parametrize("client", [Client.WEECHAT, Client.IRSSI, Client.HALLOY])
def test_settings_for_a_certificate(home, client):
    said = run(home, "client-setup", client, "alice", "--cert", "/keys/alice.pem")
    assert "external" in said.lower()
    assert "/keys/alice.pem" in said
    assert "PASSWORD" not in said


def test_settings_that_there_are_none_of(home):
    for client in (Client.SENPAI, Client.GOGUMA):
        why = refused("client-setup", client, "alice", "--cert", "a.pem", "--home", home.path)
        assert why == f"{client} has no setting for a client certificate; leave --cert out."
    assert "no account 'nobody'" in refused("client-setup", "irssi", "nobody", "--home", home.path)


def test_settings_for_a_public_certificate_name_no_authority(home, tmp_path):
    public = certs.issue(tmp_path / "public", ["irc.example.com"])
    (home.path / "securechat.toml").write_text(f'[serve]\ncert = "{public.certificate}"\nkey = "{public.key}"\n')
    said = run(home, "client-setup", "irssi", "alice")
    assert "cafile" not in said
    assert "irc.example.com 6697" in said
