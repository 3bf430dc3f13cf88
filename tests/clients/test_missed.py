"""WeeChat and irssi cannot ask for history: they are shown what they missed when they come back, once."""

from __future__ import annotations

import shutil

import pytest
from helpers.homes import PASSWORDS
from helpers.irssi import Irssi
from helpers.weechat import WeeChat


@pytest.mark.skipif(shutil.which("weechat-headless") is None, reason="not installed: weechat-headless")
def test_weechat_is_shown_what_it_missed(home, server, dial, tmp_path):
    def run(number):
        login = {"account": "bob@desk", "password": PASSWORDS["bob"]}
        return WeeChat(tmp_path / f"weechat-{number}", server.port, home.certs / "ca.pem", "bob", **login)

    alice = dial(server, "alice")
    with run(1) as bob:
        bob.lobby()
        alice.send("PRIVMSG #lobby :пока ты здесь")
        bob.expect("пока ты здесь$", "#lobby")
        bob.say("/quit")
        alice.expect("^:bob!u@bob QUIT ")
    alice.send("PRIVMSG #lobby :пока тебя нет", "PRIVMSG bob :только тебе")
    alice.barrier()
    with run(2) as bob:
        bob.lobby()
        bob.expect("\t.?alice\tпока тебя нет$", "#lobby")
        bob.expect("\talice\tтолько тебе$", "alice")
        alice.send("PRIVMSG #lobby :снова здесь")
        bob.expect("снова здесь$", "#lobby")
        assert bob.log("#lobby").count("пока ты здесь") == 0, "that was seen"
        assert bob.log("#lobby").count("пока тебя нет") == 1


@pytest.mark.skipif(not (shutil.which("irssi") and shutil.which("tmux")), reason="not installed: irssi, tmux")
def test_irssi_is_shown_what_it_missed(home, server, dial, tmp_path):
    alice = dial(server, "alice")
    bob = dial(server)
    bob.login("bob@desk", PASSWORDS["bob"]).send("QUIT")
    alice.expect("^:bob!u@bob QUIT ")
    alice.send("PRIVMSG #lobby :while you were away")
    alice.barrier()
    login = {"account": "bob@desk", "password": PASSWORDS["bob"]}
    with Irssi(tmp_path / "irssi", server.port, home.certs / "ca.pem", "bob", **login) as irssi:
        irssi.lobby()
        irssi.expect("alice> .*while you were away$")
