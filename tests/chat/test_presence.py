"""AWAY, SETNAME, MONITOR, ISON, USERHOST and bot mode: how people are seen, with one device and with several."""

from __future__ import annotations

import pytest
from helpers.house import House, account, codes

from securechat.chat.presence import MAX_AWAY, MAX_MONITORED
from securechat.protocol.framing import MAX_BODY

B, C = ":bob!u@bob", ":carol!u@carol"
AWAY = ":s.example 306 bob :You have been marked as being away"
BACK = ":s.example 305 bob :You are no longer marked as being away"


@pytest.fixture
def house():
    return House()


class TestAway:
    def test_neighbours_who_asked_hear_of_it(self, house):
        bob, carol, alice = (
            house.login("bob", "away-notify"),
            house.login("carol", "away-notify"),
            house.login("Alice"),
        )
        assert bob.say("AWAY :lunch") == [AWAY]
        assert carol.heard() == [f"{B} AWAY :lunch"]
        assert bob.say("AWAY :late lunch", "AWAY :late lunch") == [AWAY, AWAY]
        assert carol.heard() == [f"{B} AWAY :late lunch"]
        assert bob.say("AWAY") == [BACK]
        assert carol.heard() == [f"{B} AWAY"]
        assert bob.say("AWAY :") == [BACK]
        assert carol.heard() == alice.heard() == []

    def test_who_writes_is_told(self, house):
        bob, carol = house.login("bob"), house.login("carol")
        bob.say("AWAY :lunch")
        assert carol.say("PRIVMSG bob :hi") == [":s.example 301 carol bob :lunch"]
        assert bob.heard() == [f"{C} PRIVMSG bob :hi"]
        assert carol.say("NOTICE bob :hi") == []
        assert "G" in carol.say("WHO bob")[0].split()[8]
        assert ":s.example 301 carol bob :lunch" in carol.say("WHOIS bob")

    def test_a_person_is_away_when_all_devices_are(self, house):
        carol = house.login("carol", "away-notify")
        bob, phone = house.login("bob"), house.login("bob")
        assert phone.say("AWAY :asleep") == [AWAY]
        assert carol.heard() == []
        assert carol.say("PRIVMSG bob :hi") == []
        bob.say("AWAY :lunch")
        assert carol.heard() == [f"{B} AWAY :asleep"], "the text of the newest device"
        assert phone.say("AWAY")[-1] == BACK
        assert carol.heard() == [f"{B} AWAY"]

    def test_the_last_present_device_takes_presence_with_it(self, house):
        carol = house.login("carol", "away-notify")
        bob, phone = house.login("bob"), house.login("bob")
        phone.say("AWAY :asleep")
        bob.leave()
        assert carol.heard() == [f"{B} AWAY :asleep"]
        house.login("bob")
        phone.leave()
        assert carol.heard() == []

    def test_a_new_device_brings_the_person_back(self, house):
        carol, bob = house.login("carol", "away-notify"), house.login("bob")
        bob.say("AWAY :lunch")
        carol.heard()
        laptop = house.connect()
        laptop.say("PASS bob:correct-horse", "NICK x", "USER u 0 * :Bob")
        assert carol.heard() == [f"{B} AWAY"]

    def test_who_comes_in_away_is_shown_away(self, house):
        bob, carol, alice = house.login("bob"), house.login("carol", "away-notify"), house.login("Alice")
        carol.say("JOIN #x")
        alice.say("JOIN #x")
        bob.say("AWAY :lunch")
        carol.heard()
        alice.heard()
        bob.say("JOIN #x")
        assert carol.heard() == [f"{B} JOIN #x", f"{B} AWAY :lunch"]
        assert alice.heard() == [f"{B} JOIN #x"]

    def test_strangers_to_one_another_hear_nothing(self):
        house = House(lobby=None)
        bob, carol = house.login("bob"), house.login("carol", "away-notify")
        bob.say("AWAY :lunch")
        assert carol.heard() == []

    def test_too_long_is_refused_and_the_longest_fits_every_reply(self, house):
        bob, ivan = house.login("bob"), house.login("Иван", "away-notify")
        assert codes(bob.say("AWAY :" + "x" * (MAX_AWAY + 1))) == ["417"]
        assert bob.say("AWAY :" + "x" * MAX_AWAY) == [AWAY]
        assert ivan.say("PRIVMSG bob :hi")[-1] == f":s.example 301 Иван bob :{'x' * MAX_AWAY}"

    def test_it_ends_with_the_connection_and_is_not_kept(self, house):
        bob = house.login("bob")
        kept = len(house.log)
        bob.say("AWAY :lunch")
        assert len(house.log) == kept
        bob.leave()
        house.login("bob")
        assert house.login("carol").say("PRIVMSG bob :hi") == []


