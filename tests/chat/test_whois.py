"""WHO, WHOX and WHOIS: every field, and what those outside a channel or without a rank do not see."""

from __future__ import annotations

import pytest
from helpers.house import House, account, codes

from securechat.chat.whois import WHOX_FIELDS

PEOPLE = [account("root-of-all", 0, "admin"), account("bob"), account("carol"), account("Иван")]


@pytest.fixture
def house():
    return House(accounts=PEOPLE)


@pytest.fixture
def three(house):
    """bob, who owns #x, carol, who is in it, and Иван, who shares the lobby with both."""
    bob, carol, ivan = (house.login(name) for name in ("bob", "carol", "Иван"))
    bob.say("JOIN #x")
    carol.say("JOIN #x")
    bob.heard()
    return bob, carol, ivan


FIELDS = {
    "t": "42",
    "c": "#x",
    "u": "u",
    "i": "255.255.255.255",
    "h": "carol",
    "s": "s.example",
    "n": "carol",
    "f": "H@",
    "d": "0",
    "l": "7",
    "a": "carol",
    "o": "n/a",
    "r": ":carol Person",
}


class TestWho:
    def test_a_channel(self, three, house):
        bob, carol, ivan = three
        house.login("root-of-all").say("JOIN #x")
        bob.say("MODE #x +v carol", "AWAY :x")
        ivan.heard()
        assert ivan.say("WHO #X") == [
            ":s.example 352 Иван #x u bob s.example bob G~ :0 bob Person",
            ":s.example 352 Иван #x u carol s.example carol H+ :0 carol Person",
            ":s.example 352 Иван #x u root-of-all s.example root-of-all H* :0 root-of-all Person",
            ":s.example 315 Иван #X :End of WHO list",
        ]
        carol.heard()
        carol.say("CAP REQ :multi-prefix")
        assert carol.say("WHO #x")[0].split()[8] == "G~@"

    def test_by_name_whether_or_not_a_channel_is_shared(self):
        house = House(lobby=None)
        bob, _ = house.login("bob"), house.login("carol")
        assert bob.say("WHO CAROL") == [
            ":s.example 352 bob * u carol s.example carol H :0 carol Person",
            ":s.example 315 bob CAROL :End of WHO list",
        ]

    def test_by_pattern_only_those_who_share_a_channel(self):
        house = House(lobby=None)
        bob, carol, ivan = house.login("bob"), house.login("carol"), house.login("Иван")
        assert codes(ivan.say("WHO *", "WHO", "WHO c*", "WHO 0")) == ["315"] * 4
        bob.say("JOIN #x")
        carol.say("JOIN #x")
        bob.heard()
        assert [line.split()[7] for line in bob.say("WHO *")[:-1]] == ["bob", "carol"]
        assert [line.split()[7] for line in bob.say("WHO CAR?L")[:-1]] == ["carol"]
        assert codes(ivan.say("WHO *")) == ["315"]

    def test_only_administrators(self, three, house):
        bob, *_ = three
        house.login("root-of-all")
        assert [line.split()[7] for line in bob.say("WHO #lobby o")[:-1]] == ["root-of-all"]

    def test_nobody(self, three):
        bob, *_ = three
        assert bob.say("WHO nobody", "WHO #none", "WHO root-of-all") == [
            ":s.example 315 bob nobody :End of WHO list",
            ":s.example 315 bob #none :End of WHO list",
            ":s.example 315 bob root-of-all :End of WHO list",
        ]

    def test_a_secret_channel_is_none(self, three):
        bob, carol, ivan = three
        bob.say("MODE #x +s")
        assert ivan.say("WHO #x") == [":s.example 315 Иван #x :End of WHO list"]
        assert all(" #x " not in line for line in ivan.say("WHO *", "WHO bob", "WHO bob %c"))
        carol.heard()
        assert codes(carol.say("WHO #x")) == ["352", "352", "315"]

    def test_those_who_are_offline_are_not_here(self, three):
        bob, carol, _ = three
        carol.leave()
        bob.heard()
        assert codes(bob.say("WHO #x", "WHO carol")) == ["352", "315", "315"]


