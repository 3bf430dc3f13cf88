"""Read markers and redaction by plain calls."""

from __future__ import annotations

import pytest
from helpers.house import House, account

STAMP = "timestamp=2023-11-14T22:13:20.{:03}Z"
EARLY, LATE = STAMP.format(1), STAMP.format(2)


@pytest.fixture
def house():
    house = House()
    house.now += 60_000
    house.hub.now = house.now
    return house


def test_a_marker_is_for_all_devices_of_its_person_and_nobody_else(house):
    one, two = house.login("bob", "draft/read-marker"), house.login("bob", "draft/read-marker")
    plain, other = house.login("bob"), house.login("carol", "draft/read-marker")
    assert one.say("MARKREAD #lobby") == [":s.example MARKREAD #lobby *"]
    assert one.say(f"MARKREAD #LOBBY {LATE}") == [f":s.example MARKREAD #lobby {LATE}"]
    assert two.heard() == [f":s.example MARKREAD #lobby {LATE}"]
    assert plain.heard() == other.heard() == []
    assert one.say(f"MARKREAD #lobby {EARLY}") == [f":s.example MARKREAD #lobby {LATE}"]
    assert two.heard() == []
    assert plain.say(f"MARKREAD carol {EARLY}") == [f":s.example MARKREAD carol {EARLY}"]
    assert other.say("MARKREAD bob") == [":s.example MARKREAD bob *"]


def test_a_marker_survives_and_comes_with_the_channel(house):
    house.login("bob").say(f"MARKREAD #lobby {LATE}")
    house.fresh_hub(house.hub.accounts.values())
    device = house.connect()
    device.session.caps = house.login("carol", "draft/read-marker").session.caps
    lines = device.say("PASS bob:correct-horse", "NICK b", "USER u 0 * :b")
    joined = next(index for index, line in enumerate(lines) if " JOIN #lobby" in line)
    assert f":s.example MARKREAD #lobby {LATE}" in lines[joined:]
    assert lines.index(f":s.example MARKREAD #lobby {LATE}") < next(
        index for index, line in enumerate(lines) if " 366 " in line
    )


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("", "NEED_MORE_PARAMS"),
        (" #elsewhere", "INVALID_PARAMS #elsewhere"),
        (" nobody", "INVALID_PARAMS nobody"),
        (" #lobby *", "INVALID_PARAMS *"),
        (" #lobby timestamp=now", "INVALID_PARAMS now"),
    ],
)
def test_bad_markers(house, request_, code):
    (line,) = house.login("bob").say(f"MARKREAD{request_}")
    assert line.startswith(f":s.example FAIL MARKREAD {code}"), line


def test_a_marker_in_the_future_is_now(house):
    (line,) = house.login("bob").say("MARKREAD #lobby timestamp=2100-01-01T00:00:00.000Z")
    assert "2023-11-14" in line


REDACTS = ("draft/message-redaction", "message-tags", "batch", "echo-message")


def test_taking_back_ones_own_message(house):
    bob, carol, plain = house.login("bob", *REDACTS), house.login("carol", *REDACTS), house.login("Alice")
    bob.say("@+securechat/key=k PRIVMSG #lobby :never said")
    msgid = house.log[-1].msgid
    for device in (carol, plain):
        device.heard()
    (echo,) = bob.say(f"REDACT #lobby {msgid} :a mistake")
    assert echo.endswith(f":bob!u@bob REDACT #lobby {msgid} :a mistake")
    assert carol.heard() == [echo]
    assert plain.heard() == []
    for question in ("CHATHISTORY LATEST #lobby * 9", "SEARCH text=never"):
        assert "never said" not in str(carol.say(question))
    assert "never said" not in str(house.log)
    assert f"REDACT #lobby {msgid}" in str(bob.say("@+securechat/key=k PRIVMSG #lobby :never said"))
    assert "UNKNOWN_MSGID" in bob.say(f"REDACT #lobby {msgid}")[0]


def test_who_may_take_back_what(house):
    bob, carol, alice = (house.login(name, *REDACTS) for name in ("bob", "carol", "Alice"))
    bob.say("JOIN #x")
    carol.say("JOIN #x", "PRIVMSG #x :by carol")
    by_carol = house.log[-1].msgid
    bob.say("PRIVMSG #x :by bob")
    by_bob = house.log[-1].msgid
    bob.say("PRIVMSG carol :direct")
    direct = house.log[-1].msgid
    assert f"REDACT_FORBIDDEN #x {by_bob}" in carol.say(f"REDACT #x {by_bob}")[-1]
    assert "INVALID_TARGET #x" in alice.say(f"REDACT #x {by_bob}")[-1]
    assert "UNKNOWN_MSGID" in bob.say(f"REDACT #lobby {by_bob}")[-1]
    assert "REDACT_FORBIDDEN" in carol.say(f"REDACT bob {direct}")[-1]
    assert "UNKNOWN_MSGID" in alice.say(f"REDACT bob {direct}")[-1]
    assert f"REDACT #x {by_carol}" in bob.say(f"REDACT #x {by_carol}")[-1], "whoever runs the channel may"
    carol.heard()
    bob.say(f"REDACT carol {direct}")
    assert carol.heard()[0].endswith(f":bob!u@bob REDACT carol {direct}")
    assert [entry.text for entry in house.log if entry.kind in (1, 2)] == ["by bob"]


def test_taking_back_what_was_said_to_somebody_who_is_gone(house):
    bob = house.login("bob", *REDACTS)
    house.login("carol").leave()
    bob.say("PRIVMSG carol :direct")
    msgid = house.log[-1].msgid
    house.run(None, house.hub.accounts_changed({one.key: one for one in [account("bob"), account("Alice")]}))
    (echo,) = bob.say(f"REDACT carol {msgid}")
    assert echo.endswith(f":bob!u@bob REDACT carol {msgid}")
    assert "direct" not in str(house.log)
