"""What a device has missed, for clients that cannot ask for it: each line once, before anything new."""

from __future__ import annotations

import re

from helpers.house import SECRET, Device, House

from securechat.protocol.capabilities import request
from securechat.records import Draft, Kind, Unanswered


def enter(house: House, name: str, *caps: str) -> Device:
    """Log in, keeping everything that is said at a login."""
    device = house.connect()
    device.session.caps = request(" ".join(caps), 0) or 0
    device.lines = device.say(f"PASS {name}:{SECRET}", "NICK n", "USER u 0 * :r")
    return device


def heard(device: Device) -> list[str]:
    """The texts said to a device, answering what it is asked as every client does."""
    lines = device.heard()
    for line in lines:
        if " PING " in line:
            device.say(f"PONG {line.split(' PING ')[1]}")
    return [line.split(" :")[-1] for line in lines if " PRIVMSG " in line or " NOTICE " in line]


def round_of_questions(house: House) -> None:
    """What the sequencer does at the beginning of a turn, a while later."""
    house.now += 20_000
    house.hub.now = house.now
    house.run(None, house.hub.confirm())


TIME = "server-time"


def test_a_device_gets_what_it_missed_and_only_that():
    house = House()
    alice = house.login("Alice")
    bob = enter(house, "bob@irssi", TIME)
    alice.say("PRIVMSG #lobby :seen", "PRIVMSG bob :seen too")
    assert heard(bob) == ["seen", "seen too"]
    round_of_questions(house)
    assert heard(bob) == []
    bob.leave()
    alice.say("PRIVMSG #lobby :missed", "PRIVMSG bob :missed too", "PRIVMSG #lobby :and this")
    assert heard(enter(house, "bob@irssi", TIME)) == ["missed", "missed too", "and this"]
    assert heard(enter(house, "bob@irssi", TIME)) == []
    assert heard(enter(house, "bob@laptop", TIME)) == ["seen", "seen too", "missed", "missed too", "and this"]


def test_who_counts_gets_all_that_has_a_number():
    house = House()
    caps = (TIME, "message-tags", "securechat/order", "draft/message-redaction")
    alice = enter(house, "Alice", "message-tags", "draft/message-redaction")
    enter(house, "bob@plain", *caps).leave()
    alice.say("PRIVMSG #lobby :one", "PRIVMSG #lobby :two")
    one, two = (entry for entry in house.log if entry.kind is Kind.PRIVMSG)
    alice.say(f"@+draft/react=x;+draft/reply={one.msgid} TAGMSG #lobby", f"REDACT #lobby {two.msgid}")
    alice.say("PRIVMSG #lobby :three")
    lines = enter(house, "bob@plain", *caps).lines
    numbers = [re.search(r"securechat/order=(\d+)", line) for line in lines]
    assert [int(found[1]) for found in numbers if found] == [1, 2, 3, 4, 5]
    assert heard(enter(house, "bob@irssi", TIME)) == ["one", "three"]


def test_lines_come_after_the_channel_and_with_their_time():
    house = House()
    bob, alice = house.login("bob"), house.login("Alice")
    bob.say("QUIT")
    alice.say("PRIVMSG #lobby :missed")
    stamp = f"time=2023-11-14T22:13:20.{house.log[-1].time % 1000:03}Z"
    lines = enter(house, "bob", TIME).lines
    (told,) = [index for index, line in enumerate(lines) if "missed" in line]
    assert lines[told] == f"@{stamp} :Alice!u@alice PRIVMSG #lobby :missed"
    assert any(" 366 " in line for line in lines[:told])
    assert " PING " in lines[told + 1]


def test_without_server_time_a_line_says_when_it_was_said():
    house = House()
    house.login("bob").say("QUIT")
    house.login("Alice").say("PRIVMSG #lobby :missed", "PRIVMSG #lobby :\x01ACTION waves\x01")
    assert heard(enter(house, "bob")) == ["[2023-11-14 22:13 UTC] missed", "\x01ACTION waves\x01"]


def test_who_can_ask_gets_no_replay():
    house = House()
    house.login("bob").say("QUIT")
    house.login("Alice").say("PRIVMSG #lobby :missed")
    device = enter(house, "bob", "draft/chathistory")
    assert heard(device) == []
    assert " PING " not in str(device.lines)