class TestSetname:
    def test_those_who_asked_see_it_and_whois_has_it(self, house):
        bob, phone = house.login("bob", "setname"), house.login("bob", "setname")
        carol, alice = house.login("carol", "setname"), house.login("Alice")
        assert bob.say("SETNAME :Bob the Builder") == [f"{B} SETNAME :Bob the Builder"]
        assert phone.heard() == carol.heard() == [f"{B} SETNAME :Bob the Builder"]
        assert alice.heard() == []
        assert bob.say("SETNAME :Bob the Builder") == []
        assert alice.say("WHOIS bob")[0] == ":s.example 311 Alice bob u bob * :Bob the Builder"

    def test_without_the_capability_it_works_in_silence(self, house):
        bob = house.login("bob")
        assert bob.say("SETNAME Боб") == []
        assert bob.say("WHOIS bob")[0].endswith(" * :Боб")

    @pytest.mark.parametrize("name", ["", " ", "x" * 65, "😀" * 60])
    def test_refusals(self, house, name):
        bob, carol = house.login("bob", "setname"), house.login("carol", "setname")
        (line,) = bob.say(f"SETNAME :{name}")
        assert line.startswith(":s.example FAIL SETNAME INVALID_REALNAME :")
        assert carol.heard() == []
        assert codes(bob.say("SETNAME")) == ["461"]


class TestMonitor:
    def test_coming_and_going(self, house):
        bob = house.login("bob")
        assert bob.say("MONITOR + carol,Nobody,CAROL") == [":s.example 731 bob :CAROL,Nobody"]
        carol = house.login("carol", "extended-monitor")
        phone = house.login("carol")
        assert bob.heard() == []
        assert bob.say("MONITOR S") == [":s.example 730 bob :carol!u@carol", ":s.example 731 bob :Nobody"]
        phone.leave()
        assert bob.heard() == [], "somebody with another device here has not gone"
        carol.leave()
        assert ":s.example 731 * :carol" in bob.heard()
        back = house.connect()
        back.say("PASS carol:correct-horse", "NICK x", "USER u 0 * :C")
        assert ":s.example 730 * :carol!u@carol" in bob.heard()

    def test_the_list(self, house):
        bob, carol = house.login("bob"), house.login("carol")
        bob.say("MONITOR + carol,Иван")
        assert bob.say("MONITOR L") == [
            ":s.example 732 bob :carol,Иван",
            ":s.example 733 bob :End of MONITOR list",
        ]
        assert carol.say("MONITOR L") == [":s.example 733 carol :End of MONITOR list"]
        assert bob.say("MONITOR - иван,nobody") == []
        assert bob.say("MONITOR l")[0] == ":s.example 732 bob :carol"
        assert bob.say("MONITOR C", "MONITOR C") == []
        assert codes(bob.say("MONITOR L")) == ["733"]
        assert house.hub.watchers == {}
        carol.leave()
        assert codes(bob.heard()) == ["QUIT"]

    def test_whether_an_account_exists_is_not_told(self, house):
        bob = house.login("bob")
        assert bob.say("MONITOR + carol") == [":s.example 731 bob :carol"]
        assert bob.say("MONITOR + dave") == [":s.example 731 bob :dave"]

    def test_the_list_is_limited(self, house):
        bob = house.login("bob")
        for start in range(0, MAX_MONITORED, 20):
            bob.say("MONITOR + " + ",".join(f"n{number}" for number in range(start, start + 20)))
        assert bob.say("MONITOR + n5,more,evenmore") == [
            f":s.example 734 bob {MAX_MONITORED} more,evenmore :The MONITOR list is full",
            ":s.example 731 bob :n5",
        ]
        assert len(bob.session.monitored) == MAX_MONITORED

    @pytest.mark.parametrize(
        "names", [":a b", ":::a", ":a :b", "a!b@c", ",,", "x" * 400, ":", ",".join("abcdefgh" * 28)]
    )
    def test_oddities_are_no_names_or_fit_the_reply(self, house, names):
        bob = house.login("bob")
        for start in range(0, MAX_MONITORED, 20):
            bob.say("MONITOR + " + ",".join(f"n{number}" for number in range(start, start + 20)))
        lines = bob.say(f"MONITOR + {names}")
        assert all(len(line.encode()) + 2 <= MAX_BODY for line in lines)
        assert set(codes(lines)) <= {"734"}

    def test_many_at_once_take_several_lines(self, house):
        bob = house.login("bob")
        names = [f"somebody-{number:02}" for number in range(40)]
        lines = bob.say("MONITOR + " + ",".join(names[:20]), "MONITOR + " + ",".join(names[20:]), "MONITOR L")
        listed = [name for line in lines if " 732 " in line for name in line.split(":")[2].split(",")]
        assert listed == names

    def test_it_ends_with_the_connection(self, house):
        bob, phone = house.login("bob"), house.login("bob")
        bob.say("MONITOR + carol")
        phone.say("MONITOR + carol,Иван")
        bob.leave()
        assert set(house.hub.watchers) == {"carol", "иван"}
        phone.leave()
        assert house.hub.watchers == {}

    def test_extended_monitor_brings_away_and_names_without_a_common_channel(self):
        house = House(lobby=None)
        bob = house.login("bob", "extended-monitor", "away-notify", "setname")
        alice = house.login("Alice", "extended-monitor")
        ivan = house.login("Иван", "away-notify", "setname")
        carol = house.login("carol")
        for watcher in (bob, alice, ivan):
            assert watcher.say("MONITOR + carol")[0].split()[1] == "730"
        carol.say("AWAY :lunch", "SETNAME :Caroline", "AWAY")
        assert bob.heard() == [f"{C} AWAY :lunch", f"{C} SETNAME :Caroline", f"{C} AWAY"]
        assert alice.heard() == ivan.heard() == []

    def test_a_neighbour_who_watches_hears_it_once(self, house):
        bob, carol = house.login("bob", "extended-monitor", "away-notify"), house.login("carol")
        bob.say("MONITOR + carol")
        carol.say("AWAY :lunch")
        assert bob.heard() == [f"{C} AWAY :lunch"]

    def test_missing_and_unknown_words(self, house):
        bob = house.login("bob")
        assert codes(bob.say("MONITOR")) == ["461"]
        assert bob.say("MONITOR +", "MONITOR -", "MONITOR X carol") == []


