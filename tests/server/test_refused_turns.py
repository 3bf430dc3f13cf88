"""A turn that cannot be stored: each line is answered with the truth, and nothing of it lingers."""

from __future__ import annotations

import pytest
from helpers.homes import PASSWORDS
from helpers.wire import plain

from securechat.chat import apply
from securechat.records import Kind
from securechat.server.accounts import delete_account
from securechat.storage.users import UserFile


@pytest.fixture
def full(serve):
    """A server whose log refuses everything until `free` is called on it."""
    server = serve(lines_per_second=0)
    database = server._sequencer._log._database
    server.fill = lambda: database.execute("PRAGMA query_only = 1").fetchall()
    server.free = lambda: database.execute("PRAGMA query_only = 0").fetchall()
    return server


def test_a_command_of_any_length_is_answered(full, dial):
    bob = dial(full, "bob")
    full.fill()
    bob.send("JOIN #x", "A" * 480, "PING z")
    bob.expect("FAIL JOIN NOT_STORED")
    bob.expect("PONG .*z$")
    bob.send("A" * 480)
    bob.expect(" 421 bob ")
    assert not full.failed


def test_strangers_keep_their_answers(full, dial):
    bob = dial(full, "bob")
    full.fill()
    stranger = dial(full)
    for number in range(20):
        bob.send(f"JOIN #x{number}")
        stranger.send("CAP LS 302", "AUTHENTICATE PLAIN", "AUTHENTICATE *")
        stranger.expect(" CAP [*] LS ")
        stranger.expect("^AUTHENTICATE [+]$")
        stranger.expect(" 906 ")
    assert not [line for line in stranger.seen if "NOT_STORED" in line]


def test_nobody_comes_in_while_nothing_can_be_stored(full, dial):
    bob = dial(full, "bob")
    full.fill()
    alice = dial(full)
    alice.send("CAP LS 302", "NICK a", "USER a 0 * :a", "AUTHENTICATE PLAIN")
    alice.send(f"AUTHENTICATE {plain('alice', PASSWORDS['alice'])}", "CAP END")
    assert alice.rest()[-1] == "ERROR :The server cannot store anything now"
    assert not [line for line in bob.barrier() if "JOIN" in line]
    full.free()
    dial(full, "alice")
    bob.expect("^:alice!u@alice JOIN #lobby$")


def test_a_deleted_account_is_shown_leaving_when_that_can_be_kept(full, dial, home):
    alice, bob = dial(full, "alice"), dial(full, "bob")
    full.fill()
    delete_account(UserFile(home.users), "bob")
    assert bob.rest()[-1] == "ERROR :Your account was deleted"
    assert not [line for line in alice.barrier() if "QUIT" in line]
    full.free()
    alice.send("PRIVMSG #lobby :anybody?")
    alice.expect("^:bob!u@bob QUIT :Account deleted$")


def test_who_leaves_while_we_fail_has_left_all_the_same(full, dial, monkeypatch):
    alice, bob = dial(full, "alice"), dial(full, "bob")
    sound = apply.TABLE[Kind.OFFLINE]

    def blunder(*_):
        # Once: the next turn tries again, and nobody here knows when that is.
        monkeypatch.setitem(apply.TABLE, Kind.OFFLINE, sound)
        raise RuntimeError("a mistake of ours")

    monkeypatch.setitem(apply.TABLE, Kind.OFFLINE, blunder)
    bob.close()
    alice.expect("^:bob!u@bob QUIT :Internal error$")
    alice.send("ISON bob")
    assert alice.expect(" 303 alice :(.*)$")[1] == ""
