"""Conversations in channels and between people, by plain calls."""

from __future__ import annotations

import pytest
from helpers.house import NAMES, House, account, codes

from securechat.records import Kind


@pytest.fixture
def house():
    return House()


def test_a_message_reaches_all_but_its_sender(house):
    alice, bob, carol = (house.login(name) for name in ("Alice", "bob", "carol"))
    assert alice.say("PRIVMSG #LOBBY :hi all") == []
    assert bob.heard() == carol.heard() == [":Alice!u@alice PRIVMSG #lobby :hi all"]
    assert house.log[-1][3:6] == (Kind.PRIVMSG, "#lobby", "Alice")


def test_echo_for_those_who_asked_and_tags_per_variant(house):
    alice = house.login("Alice", "echo-message", "message-tags", "server-time")
    bob = house.login("bob", "account-tag")
    seq = len(house.log) + 1
    echo = alice.say("@+draft/reply=x;bad=y;+ PRIVMSG #lobby :hi")
    tags = f"@time=2023-11-14T22:13:20.{house.now % 1000:03}Z;msgid=id{seq};+draft/reply=x"
    assert echo == [f"{tags} :Alice!u@alice PRIVMSG #lobby :hi"]
    assert bob.heard() == ["@account=Alice :Alice!u@alice PRIVMSG #lobby :hi"]


def test_joins_by_variant(house):
    bob, carol = house.login("bob", "extended-join"), house.login("carol")
    bob.say("JOIN #Garden")
    bob.heard()
    assert carol.say("JOIN #garden") == [
        ":carol!u@carol JOIN #Garden",
        ":s.example 353 carol = #Garden :~bob carol",
        ":s.example 366 carol #Garden :End of NAMES list",
    ]
    assert bob.heard() == [":carol!u@carol JOIN #Garden carol :carol Person"]


def test_founder_owns_and_sets_the_topic(house):
    bob, carol = house.login("bob", "multi-prefix"), house.login("carol")
    assert bob.say("JOIN #x")[1] == ":s.example 353 bob = #x :~@bob"
    assert bob.say("TOPIC #x") == [":s.example 331 bob #x :No topic is set"]
    assert bob.say("TOPIC #x :roses") == [":bob!u@bob TOPIC #x :roses"]
    assert bob.say("TOPIC #x :roses") == []
    lines = carol.say("JOIN #x")
    assert lines[1:3] == [
        ":s.example 332 carol #x :roses",
        f":s.example 333 carol #x bob!u@bob :{house.now // 1000}",
    ]
    assert "482" in carol.say("TOPIC #x :weeds")[0]
    assert bob.heard() == [":carol!u@carol JOIN #x"]
    assert "417" in bob.say(f"TOPIC #x :{'ж' * 200}")[0]
    assert bob.say("TOPIC #x :")[0] == ":bob!u@bob TOPIC #x :"
    assert carol.heard() == [":bob!u@bob TOPIC #x :"]


def test_admins_run_the_lobby():
    house = House(accounts=[account("root-of-all", 0, "admin"), account("bob")])
    admin, bob = house.login("root-of-all"), house.login("bob")
    assert "482" in bob.say("TOPIC #lobby :mine")[0]
    assert admin.say("TOPIC #lobby :welcome") == [":root-of-all!u@root-of-all TOPIC #lobby :welcome"]
    assert bob.heard() == [":root-of-all!u@root-of-all TOPIC #lobby :welcome"]
    assert "@root-of-all bob" in bob.say("NAMES #lobby")[0]


def test_outsiders_neither_speak_nor_see(house):
    bob, carol = house.login("bob"), house.login("carol")
    bob.say("JOIN #x")
    for line, code in [
        ("PRIVMSG #x :hi", "404"),
        ("TOPIC #x", "442"),
        ("TOPIC #x :mine", "442"),
        ("PART #x", "442"),
        ("MODE #x +m", "442"),
        ("PRIVMSG #none :hi", "403"),
        ("TOPIC #none", "403"),
        ("PART #none", "403"),
        ("MODE #none", "403"),
    ]:
        (reply,) = carol.say(line)
        assert reply.split()[1] == code, line
    assert bob.heard() == []
    assert "~bob" in carol.say("NAMES #x")[0]


def test_outsiders_cannot_tell_a_secret_channel_from_none(house):
    bob, carol = house.login("bob"), house.login("carol")
    bob.say("JOIN #x", "TOPIC #x :hidden", "MODE #x +s")
    for line in (
        *("PRIVMSG {} :hi", "NOTICE {} :hi", "TOPIC {}", "TOPIC {} :mine", "PART {}", "MODE {}", "MODE {} b"),
        *("NAMES {}", "WHO {}", "LIST {}", "KICK {} bob", "INVITE carol {}", "TAGMSG {}"),
    ):
        about_secret, about_none = carol.say(line.format("#x")), carol.say(line.format("#y"))
        assert [reply.replace("#x", "#y") for reply in about_secret] == about_none, line
    assert not any("#x" in reply for reply in carol.say("LIST", "WHOIS bob", "WHO bob", "LUSERS"))
    assert any("#x" in reply for reply in bob.say("LIST"))


