"""KICK, INVITE, and who may come into a channel: what is seen by members, by guests and by outsiders."""

from __future__ import annotations

import pytest
from helpers.house import NAMES, House, account, codes

from securechat.records import Kind

A, B, C = ":Alice!u@alice", ":bob!u@bob", ":carol!u@carol"


@pytest.fixture
def house():
    return House()


@pytest.fixture
def three(house):
    """bob, who owns #x, carol, who is in it, and Alice, who is not."""
    bob, carol, alice = (house.login(name) for name in ("bob", "carol", "Alice"))
    bob.say("JOIN #x")
    carol.say("JOIN #x")
    bob.heard()
    return bob, carol, alice


def joined(lines: list[str]) -> bool:
    return "JOIN" in codes(lines)


class TestKick:
    def test_everybody_sees_it_and_it_lasts(self, three, house):
        bob, carol, alice = three
        assert bob.say("KICK #X CAROL :be nice") == [f"{B} KICK #x carol :be nice"]
        assert carol.heard() == [f"{B} KICK #x carol :be nice"]
        assert alice.heard() == []
        assert house.log[-1][3:7] == (Kind.KICK, "#x", "bob", "carol be nice")
        assert codes(carol.say("PRIVMSG #x :hey")) == ["404"]
        assert "carol" not in house.fresh_hub([account(name) for name in NAMES]).channels["#x"].members
        assert joined(house.login("carol").say("JOIN #x")), "a kick is not a ban"

    @pytest.mark.parametrize("line", ["KICK #x carol", "KICK #x carol :"])
    def test_without_a_reason_it_names_who_did_it(self, three, line):
        bob, *_ = three
        assert bob.say(line) == [f"{B} KICK #x carol :bob"]

    def test_all_devices_leave(self, three, house):
        bob, carol, _ = three
        second = house.login("carol")
        bob.say("KICK #x carol :out")
        assert carol.heard() == second.heard() == [f"{B} KICK #x carol :out"]
        bob.say("PRIVMSG #x :alone")
        assert carol.heard() == second.heard() == []

    def test_who_is_offline_can_be_kicked(self, three, house):
        bob, carol, _ = three
        carol.leave()
        bob.heard()
        assert bob.say("KICK #x carol :gone") == [f"{B} KICK #x carol :gone"]
        assert set(house.login("carol").session.person.channels) == {"#lobby"}

    def test_the_owner_is_protected(self, three):
        bob, carol, _ = three
        bob.say("MODE #x +o carol")
        carol.heard()
        assert carol.say("KICK #x bob :coup") == [
            ":s.example 482 carol #x :Nobody removes a channel's owner from it"
        ]
        assert carol.say("MODE #x +b bob") == [f"{C} MODE #x +b bob!*@*"]
        bob.heard()
        assert bob.say("PRIVMSG #x :I stay", "PART #x") == [f"{B} PART #x"]
        assert joined(bob.say("JOIN #x")), "no ban holds against the owner"
        assert bob.say("KICK #x bob :myself") == [f"{B} KICK #x bob :myself"]

    def test_refusals(self, three, house):
        bob, carol, alice = three
        kept = len(house.log)
        assert carol.say("KICK #x bob") == [":s.example 482 carol #x :Only those who run this channel may do that"]
        assert alice.say("KICK #x bob") == [":s.example 442 Alice #x :You are not in that channel"]
        assert alice.say("KICK #none bob") == [":s.example 403 Alice #none :No such channel"]
        assert bob.say("KICK #x Alice", "KICK #x nobody", "KICK #x :") == [
            ":s.example 441 bob Alice #x :They are not in that channel",
            ":s.example 441 bob nobody #x :They are not in that channel",
            ":s.example 441 bob * #x :They are not in that channel",
        ]
        assert codes(bob.say("KICK", "KICK #x", f"KICK #x carol :{'r' * 490}")) == ["461", "461", "417"]
        assert len(house.log) == kept

    def test_several_at_once(self, three):
        bob, _, alice = three
        alice.say("JOIN #x")
        bob.heard()
        assert bob.say("KICK #x carol,nobody,Alice,carol :all") == [
            f"{B} KICK #x carol :all",
            ":s.example 441 bob nobody #x :They are not in that channel",
            f"{B} KICK #x Alice :all",
            ":s.example 441 bob carol #x :They are not in that channel",
        ]

    def test_too_many_at_once_are_refused_and_the_number_is_announced(self):
        house = House(targets=2)
        bob = house.login("bob")
        bob.say("JOIN #x")
        assert bob.say("KICK #x a,b,c") == [
            ":s.example 407 bob :At most 2 targets in one command; nothing was done"
        ]
        assert any("KICK:2" in word for word in house.hub.isupport)

    def test_an_admin_kicks_in_the_lobby(self):
        house = House(accounts=[account("root-of-all", 0, "admin"), account("bob"), account("carol")])
        admin, bob = house.login("root-of-all"), house.login("bob")
        assert codes(bob.say("KICK #lobby root-of-all")) == ["482"]
        assert admin.say("KICK #lobby bob :out") == [":root-of-all!u@root-of-all KICK #lobby bob :out"]
        bob.heard()
        assert joined(bob.say("JOIN #lobby"))


