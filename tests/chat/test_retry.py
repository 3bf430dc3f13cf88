"""Safe retry by plain calls: one key is one message, however often and wherever it is sent."""

from __future__ import annotations

import pytest
from helpers.house import House, account

CAPS = ("message-tags", "echo-message", "labeled-response", "batch")


def said(house: House) -> list[str]:
    return [entry.text for entry in house.log if entry.number]


@pytest.fixture(params=[50_000, 1], ids=["in memory", "in the log"])
def house(request):
    """One whose hub remembers all keys, and one whose hub has to ask the log."""
    return House(keys=request.param)


def test_the_same_key_gives_the_first_echo_and_no_second_message(house):
    bob, carol = house.login("bob", *CAPS), house.login("carol", *CAPS)
    line = "@+securechat/key=k1;label=a;+draft/reply=x PRIVMSG #lobby :once"
    (first,) = bob.say(line)
    assert "label=a" in first
    (heard,) = carol.heard()
    assert "key" not in heard
    assert "+draft/reply=x" in heard
    assert bob.say(line) == [first]
    assert carol.heard() == []
    assert said(house) == ["once"]


def test_after_a_restart_and_on_another_device_too(house):
    house.login("carol")
    bob = house.login("bob", *CAPS)
    (first,) = bob.say("@+securechat/key=k1 PRIVMSG carol :once")
    house.login("Иван", *CAPS).say("@+securechat/key=k1 PRIVMSG carol :mine")
    assert house.login("bob", *CAPS).say("@+securechat/key=k1 PRIVMSG carol :once") == [first]
    house.fresh_hub(house.hub.accounts.values())
    again = house.login("bob", *CAPS)
    again.heard()
    assert again.say("@+securechat/key=k1 PRIVMSG carol :something else") == [first]
    assert said(house) == ["once", "mine"]


def test_without_echo_message_a_retry_is_answered_all_the_same(house):
    bob = house.login("bob", "message-tags")
    assert bob.say("@+securechat/key=k1 NOTICE #lobby :once") == []
    (echo,) = bob.say("@+securechat/key=k1 NOTICE #lobby :once")
    assert echo.endswith(":bob!u@bob NOTICE #lobby :once")
    assert "msgid=" in echo


def test_a_refused_message_takes_no_key(house):
    bob = house.login("bob", *CAPS)
    assert "403" in bob.say("@+securechat/key=k1 PRIVMSG #later :hello")[0]
    bob.say("JOIN #later")
    assert "PRIVMSG #later :hello" in bob.say("@+securechat/key=k1 PRIVMSG #later :hello")[0]


def test_several_lines_and_reactions(house):
    bob = house.login("bob", *CAPS, "draft/multiline")
    batch = ["@+securechat/key=m BATCH +1 draft/multiline #lobby", "@batch=1 PRIVMSG #lobby :a",
             "@batch=1 PRIVMSG #lobby :b", "BATCH -1"]  # fmt: skip
    first = bob.say(*batch)
    assert bob.say(*batch) == first
    (reaction,) = bob.say("@+draft/react=y;+securechat/key=r TAGMSG #lobby")
    assert bob.say("@+draft/react=y;+securechat/key=r TAGMSG #lobby") == [reaction]
    assert said(house) == ["a\nb", ""]


def test_a_key_is_short_and_for_one_target(house):
    bob = house.login("bob", *CAPS)
    assert "INVALID_KEY" in bob.say(f"@+securechat/key={'k' * 65} PRIVMSG #lobby :x")[0]
    assert "INVALID_KEY" in bob.say("@+securechat/key=k PRIVMSG #lobby,carol :x")[0]
    assert bob.say("@+securechat/key= PRIVMSG #lobby :x")
    assert bob.say("@+securechat/key PRIVMSG #lobby :x")
    assert said(house) == ["x", "x"]


def test_who_gets_a_name_anew_begins_anew(house):
    house.login("bob", *CAPS).say("@+securechat/key=k PRIVMSG #lobby :old")
    house.now += 1000
    people = {one.key: one for one in [account("Alice"), account("bob", house.now)]}
    house.run(None, house.hub.accounts_changed(people))
    assert "PRIVMSG #lobby :new" in house.login("bob", *CAPS).say("@+securechat/key=k PRIVMSG #lobby :new")[0]