def test_who_may_not_join_a_secret_channel_does_not_learn_how_it_is_written(house):
    bob, carol = house.login("bob"), house.login("carol")
    bob.say("JOIN #Сад", "MODE #сад +is")
    assert carol.say("JOIN #САД") == [":s.example 473 carol #САД :Cannot join: by invitation only (+i)"]
    bob.say("INVITE carol #сад")
    carol.heard()
    link = ":s.example 470 carol #САД #Сад :The channel is written like that"
    assert carol.say("JOIN #САД")[:2] == [link, ":carol!u@carol JOIN #Сад"]
    assert carol.say("JOIN #САД") == [link]


def test_notices_are_never_answered(house):
    carol = house.login("carol")
    assert carol.say("NOTICE #none :x", "NOTICE nobody :x", "NOTICE", "NOTICE carol") == []


def test_parting(house):
    bob, carol = house.login("bob"), house.login("carol")
    bob.say("JOIN #x")
    carol.say("JOIN #x")
    bob.heard()
    assert carol.say("PART #X :had enough") == [":carol!u@carol PART #x :had enough"]
    assert bob.heard() == [":carol!u@carol PART #x :had enough"]
    assert "404" in carol.say("PRIVMSG #x :still?")[0]
    assert bob.say("PART #x") == [":bob!u@bob PART #x"]
    assert carol.say("JOIN #x")[1] == ":s.example 353 carol = #x :carol", "the owner stays the owner"


def test_joining_twice_at_once_is_joining_once(house):
    bob = house.login("bob")
    joins = [line for line in bob.say("JOIN #x,#X,#x") if "JOIN" in line]
    assert joins == [":bob!u@bob JOIN #x"]


@pytest.mark.parametrize("name", ["x", "#", "#a b", "#a:b", "#" + "x" * 64, "#a@b", "0", "", "#смешaн" + "\u202e"])
def test_bad_channel_names(house, name):
    (reply,) = house.login("bob").say(f"JOIN :{name}")
    assert reply.split()[1] == "476"


def test_limits():
    house = House(channels_per_account=3, channels=4, targets=2)
    bob, carol = house.login("bob"), house.login("carol")
    assert "407" in bob.say("JOIN #a,#b,#c")[0]
    bob.say("JOIN #a,#b")
    assert "405" in bob.say("JOIN #c")[0]
    bob.say("PART #a,#b")
    assert "JOIN" in bob.say("JOIN #c")[0]
    assert "405" in bob.say("JOIN #d")[0], "owning counts, or one account could take all names"
    assert "405" in carol.say("JOIN #d")[0]
    assert "407" in carol.say("PRIVMSG #a,#b,#c :x")[0]
    assert "407" in carol.say("NAMES #a,#b,#c")[0]
    assert "407" in carol.say("PART #a,#b,#c")[0]


def test_too_long_with_its_source_is_refused_and_the_longest_fits(house):
    bob, carol = house.login("bob"), house.login("carol")
    room = 512 - len(":bob!u@bob PRIVMSG #lobby :\r\n")
    assert bob.say("PRIVMSG #lobby :" + "x" * room) == []
    assert len(carol.heard()[0]) == 510
    (reply,) = bob.say("PRIVMSG #lobby :" + "x" * (room + 1))
    assert reply == ":s.example 417 bob :Not sent: 1 bytes too long; send it in several lines"
    assert carol.heard() == []


def test_direct_messages_reach_every_device_of_both(house):
    bob, bob2, carol, carol2 = (house.login(name) for name in ("bob", "bob", "carol", "carol"))
    assert bob.say("PRIVMSG CAROL :psst") == []
    line = ":bob!u@bob PRIVMSG carol :psst"
    assert bob2.heard() == carol.heard() == carol2.heard() == [line]
    assert bob.heard() == []
    assert bob.say("PRIVMSG bob :note") == []
    assert bob2.heard() == [":bob!u@bob PRIVMSG bob :note"]
    assert house.login("bob", "echo-message").say("PRIVMSG bob :note") == [":bob!u@bob PRIVMSG bob :note"]


def test_direct_messages_to_the_absent_and_the_unknown(house):
    bob = house.login("bob")
    assert bob.say("PRIVMSG иван :привет") == [":s.example 301 bob Иван :is not connected right now"]
    assert house.log[-1].target == "иван"
    assert bob.say("PRIVMSG nobody :hi") == [":s.example 401 bob nobody :No such nick"]
    assert [line.split()[1] for line in bob.say("PRIVMSG", "PRIVMSG carol", "PRIVMSG carol :")] == [
        "411",
        "412",
        "412",
    ]