class TestInvite:
    def test_a_guest_comes_in_once(self, three, house):
        bob, carol, alice = three
        bob.say("MODE #x +i")
        carol.heard()
        assert alice.say("JOIN #x") == [":s.example 473 Alice #x :Cannot join: by invitation only (+i)"]
        assert bob.say("INVITE alice #X") == [":s.example 341 bob Alice :#x"]
        assert alice.heard() == [f"{B} INVITE Alice #x"]
        assert carol.heard() == [], "only those hear of it who asked to"
        assert alice.say("INVITE") == [":s.example 336 Alice :#x", ":s.example 337 Alice :End of INVITE list"]
        assert joined(alice.say("JOIN #x"))
        assert codes(alice.say("INVITE")) == ["337"]
        alice.say("PART #x")
        assert codes(alice.say("JOIN #x")) == ["473"]

    def test_an_invitation_survives_a_restart_and_waits_for_who_is_offline(self, three, house):
        bob, _, alice = three
        bob.say("MODE #x +i")
        alice.leave()
        bob.heard()
        assert bob.say("INVITE Alice #x") == [":s.example 341 bob Alice :#x"]
        house.fresh_hub([account(name) for name in NAMES])
        assert joined(house.login("Alice").say("JOIN #x"))

    def test_an_invitation_opens_all_but_a_ban(self, three):
        bob, _, alice = three
        bob.say("MODE #x +ikl sesam 1", "INVITE Alice #x", "MODE #x +b alice")
        alice.heard()
        assert codes(alice.say("JOIN #x")) == ["474"]
        bob.say("MODE #x -b alice")
        assert joined(alice.say("JOIN #x"))

    def test_refusals(self, three, house):
        bob, carol, alice = three
        kept = len(house.log)
        assert bob.say("INVITE carol #x") == [":s.example 443 bob carol #x :is in that channel already"]
        assert bob.say("INVITE nobody #x") == [":s.example 401 bob nobody :No such nick"]
        assert bob.say("INVITE Alice #none") == [":s.example 403 bob #none :No such channel"]
        assert alice.say("INVITE carol #x") == [":s.example 442 Alice #x :You are not in that channel"]
        assert len(house.log) == kept
        bob.say("MODE #x +i")
        carol.heard()
        assert carol.say("INVITE Alice #x") == [
            ":s.example 482 carol #x :Only those who run this channel may do that"
        ]
        assert alice.heard() == []

    def test_every_member_invites_into_an_open_channel(self, three):
        _, carol, alice = three
        assert carol.say("INVITE Alice #x") == [":s.example 341 carol Alice :#x"]
        assert alice.heard() == [f"{C} INVITE Alice #x"]

    def test_who_invites_is_told_that_the_guest_is_away(self, three):
        bob, _, alice = three
        alice.say("AWAY :lunch")
        assert bob.say("INVITE Alice #x") == [":s.example 341 bob Alice :#x", ":s.example 301 bob Alice :lunch"]

    def test_those_who_run_the_channel_hear_of_it_if_they_asked(self, house):
        bob, carol, alice = house.login("bob", "invite-notify"), house.login("carol"), house.login("Alice")
        bob.say("JOIN #x")
        carol.say("JOIN #x", "CAP REQ :invite-notify")
        bob.heard()
        carol.say("INVITE Иван #x")
        assert bob.heard() == [f"{C} INVITE Иван #x"]
        phone = house.login("bob", "invite-notify")
        assert bob.say("INVITE Alice #x") == [":s.example 341 bob Alice :#x"], "who invites is told once"
        assert phone.heard() == [f"{B} INVITE Alice #x"]
        assert carol.heard() == [], "carol does not run it"
        assert alice.heard() == [f"{B} INVITE Alice #x"]

    def test_into_a_secret_channel(self, three):
        bob, _, alice = three
        bob.say("MODE #x +s", "INVITE Alice #x")
        assert alice.heard() == [f"{B} INVITE Alice #x"]
        assert codes(alice.say("MODE #x", "TOPIC #x")) == ["403", "403"], "asked in, not in"
        assert joined(alice.say("JOIN #x"))


