"""A real WeeChat without a screen: checks our certificate authority, logs in and talks."""

from __future__ import annotations

import logging
import re
import shutil
from contextlib import ExitStack

import pytest
from helpers.devices import forge, issued, revoke
from helpers.homes import PASSWORDS, make_home
from helpers.programs import until
from helpers.weechat import SERVER, WeeChat

from securechat.chat.devices import REVOKED

pytestmark = pytest.mark.skipif(shutil.which("weechat-headless") is None, reason="not installed: weechat-headless")

ODD = re.compile(r"(?i)unknown|no such|not enough|error|=!=|1970|fail\b")
"""What must not be shown when everything goes well."""


@pytest.fixture
def start(home, tmp_path):
    """start(server, nick, ...) runs a WeeChat that trusts this home's authority."""
    with ExitStack() as running:

        def run(server, nick, *, authority=home.certs / "ca.pem", **settings):
            folder = tmp_path / f"weechat-{nick}"
            return running.enter_context(WeeChat(folder, server.port, authority, nick, **settings))

        yield run


def test_two_weechats_talk_to_each_other(server, start):
    bob = start(server, "bob", password=PASSWORDS["bob"]).lobby()
    ivan = start(server, "Иван", password=PASSWORDS["Иван"]).lobby()
    bob.expect(r"Иван .* \(u@иван\) has joined #lobby$", "#lobby")
    bob.say("Привет, Иван", "#lobby")
    ivan.expect("\tbob\tПривет, Иван$", "#lobby")
    ivan.say("hello, bob", "#lobby")
    bob.expect("\tИван\thello, bob$", "#lobby")
    assert ivan.log("#lobby").count("hello, bob") == 1


def test_everyday_commands_show_nothing_odd(server, start, dial):
    alice = dial(server, "alice")
    alice.send("JOIN #сад", "TOPIC #сад :Розы")
    alice.barrier()
    bob = start(server, "bob", password=PASSWORDS["bob"]).lobby()
    assert "peer's certificate is trusted" in bob.log()
    bob.expect("Channel created on", "#lobby")
    bob.say("/join #сад")
    bob.expect('Topic for #сад is "Розы"$', "#сад")
    bob.expect("Channel created on", "#сад")
    bob.say("/names", "#сад")
    bob.expect(r"Nicks #сад: \[~alice bob\]$", "#сад")
    bob.say("/who #сад")
    bob.expect(r"\[#сад\] alice \(u@alice\) H\*~@? 0 \(alice in a test\)$")
    bob.say("/part #сад до встречи", "#сад")
    alice.expect("^:bob!u@bob PART #сад :до встречи$")
    bob.say("/join #сад")
    alice.expect("^:bob!u@bob JOIN #сад$")
    shown = bob.log() + bob.log("#lobby") + bob.log("#сад")
    assert [line for line in shown.splitlines() if ODD.search(line)] == []


def test_a_server_password_logs_in_without_sasl(server, start):
    bob = start(server, "bob", server_password=f"bob:{PASSWORDS['bob']}").lobby()
    bob.expect(r"bob .*\(u@bob\) has joined #lobby$", "#lobby")


def test_no_login_is_told_what_to_set(server, start):
    bob = start(server, "bob")
    bob.expect("This server needs a login: set SASL PLAIN")
    bob.expect("disconnected from server$")


def test_a_wrong_password_is_refused(server, start):
    bob = start(server, "bob", password="guess")
    bob.expect("Login refused: the name or the password is wrong$")
    bob.expect("disconnected from server$")


@pytest.mark.parametrize("what", ["authority", "name"])
def test_a_server_that_cannot_be_verified_is_refused(server, start, tmp_path, caplog, what):
    caplog.set_level(logging.INFO)
    if what == "authority":
        other = make_home(tmp_path / "other").certs / "ca.pem"
        bob = start(server, "bob", password=PASSWORDS["bob"], authority=other)
        bob.expect("peer's certificate is NOT trusted$")
    else:
        # Reaches this machine under a name that is not in the certificate.
        bob = start(server, "bob", password=PASSWORDS["bob"], host="0.0.0.0")
        bob.expect("hostname in the certificate does NOT match")
    bob.expect("TLS handshake failed", SERVER)
    assert "login: bob" not in caplog.text


def test_an_issued_certificate_logs_in(server, start, home, tmp_path, dial):
    alice = dial(server, "alice")
    file = issued(home, "Иван", tmp_path / "ivan.pem")
    ivan = start(server, "Иван", device=file).lobby()
    ivan.expect("Login succeeded$")
    ivan.say("без пароля", "#lobby")
    alice.expect("^:Иван!u@иван PRIVMSG #lobby :без пароля$")
    revoke(home, "Иван")
    ivan.expect(f"{re.escape(REVOKED)}$")


def test_a_certificate_of_another_authority_is_refused(server, start, home, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    other = issued(make_home(tmp_path / "other"), "bob", tmp_path / "bob.pem")
    bob = start(server, "bob", device=other)
    bob.expect("TLS handshake failed|error: |disconnected from server|Certificate", SERVER)
    until(lambda: "the client's certificate is not of this server's CA" in caplog.text, "the server says why")
    assert "login: bob" not in caplog.text


def test_an_unknown_certificate_is_told_to_log_in_by_password(server, start, home, tmp_path):
    bob = start(server, "bob", device=forge(home.certs, tmp_path / "forged.pem", name="bob"))
    bob.expect("Login refused: there is no client certificate, or it is not known here")