def test_what_was_not_confirmed_comes_again():
    """A link that died: nobody knows what arrived, so nothing is left out."""
    house = House()
    alice, bob = house.login("Alice"), enter(house, "bob", TIME)
    alice.say("PRIVMSG #lobby :one")
    round_of_questions(house)
    assert heard(bob) == ["one"]
    alice.say("PRIVMSG #lobby :two")
    bob.leave()
    assert heard(enter(house, "bob", TIME)) == ["two"]


def test_quitting_says_that_everything_was_seen():
    house = House()
    alice, bob = house.login("Alice"), enter(house, "bob", TIME)
    alice.say("PRIVMSG #lobby :one")
    bob.say("QUIT")
    assert heard(enter(house, "bob", TIME)) == []


def test_the_place_survives_a_restart():
    house = House()
    alice, bob = house.login("Alice"), enter(house, "bob@phone", TIME)
    alice.say("PRIVMSG #lobby :one")
    round_of_questions(house)
    assert heard(bob) == ["one"]
    alice.say("PRIVMSG #lobby :two")
    house.fresh_hub(house.hub.accounts.values())
    assert heard(enter(house, "bob@phone", TIME)) == ["two"]


def test_a_replay_has_an_end():
    house = House(replay=3, first_replay=2)
    alice = house.login("Alice")
    alice.say(*(f"PRIVMSG #lobby :{number}" for number in range(9)))
    bob = house.login("bob")
    bob.leave()
    assert heard(enter(house, "bob@new", TIME)) == ["7", "8"]
    alice.say(*(f"PRIVMSG #lobby :{number}" for number in range(10, 19)))
    text = "This device has missed more: only the newest 3 lines follow; the server keeps all"
    assert heard(enter(house, "bob@new", TIME)) == [text, "16", "17", "18"]


def test_devices_without_end_are_forgotten():
    house = House(devices_known=2)
    alice = house.login("Alice")
    for name in ("one", "two", "three"):
        alice.say("PRIVMSG #lobby :more")
        enter(house, f"bob@{name}", TIME).say("QUIT")
    assert set(house.hub.seen["bob"]) == {"two", "three"}
    assert {draft.target for draft in house.store.latest() if draft.kind is Kind.SEEN} == {"two", "three"}


def test_those_without_news_are_not_asked():
    house = House()
    alice, bob = house.login("Alice"), house.login("bob")
    alice.say("JOIN #x", "PRIVMSG #x :elsewhere")
    round_of_questions(house)
    assert bob.heard() == []
    assert alice.heard()
    alice.say("PRIVMSG #lobby :here")
    bob.heard()
    house.run(None, house.hub.confirm())
    assert bob.heard() == [], "not before it is time again"
    round_of_questions(house)
    assert [line.split()[1] for line in bob.heard()] == ["PING"]
    round_of_questions(house)
    assert bob.heard() == [], "nor twice about the same"


def test_what_is_said_while_the_log_is_read_is_not_lost():
    """The log was asked, then something was said, then the answer came."""
    house = House()
    alice = house.login("Alice")
    house.login("bob").say("QUIT")
    alice.say("PRIVMSG #lobby :before")
    device = house.connect()
    device.session.caps = request(TIME, 0) or 0
    answer = house.store.answer

    def late(question: object) -> object:
        found = answer(question)
        house.store.answer = answer
        alice.say("PRIVMSG #lobby :meanwhile", "PRIVMSG Иван :not for bob")
        return found

    house.store.answer = late
    device.lines = device.say(f"PASS bob:{SECRET}", "NICK n", "USER u 0 * :r")
    assert heard(device) == ["before", "meanwhile"]


def test_a_place_is_nobody_elses_business():
    house = House()
    bob = enter(house, "bob@x", TIME)
    bob.heard()
    assert bob.say("PONG seen-5", "PONG seen-zz", "PONG") == []
    assert Draft(Kind.SEEN, "x", "bob", "5") not in list(house.store.latest())


def test_nobody_is_let_in_past_what_cannot_be_read():
    """Else the next PONG would say that it has been seen."""
    house = House()
    house.login("bob").say("QUIT")
    house.login("Alice").say("PRIVMSG #lobby :missed")
    answer, house.store.answer = house.store.answer, lambda _: Unanswered("BUSY", "Try again in a moment")
    device = enter(house, "bob", TIME)
    assert device.lines == ["ERROR :Try again in a moment"]
    assert device.closed
    house.store.answer = answer
    assert heard(enter(house, "bob", TIME)) == ["missed"]