class TestTheDoor:
    @pytest.mark.parametrize(
        ("mode", "code"),
        [("+i", "473"), ("+k sesam", "475"), ("+l 2", "471"), ("+b alice", "474"), ("+b *", "474")],
    )
    def test_closed(self, three, mode, code):
        bob, carol, alice = three
        bob.say(f"MODE #x {mode}")
        carol.heard()
        bob.heard()
        assert codes(alice.say("JOIN #x")) == [code]
        assert bob.heard() == carol.heard() == []
        assert bob.say("MODE #x -iklbb * alice *") != []
        assert joined(alice.say("JOIN #x"))

    def test_the_key_opens(self, three):
        bob, _, alice = three
        bob.say("MODE #x +k sésam")
        assert codes(alice.say("JOIN #x", "JOIN #x wrong", "JOIN #x SÉSAM", "JOIN #y,#x sésam")) == [
            *("475", "475", "475", "JOIN", "353", "366", "475")
        ]
        assert joined(alice.say("JOIN #none2,#x x,sésam"))
        assert "#x" in alice.session.person.channels

    def test_an_exception_lets_in_and_speak(self, three):
        bob, _, alice = three
        bob.say("MODE #x +be * alice")
        assert joined(alice.say("JOIN #x"))
        assert alice.say("PRIVMSG #x :hi") == []
        bob.say("MODE #x -e alice")
        alice.heard()
        assert alice.say("PRIVMSG #x :hi") == [":s.example 404 Alice #x :You are banned from that channel (+b)"]

    def test_an_invitation_list_lets_in(self, three):
        bob, _, alice = three
        bob.say("MODE #x +iI al*")
        assert joined(alice.say("JOIN #x"))

    def test_a_ban_silences_members_too_but_not_those_with_voice(self, three):
        bob, carol, _ = three
        bob.say("MODE #x +b carol")
        carol.heard()
        assert codes(carol.say("PRIVMSG #x :hi")) == ["404"]
        bob.say("MODE #x +v carol")
        carol.heard()
        assert carol.say("PRIVMSG #x :hi") == []

    def test_who_runs_the_channel_needs_no_key(self, three):
        bob, *_ = three
        bob.say("MODE #x +iklb sesam 1 *", "PART #x")
        assert joined(bob.say("JOIN #x"))

    def test_members_come_back_by_themselves_whatever_the_door_says(self, three, house):
        bob, carol, _ = three
        bob.say("MODE #x +ikl sesam 1")
        carol.leave()
        again = house.connect()
        lines = again.say("PASS carol:correct-horse", "NICK x", "USER u 0 * :C")
        assert f"{C} JOIN #x" in lines

    def test_the_lobby_can_be_closed_to_somebody(self):
        house = House(accounts=[account("root-of-all", 0, "admin"), account("bob")])
        admin, bob = house.login("root-of-all"), house.login("bob")
        admin.say("MODE #lobby +m")
        bob.heard()
        assert codes(bob.say("PRIVMSG #lobby :hi", "MODE #lobby -m")) == ["404", "482"]
        assert admin.say("MODE #lobby +v bob") == [":root-of-all!u@root-of-all MODE #lobby +v bob"]
        bob.heard()
        assert bob.say("PRIVMSG #lobby :hi") == []


def test_who_has_kicked_oneself_kicks_nobody_else():
    house = House()
    bob, carol, ivan = (house.login(name) for name in ("bob", "carol", "Иван"))
    for device in (bob, carol, ivan):
        device.say("JOIN #x")
    bob.say("MODE #x +o carol")
    for device in (bob, carol, ivan):
        device.heard()
    assert carol.say("KICK #x carol,Иван") == [":carol!u@carol KICK #x carol :carol"]
    assert "иван" in house.hub.channels["#x"].members


def test_an_invitation_ends_with_its_account():
    house = House(lobby=None)
    bob = house.login("bob")
    bob.say("JOIN #x", "MODE #x +i", "INVITE carol #x")
    later = account("carol", house.now + 1000)
    house.run(None, house.hub.accounts_changed({"bob": account("bob"), "carol": later}))
    house.now += 2000
    assert codes(house.login("carol").say("JOIN #x")) == ["473"]


def test_a_ban_keeps_out_of_the_lobby_too():
    house = House(accounts=[account("Alice", 0, "admin"), account("bob")])
    alice, bob = house.login("Alice"), house.login("bob")
    alice.say("MODE #lobby +b bob", "KICK #lobby bob")
    bob.leave()
    again = house.login("bob")
    assert again.session.person.channels == {}


def test_a_full_list_lets_one_be_replaced():
    house = House()
    bob = house.login("bob")
    bob.say("JOIN #x", *(f"MODE #x +b b{number}" for number in range(100)))
    bob.heard()
    assert codes(bob.say("MODE #x +b more")) == ["478"]
    assert bob.say("MODE #x -b+b b0 more") == [":bob!u@bob MODE #x -b+b b0!*@* more!*@*"]
