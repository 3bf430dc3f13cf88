"""LIST with every condition, NAMES, LUSERS, VERSION, TIME, INFO, ADMIN, STATS, HELP and MOTD."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.house import House, account, codes

from securechat.chat.commands import TABLE

PEOPLE = [account("root-of-all", 0, "admin"), account("bob"), account("carol"), account("Иван")]
MINUTE = 60_000


@pytest.fixture
def house():
    return House(lobby=None, accounts=PEOPLE)


class TestList:
    @pytest.fixture
    def asker(self, house):
        """Made, topic set (minutes ago), members: #old 60, 50, none; #Сад 30, 5, one; #new now, never, two."""
        bob, carol, ivan = (house.login(name) for name in ("bob", "carol", "Иван"))
        carol.say("JOIN #old")
        house.now += 10 * MINUTE
        carol.say("TOPIC #old :dust", "PART #old")
        house.now += 20 * MINUTE
        bob.say("JOIN #Сад")
        house.now += 25 * MINUTE
        bob.say("TOPIC #сад :Розы")
        house.now += 5 * MINUTE
        bob.say("JOIN #new")
        carol.say("JOIN #new")
        bob.heard()
        return ivan

    @staticmethod
    def found(lines):
        assert codes(lines)[-1] == "323"
        return [line.split()[3] for line in lines if line.split()[1] == "322"]

    def test_everything(self, asker):
        assert [line for line in asker.say("LIST") if " 321 " not in line] == [
            ":s.example 322 Иван #old 0 :dust",
            ":s.example 322 Иван #Сад 1 :Розы",
            ":s.example 322 Иван #new 2 :",
            ":s.example 323 Иван :End of LIST",
        ]

    def test_it_begins_with_what_the_lounge_waits_for(self, asker):
        """Without 321 The Lounge adds the channels of a second /list to those of the first."""
        assert asker.say("LIST")[0] == ":s.example 321 Иван Channel :Users  Name"

    @pytest.mark.parametrize(
        ("words", "names"),
        [
            ("#old", ["#old"]),
            ("#САД", ["#Сад"]),
            ("#none", []),
            ("#*", ["#old", "#Сад", "#new"]),
            ("*САД", ["#Сад"]),
            ("#???", ["#old", "#Сад", "#new"]),
            ("#old,#new", ["#old", "#new"]),
            ("#САД,#none,#o*", ["#old", "#Сад"]),
            ("#old,#new,>0", ["#new"]),
            ("#*,!#old,!#new", ["#Сад"]),
            ("#[on]*", []),
            ("!#*d", ["#Сад", "#new"]),
            ("!*", []),
            (">0", ["#Сад", "#new"]),
            (">1", ["#new"]),
            ("<2", ["#old", "#Сад"]),
            ("<1", ["#old"]),
            (">0,<2", ["#Сад"]),
            ("C<10", ["#new"]),
            ("C>10", ["#old", "#Сад"]),
            ("C>45", ["#old"]),
            ("C>10,C<45", ["#Сад"]),
            ("T<10", ["#Сад"]),
            ("T>10", ["#old"]),
            ("T>1,#с*", ["#Сад"]),
            (">0,", ["#Сад", "#new"]),
            ("", ["#old", "#Сад", "#new"]),
            (">x", []),
            (">", []),
            ("C<", []),
            ("<٣", []),
            (">99999999999999999999", []),
        ],
    )
    def test_conditions(self, asker, words, names):
        assert self.found(asker.say(f"LIST :{words}")) == names

    def test_a_secret_channel_is_in_it_for_members_only(self, asker, house):
        bob, carol = house.login("bob"), house.login("carol")
        bob.say("MODE #new +s")
        for words in ("", "#new", ">1", "C<10", "#*"):
            assert "#new" not in self.found(asker.say(f"LIST :{words}"))
        carol.heard()
        assert "#new" in self.found(carol.say("LIST"))


class TestNames:
    def test_each_channel_by_itself(self, house):
        bob, carol = house.login("bob", "userhost-in-names"), house.login("carol")
        bob.say("JOIN #x,#y")
        assert bob.say("NAMES #X,#none,#y") == [
            ":s.example 353 bob = #x :~bob!u@bob",
            ":s.example 366 bob #x :End of NAMES list",
            ":s.example 366 bob #none :End of NAMES list",
            ":s.example 353 bob = #y :~bob!u@bob",
            ":s.example 366 bob #y :End of NAMES list",
        ]
        assert bob.say("NAMES") == [":s.example 366 bob * :End of NAMES list"]
        assert carol.say("NAMES #x")[0] == ":s.example 353 carol = #x :~bob"
        bob.say("MODE #x +s")
        assert carol.say("NAMES #x") == [":s.example 366 carol #x :End of NAMES list"]
        assert bob.say("NAMES #x")[0] == ":s.example 353 bob @ #x :~bob!u@bob"

    def test_all_ranks_or_the_highest(self, house):
        bob, carol = house.login("bob", "multi-prefix"), house.login("carol")
        bob.say("JOIN #x")
        carol.say("JOIN #x")
        bob.say("MODE #x +ov carol carol")
        carol.heard()
        assert bob.say("NAMES #x")[0].endswith(" = #x :~@bob @+carol")
        assert carol.say("NAMES #x")[0].endswith(" = #x :~bob @carol")

    def test_a_client_may_decline_them_at_a_join(self, house):
        bob = house.login("bob", "no-implicit-names")
        assert bob.say("JOIN #x") == [":bob!u@bob JOIN #x"]
        assert codes(bob.say("NAMES #x")) == ["353", "366"]


