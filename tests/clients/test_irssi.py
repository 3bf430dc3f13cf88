"""A real irssi: checks our certificate authority, logs in, talks, and shows nothing odd meanwhile."""

from __future__ import annotations

import logging
import re
import shutil
from contextlib import ExitStack

import pytest
from helpers.devices import issued, revoke
from helpers.homes import PASSWORDS, make_home
from helpers.irssi import Irssi
from helpers.programs import until
from helpers.weechat import WeeChat

from securechat.chat.devices import REVOKED

MISSING = [name for name in ("irssi", "tmux") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

ODD = re.compile(r"(?i)unknown (?!$)|no such|not enough|error|irssi: warning|1970|fail\b")
"""What must not be on a screen when all goes well. (A last "Unknown" is irssi's name for our key exchange.)"""
USUAL = (" 451 * :Log in first", " 422 ")
"""Errors that irssi does not show or that are no fault: it says "JOIN :" to see whether a server knows CAP."""


@pytest.fixture
def start(home, tmp_path):
    """start(Irssi or WeeChat, server, nick, ...) runs a client that trusts this home's authority."""
    with ExitStack() as running:

        def run(kind, server, nick, *, authority=home.certs / "ca.pem", **settings):
            folder = tmp_path / f"{kind.__name__}-{nick}"
            return running.enter_context(kind(folder, server.port, authority, nick, **settings))

        yield run


@pytest.mark.skipif(shutil.which("weechat-headless") is None, reason="not installed: weechat-headless")
def test_irssi_and_weechat_talk_to_each_other(server, start):
    alice = start(Irssi, server, "alice", password=PASSWORDS["alice"]).lobby()
    ivan = start(WeeChat, server, "Иван", password=PASSWORDS["Иван"]).lobby()
    alice.expect(r"Иван \[u@иван\] has joined #lobby")
    ivan.say("Привет из WeeChat", "#lobby")
    alice.expect("< Иван> Привет из WeeChat$")
    alice.say("Здравствуй, hello from irssi")
    ivan.expect("\t@alice\tЗдравствуй, hello from irssi$", "#lobby")
    alice.say("/me машет рукой")
    ivan.expect(r"\t \*\talice машет рукой$", "#lobby")
    ivan.say("/me waves back", "#lobby")
    alice.expect(r" \* Иван waves back$")
    ivan.say("/msg alice только тебе")
    alice.window("Иван")
    alice.expect("<Иван> только тебе$")
    alice.say("вижу")
    ivan.expect("\talice\tвижу$", "alice")


def test_everyday_commands_leave_nothing_odd_on_the_screen(server, start, dial):
    bob = dial(server, "bob")
    alice = start(Irssi, server, "alice", password=PASSWORDS["alice"]).lobby()
    alice.expect(r"\[@alice\] \[ bob\]$")
    alice.say("/join #сад")
    alice.expect(r"alice \[u@alice\] has joined #сад$")
    alice.say("/topic Розы")
    alice.expect("alice changed the topic of #сад to: Розы$")
    bob.send("JOIN #сад")
    bob.expect("332 bob #сад :Розы$")
    alice.expect(r"bob \[u@bob\] has joined #сад$")
    alice.expect("Irssi: Join to #сад was synced")
    alice.say("/names")
    alice.expect(r"\[~alice\] \[ bob\]$")
    alice.say("/part #сад до встречи")
    bob.expect("^:alice!u@alice PART #сад :до встречи$")
    alice.expect(r"^\[#lobby\]")
    alice.say("/join #сад")
    alice.expect("Topic for #сад: Розы$")
    alice.expect(r"\[~alice\] \[ bob\]$")
    alice.expect("Irssi: Join to #сад was synced")
    alice.say("/who #сад")
    alice.window("(status)")
    alice.expect(r"#сад bob +H +0 +u@bob \[bob in a test\]$")
    alice.expect("End of /WHO list")
    refused = [line for line in alice.traffic() if re.match(r">> :\S+ ([45]\d\d|FAIL) ", line)]
    assert [line for line in refused if not any(usual in line for usual in USUAL)] == []
    assert [line for line in alice.screens(3).splitlines() if ODD.search(line)] == []


def test_the_account_names_the_user_whatever_nick_was_asked_for(server, start, dial):
    bob = dial(server, "bob")
    alice = start(Irssi, server, "queen", account="alice", password=PASSWORDS["alice"]).lobby()
    alice.expect(r"^ \[\d\d:\d\d\] \[@?alice\] ")
    alice.say("it is me")
    bob.expect("^:alice!u@alice PRIVMSG #lobby :it is me$")


def test_a_server_password_logs_in_without_sasl(server, start):
    # The colon lets irssi send a password with spaces in one piece.
    alice = start(Irssi, server, "alice", server_password=f":alice:{PASSWORDS['alice']}").lobby()
    alice.expect(r"alice \[u@alice\] has joined #lobby$")


def test_no_login_is_told_what_to_set(server, start):
    alice = start(Irssi, server, "alice")
    alice.expect("This server needs a login: set SASL PLAIN")
    alice.expect("Connection lost to localhost$")


def test_a_wrong_password_is_refused(server, start):
    alice = start(Irssi, server, "alice", password="guess")
    alice.expect(r"Cannot authenticate via SASL \(Login refused: the name or the password is wrong\)$")
    alice.expect("Connection lost to localhost$")


@pytest.mark.parametrize("what", ["authority", "name"])
def test_a_server_that_cannot_be_verified_is_refused(server, start, tmp_path, caplog, what):
    caplog.set_level(logging.INFO)
    if what == "authority":
        other = make_home(tmp_path / "other").certs / "ca.pem"
        alice = start(Irssi, server, "alice", password=PASSWORDS["alice"], authority=other)
        alice.expect("Could not verify TLS servers certificate")
    else:
        # Reaches this machine under a name that is not in the certificate.
        alice = start(Irssi, server, "alice", password=PASSWORDS["alice"], host="0.0.0.0")
        alice.expect("None of the Subject Alt Names in the certificate match hostname")
    alice.expect("Connection lost to")
    assert "login: alice" not in caplog.text


def test_an_issued_certificate_logs_in(server, start, home, tmp_path, dial):
    alice = dial(server, "alice")
    bob = start(Irssi, server, "bob", device=issued(home, "bob", tmp_path / "bob.pem")).lobby()
    bob.say("no password here")
    alice.expect("^:bob!u@bob PRIVMSG #lobby :no password here$")
    revoke(home, "bob")
    bob.window("(status)")
    bob.expect(re.escape(REVOKED[:40]))


def test_a_certificate_of_another_authority_is_refused(server, start, home, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    other = issued(make_home(tmp_path / "other"), "bob", tmp_path / "bob.pem")
    bob = start(Irssi, server, "bob", device=other)
    bob.expect("Connection lost to localhost|tlsv1 alert|unknown ca")
    until(lambda: "the client's certificate is not of this server's CA" in caplog.text, "the server says why")
    assert "login: bob" not in caplog.text
