"""TAGMSG: reactions are kept, typing never, and only those hear of it who read tags."""

from __future__ import annotations

import pytest
from helpers.house import House, account, codes

from securechat.records import Kind

B = ":bob!u@bob"


@pytest.fixture
def house():
    return House()


def test_a_reaction_is_kept_and_has_an_id(house):
    bob, carol = house.login("bob", "message-tags"), house.login("carol", "message-tags", "server-time")
    tags = "+draft/react=👍;+draft/reply=id7"
    assert bob.say(f"@{tags} TAGMSG #lobby") == []
    assert house.log[-1].draft == (Kind.TAGMSG, "#lobby", "bob", "", tags, "")
    stamp = f"time=2023-11-14T22:13:20.{house.now % 1000:03}Z"
    assert carol.heard() == [f"@{stamp};msgid=id{len(house.log)};{tags} {B} TAGMSG #lobby"]


@pytest.mark.parametrize("tag", ["+typing=active", "+draft/typing=active", "+draft/read", "+example.org/game=e4"])
def test_other_tags_are_passed_on_and_not_kept(house, tag):
    bob, carol = house.login("bob", "message-tags"), house.login("carol", "message-tags")
    kept = len(house.log)
    bob.say(f"@{tag} TAGMSG #lobby")
    assert carol.heard() == [f"@{tag} {B} TAGMSG #lobby"]
    assert len(house.log) == kept


@pytest.mark.parametrize("tag", ["+draft/unreact=x", "+draft/react=x"])
def test_taking_a_reaction_back_is_kept_too(house, tag):
    bob = house.login("bob", "message-tags")
    bob.say(f"@{tag};+draft/reply=id7 TAGMSG #lobby")
    assert house.log[-1].kind is Kind.TAGMSG


def test_only_clients_that_read_tags_hear_of_it(house):
    bob, carol, alice = (
        house.login("bob", "message-tags"),
        house.login("carol"),
        house.login("Alice", "server-time"),
    )
    bob.say("@+typing=active TAGMSG #lobby", "@+draft/react=x TAGMSG #lobby", "@+typing=done TAGMSG carol")
    assert carol.heard() == alice.heard() == []


def test_the_sender_hears_it_as_he_asked(house):
    bob = house.login("bob", "message-tags", "echo-message", "labeled-response", "batch")
    phone = house.login("bob", "message-tags")
    assert bob.say("@label=x;+typing=active TAGMSG #lobby") == [f"@label=x;+typing=active {B} TAGMSG #lobby"]
    assert phone.heard() == [f"@+typing=active {B} TAGMSG #lobby"]


def test_to_a_person_and_to_several(house):
    bob, carol, phone = (
        house.login("bob"),
        house.login("carol", "message-tags"),
        house.login("carol", "message-tags"),
    )
    bob.say("@+typing=active TAGMSG CAROL,#lobby,carol")
    lines = [f"@+typing=active {B} TAGMSG carol", f"@+typing=active {B} TAGMSG #lobby"]
    assert carol.heard()[:2] == phone.heard()[:2] == lines
    assert bob.say("@+draft/react=x TAGMSG Иван") == [], "who is away is not to be told of by a reaction"
    assert house.log[-1].target == "иван"


def test_a_message_tells_that_somebody_is_away_a_reaction_does_not(house):
    bob, carol = house.login("bob"), house.login("carol")
    carol.say("AWAY :lunch")
    assert bob.say("@+typing=active TAGMSG carol") == []
    assert codes(bob.say("PRIVMSG carol :hi")) == ["301"]


def test_without_client_tags_there_is_nothing_to_pass_on(house):
    bob, carol = house.login("bob", "message-tags"), house.login("carol", "message-tags")
    assert (
        bob.say("TAGMSG #lobby", "@label=x TAGMSG #lobby", "@+ TAGMSG #lobby", "@time=x;msgid=y TAGMSG #lobby")
        == []
    )
    assert carol.heard() == []
    assert codes(bob.say("@+typing=active TAGMSG", "@+x TAGMSG " + ",".join("#abcdefghi"))) == ["461", "407"]


@pytest.mark.parametrize("tag", ["+typing=active", "+draft/react=x"])
def test_where_one_may_not_speak_one_may_not_react(house, tag):
    bob, carol = house.login("bob", "message-tags"), house.login("carol", "message-tags")
    bob.say("JOIN #x")
    kept = len(house.log)
    assert carol.say(f"@{tag} TAGMSG #x,#none,nobody,$*") == []
    assert bob.heard() == []
    carol.say("JOIN #x")
    bob.say("MODE #x +m")
    kept += 2
    bob.heard()
    carol.say(f"@{tag} TAGMSG #x")
    bob.say("MODE #x -m+b carol")
    kept += 1
    bob.heard()
    carol.say(f"@{tag} TAGMSG #x")
    assert bob.heard() == []
    assert len(house.log) == kept


def test_a_secret_channel_cannot_be_told_from_none(house):
    bob, carol = house.login("bob"), house.login("carol")
    bob.say("JOIN #x", "MODE #x +s")
    assert carol.say("@+draft/react=x TAGMSG #x") == carol.say("@+draft/react=x TAGMSG #none") == []


def test_typing_to_everybody_is_nobodys_right_a_reaction_is_an_administrators():
    house = House(accounts=[account("root-of-all", 0, "admin"), account("bob")])
    root, bob = house.login("root-of-all", "message-tags"), house.login("bob", "message-tags")
    root.say("@+typing=active TAGMSG $*")
    assert bob.heard() == []


def test_tags_of_a_message_go_with_it_and_others_stay(house):
    bob, carol = house.login("bob"), house.login("carol", "message-tags")
    bob.say(r"@+a;+b=\s\:\\;label=x;msgid=forged;account=root;time=0;bot;+ PRIVMSG #lobby :hi")
    assert carol.heard() == [rf"@msgid=id{len(house.log)};+a;+b=\s\:\\ {B} PRIVMSG #lobby :hi"]