class TestWhox:
    @pytest.fixture
    def asker(self, three, house):
        bob, carol, ivan = three
        bob.say("MODE #x +o carol")
        bob.say("PART #x")
        carol.session.active = house.hub.now - 7_000
        return ivan

    def test_all_fields_are_known(self):
        assert "".join(FIELDS) == WHOX_FIELDS

    @pytest.mark.parametrize("field", FIELDS)
    def test_each_field_alone(self, asker, field):
        shown = FIELDS[field]
        assert asker.say(f"WHO #x %{field},42")[0] == f":s.example 354 Иван {':' * (shown[0] != ':')}{shown}"

    @pytest.mark.parametrize("asked", [WHOX_FIELDS, WHOX_FIELDS[::-1], WHOX_FIELDS + "z!" + WHOX_FIELDS])
    def test_all_together_in_the_order_of_the_specification(self, asker, asked):
        assert asker.say(f"WHO #x %{asked},42") == [
            ":s.example 354 Иван " + " ".join(FIELDS.values()),
            ":s.example 315 Иван #x :End of WHO list",
        ]

    def test_without_a_token_or_a_channel(self, three):
        bob, *_ = three
        assert bob.say("WHO carol %tcn")[0] == ":s.example 354 bob 0 * :carol"
        assert bob.say("WHO carol %tn,x")[0] == ":s.example 354 bob 0 :carol"
        assert bob.say("WHO carol %tn,98765")[0] == ":s.example 354 bob 987 :carol"
        assert codes(bob.say("WHO carol %", "WHO carol %z")) == ["354", "315", "354", "315"]

    @pytest.mark.parametrize(
        "fields", ["%tcuihsnfdlaor,152", "%cuhsnfdar", "%tcnufh,1", "%uhsnfdar", "%afnt,999", "%tna,045"]
    )
    def test_what_clients_ask_for(self, three, fields):
        """gamja and Goguma, WeeChat, senpai, The Lounge: whatever their set, one line for each member."""
        bob, *_ = three
        lines = bob.say(f"WHO #x {fields}")
        assert codes(lines) == ["354", "354", "315"]
        asked = fields[1:].split(",")[0]
        assert len(lines[1].split(" :")[0].split()) + 1 == 3 + len(asked)

    def test_no_address_is_told(self, three, house):
        bob, *_ = three
        house.login("root-of-all")
        assert not any("192.0.2" in line for line in bob.say("WHO * %ih", "WHO *"))


class TestWhois:
    def test_everything_about_somebody(self, three, house):
        bob, carol, _ = three
        bob.session.active = house.hub.now - 65_000
        since = bob.session.since // 1000
        assert carol.say("WHOIS BOB") == [
            ":s.example 311 carol bob u bob * :bob Person",
            ":s.example 319 carol bob :#lobby ~@#x",
            ":s.example 312 carol bob s.example :securechat",
            ":s.example 330 carol bob bob :is logged in as",
            ":s.example 671 carol bob :is using a secure connection",
            f":s.example 317 carol bob 65 {since} :seconds idle, signon time",
            ":s.example 318 carol BOB :End of WHOIS list",
        ]

    def test_with_a_server_or_the_nick_twice(self, three):
        bob, *_ = three
        for line in ("WHOIS carol carol", "WHOIS s.example carol"):
            assert bob.say(line)[0] == ":s.example 311 bob carol u carol * :carol Person"

    def test_a_secret_channel_is_for_its_members(self, three):
        bob, carol, ivan = three
        bob.say("MODE #x +s")
        carol.heard()
        assert ":s.example 319 Иван bob :#lobby" in ivan.say("WHOIS bob")
        assert ":s.example 319 carol bob :#lobby ~@#x" in carol.say("WHOIS bob")

    def test_who_is_nowhere_the_asker_may_know_of_has_no_line_of_channels(self):
        house = House(lobby=None)
        bob, carol = house.login("bob"), house.login("carol")
        assert "319" not in codes(carol.say("WHOIS bob"))
        bob.say("JOIN #x", "MODE #x +s")
        assert "319" not in codes(carol.say("WHOIS bob"))

    def test_addresses_are_for_administrators_and_for_oneself(self, three, house):
        bob, carol, _ = three
        root = house.login("root-of-all")
        shown = "338 {} bob 192.0.2.1:5 :is connected from"
        assert "338" not in codes(carol.say("WHOIS bob"))
        assert f":s.example {shown.format('bob')}" in bob.say("WHOIS bob")
        assert f":s.example {shown.format('root-of-all')}" in root.say("WHOIS bob")
        house.login("bob")
        assert codes(root.say("WHOIS bob")).count("338") == 2, "one for each device"

    def test_ranks_states_and_idleness(self, three, house):
        bob, carol, _ = three
        root = house.login("root-of-all")
        root.say("AWAY :busy", "MODE root-of-all +B")
        told = codes(carol.say("WHOIS root-of-all"))
        assert {"313", "301", "335"} <= set(told)
        house.now += 5_000
        phone = house.login("carol")
        phone.session.active = house.hub.now - 1_000
        idle = next(line for line in bob.say("WHOIS carol") if " 317 " in line)
        assert idle.split()[4] == "1", "idle since the last word on any device"
        assert idle.split()[5] == str(carol.session.since // 1000), "here since the first device came"

    def test_those_who_are_not_here(self, three):
        bob, *_ = three
        for name in ("nobody", "root-of-all", "#x"):
            assert bob.say(f"WHOIS {name}") == [
                f":s.example 401 bob {name} :No such nick",
                f":s.example 318 bob {name} :End of WHOIS list",
            ]
        assert codes(bob.say("WHOIS", "WHOIS :")) == ["461", "401", "318"]

    def test_many_channels_take_several_lines(self, house):
        bob = house.login("bob")
        names = [f"#{'long-name-' * 5}{number:02}" for number in range(30)]
        for name in names:
            bob.say(f"JOIN {name}")
        lines = [line for line in bob.say("WHOIS bob") if " 319 " in line]
        assert len(lines) > 1
        assert [word.lstrip("~@") for line in lines for word in line.split(":")[2].split()] == ["#lobby", *names]