def test_several_targets_once_each(house):
    bob, carol = house.login("bob"), house.login("carol")
    bob.say("PRIVMSG carol,#lobby,carol :x")
    once = [":bob!u@bob PRIVMSG carol :x", ":bob!u@bob PRIVMSG #lobby :x"]
    assert carol.heard() == once
    bob.say("PRIVMSG carol,#lobby,CAROL,#Lobby :x")
    assert carol.heard() == once, "however they are spelled"
    ivan = house.login("Иван", "message-tags")
    bob.say("@+x=y TAGMSG иван,ИВАН")
    assert codes(ivan.heard()) == ["TAGMSG"]
    assert codes(bob.say("NAMES #lobby,#LOBBY")) == ["353", "366"]


def test_quit_and_return(house):
    bob, carol, carol2 = house.login("bob"), house.login("carol"), house.login("carol")
    carol.say("JOIN #x")
    bob.say("JOIN #x")
    assert carol.say("QUIT :tired")[-1] == "ERROR :Goodbye"
    assert carol.closed
    assert [line for line in bob.heard() if "QUIT" in line] == []
    carol2.leave("Connection lost")
    assert bob.heard() == [":carol!u@carol QUIT :Connection lost"], "one QUIT, however many channels are shared"
    assert "carol" not in bob.say("NAMES #x")[0]
    back = house.connect()
    lines = back.say("PASS carol:correct-horse", "NICK x", "USER u 0 * :C")
    assert [line for line in lines if " JOIN " in line] == [":carol!u@carol JOIN #lobby", ":carol!u@carol JOIN #x"]
    assert bob.heard() == [":carol!u@carol JOIN #lobby", ":carol!u@carol JOIN #x"]


def test_everything_that_lasts_survives_a_restart(house):
    bob, carol = house.login("bob"), house.login("carol")
    bob.say("JOIN #Сад", "TOPIC #Сад :розы")
    carol.say("JOIN #сад", "PART #lobby")
    house.fresh_hub([account(name) for name in NAMES])
    again = house.login("carol")
    assert "332 carol #Сад :розы" in again.say("TOPIC #сад")[0]
    assert again.say("NAMES #сад")[0] == ":s.example 353 carol = #Сад :carol"
    house.login("bob")
    assert "~bob" in again.say("NAMES #сад")[0]


def test_a_deleted_account_is_gone_and_its_namesake_gets_nothing(house):
    bob, carol = house.login("bob"), house.login("carol")
    carol.say("JOIN #x")
    bob.say("JOIN #x")
    bob.heard()
    carol.heard()
    later = house.now + 1000
    house.run(None, house.hub.accounts_changed({"bob": account("bob"), "carol": account("carol", later)}))
    assert carol.heard() == ["ERROR :Your account was deleted"]
    assert carol.closed
    assert bob.heard() == [":carol!u@carol QUIT :Account deleted"]
    house.now = later + 1
    namesake = house.login("carol")
    assert set(namesake.session.person.channels) == {"#lobby"}
    assert "403" not in bob.say("TOPIC #x :x")[0]
    assert house.hub.channels["#x"].owner == ""
    house.run(None, house.hub.accounts_changed(house.hub.accounts))
    assert not namesake.closed


def test_without_a_lobby_nobody_is_joined():
    house = House(lobby=None)
    bob = house.login("bob")
    assert bob.session.person.channels == {}
    assert "JOIN #x" in bob.say("JOIN #x")[0]
    bob.leave()
    assert "bob" in house.hub.people
    house.login("carol").leave()
    assert "carol" not in house.hub.people, "who is nowhere is not remembered"


def test_questions_about_people_and_modes(house):
    bob = house.login("bob", "multi-prefix")
    bob.say("JOIN #x")
    assert bob.say("WHO #x") == [
        ":s.example 352 bob #x u bob s.example bob H~@ :0 bob Person",
        ":s.example 315 bob #x :End of WHO list",
    ]
    assert "352 bob * u bob" in bob.say("WHO bob")[0]
    assert bob.say("MODE #x")[0] == ":s.example 324 bob #x :+nt"
    assert bob.say("MODE #x b", "MODE #x +b") == [":s.example 368 bob #x :End of channel ban list"] * 2
    assert bob.say("MODE bob", "MODE bob +i") == [":s.example 221 bob :+i"] * 2
    assert [line.split()[1] for line in bob.say("MODE bob +w", "MODE carol", "FOO")] == ["501", "502", "421"]


def test_names_of_many_fit_lines():
    people = [account(f"person-with-a-long-name-{number:03}") for number in range(60)]
    house = House(accounts=people)
    devices = [house.login(person.name) for person in people]
    lines = devices[0].say("NAMES #lobby")
    listed = [name for line in lines if " 353 " in line for name in line.split(":", 2)[2].split()]
    assert listed == [person.name for person in people]
    assert len(lines) > 3


def test_restoring_while_people_are_here_goes_back_to_the_log(house):
    """What a failed commit leaves behind: the hub says what the disk says, and those here stay here."""
    bob, carol = house.login("bob"), house.login("carol")
    kept = list(house.log)
    bob.say("JOIN #x")
    house.store.entries = kept
    house.restore()
    bob.heard()
    assert "403" in bob.say("PRIVMSG #x :x")[0]
    carol.say("PRIVMSG #lobby :here")
    assert bob.heard() == [":carol!u@carol PRIVMSG #lobby :here"]