class TestIsonAndUserhost:
    def test_ison(self, house):
        bob, _ = house.login("bob"), house.login("Иван")
        assert bob.say("ISON иван carol nobody BOB", "ISON :иван carol", "ISON carol", "ISON :") == [
            ":s.example 303 bob :Иван bob",
            ":s.example 303 bob :Иван",
            ":s.example 303 bob :",
            ":s.example 303 bob :",
        ]
        assert codes(bob.say("ISON")) == ["461"]

    def test_userhost(self):
        house = House(accounts=[account("root-of-all", 0, "admin"), account("bob"), account("carol")])
        admin, bob = house.login("root-of-all"), house.login("bob")
        bob.say("AWAY :x")
        assert admin.say("USERHOST root-of-all BOB carol nobody") == [
            ":s.example 302 root-of-all :root-of-all*=+u@root-of-all bob=-u@bob"
        ]
        assert codes(bob.say("USERHOST")) == ["461"]

    @pytest.mark.parametrize(("command", "code"), [("ISON", "303"), ("USERHOST", "302")])
    def test_nobody_is_left_out_for_want_of_room(self, command, code):
        names = ["ж" * 30 + letter for letter in "абвгд"]
        house = House(accounts=[account(name) for name in names])
        first, *_ = [house.login(name) for name in names]
        said = " ".join(first.say(f"{command} {' '.join(names)}"))
        assert all(name in said for name in names)


def test_bots_say_that_they_are(house):
    bob, carol = house.login("bob"), house.login("carol", "message-tags")
    alice = house.login("Alice")
    bob.say("MODE bob +B", "PRIVMSG #lobby :beep")
    assert carol.heard() == [f"@msgid=id{len(house.log)};bot {B} PRIVMSG #lobby :beep"]
    assert alice.heard() == [f"{B} PRIVMSG #lobby :beep"]
    assert "H" in carol.say("WHO bob")[0]
    assert carol.say("WHO bob")[0].split()[8] == "HB"
    assert ":s.example 335 carol bob :is a bot" in carol.say("WHOIS bob")
    bob.say("MODE bob -B", "PRIVMSG #lobby :I am human")
    assert "bot" not in carol.heard()[-1]
    assert "335" not in codes(carol.say("WHOIS bob"))
    bob.say("MODE bob +B")
    bob.leave()
    house.login("bob")
    assert carol.say("WHO bob")[0].split()[8] == "H", "who comes anew says it anew"