class TestTheServer:
    def test_lusers_counts_people_not_devices(self, house):
        bob, _, _ = house.login("bob"), house.login("bob"), house.login("root-of-all")
        carol = house.login("carol")
        bob.say("JOIN #x,#y", "MODE #y +s")
        carol.leave()
        assert bob.say("LUSERS") == [
            ":s.example 251 bob :There are 2 users and 0 invisible on 1 servers",
            ":s.example 252 bob 1 :operators online",
            ":s.example 254 bob 2 :channels formed",
            ":s.example 255 bob :I have 2 clients and 0 servers",
            ":s.example 265 bob 2 3 :Current local users 2, max 3",
            ":s.example 266 bob 2 3 :Current global users 2, max 3",
        ]
        carol = house.login("carol")
        assert carol.say("LUSERS")[2] == ":s.example 254 carol 1 :channels formed", "a secret one does not count"

    def test_version_repeats_what_is_supported(self, house):
        bob = house.login("bob")
        first, *rest = bob.say("VERSION")
        assert first == ":s.example 351 bob securechat-0 s.example :IRCv3 over TLS"
        assert set(codes(rest)) == {"005"}
        words = [word for line in rest for word in line.split(" :")[0].split()[3:]]
        assert words == house.hub.isupport
        assert all(len(line.split(" :")[0].split()) <= 15 for line in rest)

    def test_time(self, house):
        assert house.login("bob").say("TIME") == [":s.example 391 bob s.example :2023-11-14 22:13:20 UTC"]

    def test_info_tells_since_when_lines_are_kept(self, house):
        lines = house.login("bob").say("INFO")
        assert codes(lines) == ["371", "371", "371", "374"]
        assert lines[2].endswith(":This server keeps every line since today.")

    def test_admin_names_who_runs_the_server(self, house):
        assert house.login("bob").say("ADMIN") == [
            ":s.example 256 bob s.example :Administrative info",
            ":s.example 257 bob :securechat",
            ":s.example 259 bob :Ask: root-of-all",
        ]
        nobody = House().login("bob").say("ADMIN")
        assert nobody[-1].endswith(":Ask: nobody has the role of an administrator")

    def test_stats(self, house):
        bob = house.login("bob")
        house.hub.now += (2 * 24 * 60 + 3 * 60 + 4) * MINUTE
        assert bob.say("STATS u") == [
            ":s.example 242 bob :Server Up 2 days 3:04:00",
            ":s.example 219 bob u :End of STATS report",
        ]
        assert bob.say("STATS o", "STATS", "STATS :") == [
            ":s.example 219 bob o :End of STATS report",
            ":s.example 219 bob * :End of STATS report",
            ":s.example 219 bob * :End of STATS report",
        ]

    def test_the_message_of_the_day(self, house):
        bob = house.login("bob")
        assert bob.say("MOTD") == [":s.example 422 bob :There is no message of the day"]
        house.hub.rules = replace(house.rules, motd=("Привет", "", "мир"))
        assert bob.say("MOTD") == [
            ":s.example 375 bob :- s.example Message of the day -",
            ":s.example 372 bob :- Привет",
            ":s.example 372 bob :- ",
            ":s.example 372 bob :- мир",
            ":s.example 376 bob :End of MOTD command",
        ]

    def test_help_names_all_commands(self, house):
        bob = house.login("bob")
        lines = bob.say("HELP")
        assert codes(lines)[0] == "704"
        assert codes(lines)[-1] == "706"
        named = [word for line in lines[1:-1] for word in line.split(" :")[1].split()]
        assert named == sorted(TABLE)
        assert bob.say("HELP nonsense") == [":s.example 524 bob NONSENSE :There is no help on that"]

    @pytest.mark.parametrize("command", sorted(TABLE))
    def test_help_explains_each(self, house, command):
        lines = house.login("bob").say(f"HELP {command.lower()}")
        assert codes(lines)[0] == "704"
        assert lines[1].startswith(f":s.example 705 bob {command} :{command}")
        assert lines[1].endswith(".")
        assert lines[-1] == f":s.example 706 bob {command} :End of HELP"
