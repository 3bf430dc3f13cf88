"""KILL, notices to everybody, REHASH, and accounts that are kicked, disabled or deleted from the shell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.house import SECRET, House, account, codes

from securechat.chat.registration import REFUSED
from securechat.records import Kind

PEOPLE = [account("root-of-all", 0, "admin"), account("bob"), account("carol"), account("Иван")]
R = ":root-of-all!u@root-of-all"
DENIED = ":s.example 481 {} :Only administrators of this server may do that"


@pytest.fixture
def house():
    return House(accounts=PEOPLE)


def change(house: House, key: str, **fields) -> None:
    """Do what a command in the shell does to the users file, and let the hub see it."""
    accounts = dict(house.hub.accounts)
    accounts[key] = replace(accounts[key], **fields)
    house.run(None, house.hub.accounts_changed(accounts))


class TestKill:
    def test_every_device_goes_and_may_come_back(self, house):
        root, bob, phone, carol = (house.login(name) for name in ("root-of-all", "bob", "bob", "carol"))
        assert root.say("KILL BOB :spam") == [":bob!u@bob QUIT :Killed by root-of-all: spam"]
        assert bob.heard() == phone.heard() == ["ERROR :Killed by root-of-all: spam"]
        assert bob.closed == phone.closed == "killed by root-of-all"
        assert carol.heard() == [":bob!u@bob QUIT :Killed by root-of-all: spam"]
        assert house.login("bob").session.person is not None

    def test_without_a_reason_and_oneself(self, house):
        root, bob = house.login("root-of-all"), house.login("bob")
        root.say("KILL bob")
        assert bob.heard() == ["ERROR :Killed by root-of-all"]
        assert root.say("KILL root-of-all :bye")[-1] == "ERROR :Killed by root-of-all: bye"
        assert root.closed

    def test_refusals(self, house):
        root, bob, carol = house.login("root-of-all"), house.login("bob"), house.login("carol")
        assert bob.say("KILL carol :mine") == [DENIED.format("bob")]
        assert bob.say("KILL nobody :mine") == [DENIED.format("bob")], "not even whether there is such a name"
        assert root.say("KILL nobody", "KILL Иван") == [
            ":s.example 401 root-of-all nobody :No such nick",
            ":s.example 401 root-of-all Иван :No such nick",
        ]
        assert codes(root.say("KILL", "KILL bob :" + "x" * 490)) == ["461", "417"]
        assert not bob.closed
        assert carol.heard() == []


class TestNoticeToAll:
    @pytest.mark.parametrize("target", ["$*", "$s.example"])
    def test_everybody_gets_it(self, house, target):
        root, bob, phone, carol = (house.login(name) for name in ("root-of-all", "bob", "bob", "carol"))
        carol.say("PART #lobby")
        root.heard()
        assert root.say(f"NOTICE {target} :Back at noon") == []
        for device in (bob, phone, carol):
            assert device.heard()[-1] == f"{R} NOTICE $* :Back at noon"
        assert house.log[-1][3:7] == (Kind.NOTICE, "*", "root-of-all", "Back at noon")

    def test_strangers_do_not(self, house):
        root, stranger = house.login("root-of-all"), house.connect()
        root.say("NOTICE $* :hi")
        assert stranger.heard() == []

    def test_a_message_too_and_its_echo(self, house):
        root, bob = house.login("root-of-all", "echo-message"), house.login("bob")
        assert root.say("PRIVMSG $* :hi") == [f"{R} PRIVMSG $* :hi"]
        assert bob.heard() == [f"{R} PRIVMSG $* :hi"]

    def test_others_may_not(self, house):
        bob, carol = house.login("bob"), house.login("carol")
        kept = len(house.log)
        assert bob.say("NOTICE $* :hi", "NOTICE $s.example :hi") == [], "a notice is never answered"
        assert bob.say("PRIVMSG $* :hi") == [
            ":s.example 481 bob $* :Only administrators of this server may do that"
        ]
        assert codes(bob.say("PRIVMSG $other :hi")) == ["401"]
        assert carol.heard() == []
        assert len(house.log) == kept


def test_rehash_is_for_administrators(house):
    root, bob = house.login("root-of-all"), house.login("bob")
    assert bob.say("REHASH") == [DENIED.format("bob")]
    assert house.rehashes == 0
    root.say("REHASH")
    assert house.rehashes == 1


def test_rank_is_what_the_users_file_says_now(house):
    root = house.login("root-of-all")
    change(house, "root-of-all", roles=frozenset())
    assert root.say("KILL bob") == [DENIED.format("root-of-all")]
    bob = house.login("bob")
    change(house, "bob", roles=frozenset({"admin"}))
    assert codes(bob.say("KILL nobody")) == ["401"]
    assert codes(bob.say("TOPIC #lobby :mine")) == ["TOPIC"]


class TestFromTheShell:
    def test_disabling_ends_connections_and_keeps_them_out(self, house):
        bob, phone, carol = house.login("bob"), house.login("bob"), house.login("carol")
        bob.say("JOIN #x")
        carol.say("JOIN #x")
        carol.heard()
        change(house, "bob", disabled=True)
        assert bob.heard()[-1] == phone.heard()[-1] == "ERROR :Your account is disabled"
        assert bob.closed == phone.closed == "account disabled"
        assert carol.heard() == [":bob!u@bob QUIT :Account disabled"]
        assert house.hub.channels["#x"].owner == "bob", "what is his stays his"
        change(house, "bob", disabled=False)
        assert set(house.login("bob").session.person.channels) == {"#lobby", "#x"}

    def test_one_that_is_logging_in_does_not_get_in(self, house):
        half = house.connect()
        half.say("CAP LS 302", f"PASS bob:{SECRET}", "NICK x", "USER u 0 * :B")
        change(house, "bob", disabled=True)
        half.say("CAP END")
        assert half.closed
        assert "bob" not in {person.key for person in house.hub.people.values() if person.sessions}

    def test_the_refusal_is_that_of_a_wrong_password(self, house):
        half = house.connect()
        half.say("CAP LS 302", "NICK x", "USER u 0 * :B", "CAP REQ sasl", "AUTHENTICATE PLAIN")
        half.say("AUTHENTICATE AGJvYgBjb3JyZWN0LWhvcnNl")
        change(house, "bob", disabled=True)
        assert half.say("CAP END") == [f"ERROR :{REFUSED}"]

    def test_a_kick_ends_connections_made_before_it(self, house):
        bob, carol = house.login("bob"), house.login("carol")
        change(house, "bob", kicked=house.now)
        assert bob.heard() == ["ERROR :You were disconnected by an administrator"]
        assert carol.heard() == [":bob!u@bob QUIT :Kicked"]
        house.now += 1
        again = house.login("bob")
        house.run(None, house.hub.accounts_changed(house.hub.accounts))
        assert not again.closed

    def test_deleting_forgets_memberships_ranks_and_ownership(self, house):
        bob, carol = house.login("bob"), house.login("carol")
        bob.say("JOIN #x", "INVITE Иван #x")
        carol.say("JOIN #x")
        bob.heard()
        rest = {key: one for key, one in house.hub.accounts.items() if key != "bob"}
        house.run(None, house.hub.accounts_changed(rest))
        assert bob.heard() == ["ERROR :Your account was deleted"]
        assert carol.heard()[-1] == ":bob!u@bob QUIT :Account deleted"
        assert house.hub.channels["#x"].owner == ""
        assert codes(carol.say("PRIVMSG bob :hi")) == ["401"]
        fresh = house.fresh_hub(rest.values())
        assert set(fresh.channels["#x"].members) == {"carol"}

    def test_those_who_are_offline_are_not_shown_leaving(self, house):
        carol = house.login("carol")
        house.login("bob").leave()
        carol.heard()
        change(house, "bob", disabled=True)
        change(house, "bob", disabled=False, kicked=house.now + 10)
        assert carol.heard() == []

    def test_what_does_not_concern_them_does_not_touch_the_others(self, house):
        devices = [house.login(name) for name in ("root-of-all", "bob", "carol")]
        change(house, "иван", disabled=True, roles=frozenset({"admin"}))
        change(house, "carol", hash="another password")
        assert all(device.heard() == [] and not device.closed for device in devices)
