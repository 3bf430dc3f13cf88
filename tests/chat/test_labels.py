"""Labelled responses: one label on one logical answer, whatever the command gives."""

from __future__ import annotations

import pytest
from helpers.house import House, account, codes

B = ":bob!u@bob"


@pytest.fixture
def house():
    return House()


@pytest.fixture
def bob(house):
    return house.login("bob", "batch", "labeled-response", "message-tags")


def test_nothing_to_say_is_acknowledged(house, bob):
    carol = house.login("carol", "message-tags")
    assert bob.say("@label=x PONG y") == ["@label=x :s.example ACK"]
    assert bob.say("@label=x PRIVMSG carol :hi") == ["@label=x :s.example ACK"]
    assert carol.heard() == [f"@msgid=id{len(house.log)} {B} PRIVMSG carol :hi"], "labels are for the sender"
    assert bob.say("@label=x NOTICE nobody :hi", "@label=y TAGMSG carol", "@label=z JOIN #lobby") == [
        "@label=x :s.example ACK",
        "@label=y :s.example ACK",
        "@label=z :s.example ACK",
    ]


def test_a_single_reply_has_the_label(bob):
    assert bob.say("@label=x PING y") == ["@label=x :s.example PONG s.example :y"]
    assert bob.say("@label=x CAP LIST")[0].startswith("@label=x :s.example CAP bob LIST :")


def test_several_are_a_batch(bob):
    lines = bob.say("@label=x WHOIS bob")
    assert lines[0] == "@label=x :s.example BATCH +r labeled-response"
    assert lines[-1] == ":s.example BATCH -r"
    assert all(line.startswith("@batch=r :s.example ") for line in lines[1:-1])
    assert codes(lines[1:-1])[0] == "311"
    assert codes(lines[1:-1])[-1] == "318"


def test_what_others_see_too_is_part_of_it(house, bob):
    carol = house.login("carol")
    lines = bob.say("@label=x JOIN #y")
    seq = len(house.log)
    assert lines == [
        "@label=x :s.example BATCH +r labeled-response",
        f"@batch=r;msgid=id{seq} {B} JOIN #y",
        "@batch=r :s.example 353 bob = #y :~bob",
        "@batch=r :s.example 366 bob #y :End of NAMES list",
        ":s.example BATCH -r",
    ]
    carol.say("JOIN #y")
    bob.heard()
    assert bob.say("@label=x TOPIC #y :roses") == [f"@label=x;msgid=id{seq + 2} {B} TOPIC #y :roses"]
    assert carol.heard()[-1] == f"{B} TOPIC #y :roses"


def test_other_devices_get_theirs_without(house, bob):
    phone = house.login("bob", "batch", "labeled-response", "message-tags")
    bob.say("@label=x JOIN #y")
    assert codes(phone.heard()) == ["JOIN", "353", "366"]
    bob.say("@label=x PRIVMSG #y :hi")
    assert phone.heard() == [f"@msgid=id{len(house.log)} {B} PRIVMSG #y :hi"]


def test_an_echo(house):
    bob = house.login("bob", "batch", "labeled-response", "echo-message", "message-tags")
    house.login("carol").say("AWAY :lunch")
    assert bob.say("@label=x;+draft/reply=y PRIVMSG #lobby :hi") == [
        f"@label=x;msgid=id{len(house.log)};+draft/reply=y {B} PRIVMSG #lobby :hi"
    ]
    lines = bob.say("@label=x PRIVMSG carol :hi")
    assert lines == [
        "@label=x :s.example BATCH +r labeled-response",
        f"@batch=r;msgid=id{len(house.log)} {B} PRIVMSG carol :hi",
        "@batch=r :s.example 301 bob carol :lunch",
        ":s.example BATCH -r",
    ]


def test_a_message_to_oneself_is_one_message_and_the_echo_has_the_label(house):
    """The specification would have it twice; here one's own note is one line on every device."""
    bob = house.login("bob", "batch", "labeled-response", "echo-message")
    phone = house.login("bob", "batch", "labeled-response", "echo-message")
    assert bob.say("@label=x PRIVMSG bob :note") == [f"@label=x {B} PRIVMSG bob :note"]
    assert phone.heard() == [f"{B} PRIVMSG bob :note"]
    quiet = house.login("bob", "batch", "labeled-response")
    assert quiet.say("@label=x PRIVMSG bob :note") == ["@label=x :s.example ACK"]


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("PRIVMSG nobody :hi", ":s.example 401 bob nobody :No such nick"),
        ("PRIVMSG #none :hi", ":s.example 403 bob #none :No such channel"),
        ("PRIVMSG", ":s.example 411 bob :No recipient given (PRIVMSG)"),
        ("NONSENSE", ":s.example 421 bob NONSENSE :Unknown command"),
        ("KICK #lobby", ":s.example 461 bob KICK :Not enough parameters"),
        ("REHASH", ":s.example 481 bob :Only administrators of this server may do that"),
        ("SETNAME :", ":s.example FAIL SETNAME INVALID_REALNAME :A real name has 1 to 64 characters (96 bytes)"),
        (
            "JOIN " + ",".join("#abcdefghi"),
            ":s.example 407 bob :At most 8 targets in one command; nothing was done",
        ),
    ],
)
def test_errors(bob, line, reply):
    assert bob.say(f"@label=x {line}") == [f"@label=x {reply}"]


def test_several_targets_are_one_answer(house, bob):
    lines = bob.say("@label=x PRIVMSG nobody,noone,#lobby :hi")
    assert codes(lines[1:-1]) == ["401", "401"]
    assert sum("label=" in line for line in lines) == 1


@pytest.mark.parametrize("size", [1, 63, 64])
def test_labels_up_to_the_limit(bob, size):
    for label in ("l" * size, "ж" * (size // 2) + "l" * (size % 2)):
        assert bob.say(f"@label={label} PONG y") == [f"@label={label} :s.example ACK"]


@pytest.mark.parametrize(
    "tag", ["label=" + "l" * 65, "label=" + "ж" * 33, "label=", "label", "+label=x", "xlabel=x"]
)
def test_what_is_no_label_is_none(bob, tag):
    assert bob.say(f"@{tag} PING y") == [":s.example PONG s.example :y"]


@pytest.mark.parametrize("label", [r"a\sb", r"a\:b", r"a\\b", r"a\r\nb", "a=b", "a/b+c"])
def test_escapes_come_back_as_they_were(bob, label):
    assert bob.say(f"@label={label} PONG y") == [f"@label={label} :s.example ACK"]


def test_a_needless_escape_means_the_same_label(bob):
    assert bob.say(r"@label=\ab PONG y") == ["@label=ab :s.example ACK"]


def test_of_two_labels_the_last_counts(bob):
    assert bob.say("@label=a;label=b PONG y") == ["@label=b :s.example ACK"]


def test_without_the_capability_it_is_a_tag_like_any(house):
    carol = house.login("carol", "message-tags")
    assert carol.say("@label=x PING y") == [":s.example PONG s.example :y"]
    assert carol.say("@label=x PONG y") == []


def test_without_batches_the_first_line_has_it(house):
    carol = house.login("carol", "labeled-response")
    lines = carol.say("@label=x WHOIS carol")
    assert lines[0].startswith("@label=x :s.example 311 ")
    assert sum("label" in line for line in lines) == 1


def test_before_the_login_there_is_no_answer_to_mark(house):
    stranger = house.connect()
    assert stranger.say("CAP REQ :labeled-response batch") == [":s.example CAP * ACK :labeled-response batch"]
    assert stranger.say("@label=x PING y") == [":s.example PONG s.example :y"]


def test_quitting_says_goodbye(house, bob):
    lines = bob.say("@label=x QUIT")
    assert any("ERROR :Goodbye" in line for line in lines)
    assert bob.closed


def test_labels_meet_a_kill(house):
    house = House(accounts=[account("root-of-all", 0, "admin"), account("bob")])
    root, bob = house.login("root-of-all", "labeled-response", "batch"), house.login("bob")
    lines = root.say("@label=x KILL bob :why")
    assert lines == ["@label=x :bob!u@bob QUIT :Killed by root-of-all: why"]
    assert bob.heard()[-1] == "ERROR :Killed by root-of-all: why"


def test_a_line_of_a_batch_has_no_response_of_its_own():
    bob = House().login("bob", "labeled-response", "batch", "message-tags", "echo-message", "draft/multiline")
    said = bob.say("@label=a BATCH +1 draft/multiline #lobby", "@batch=1;label=b PRIVMSG #lobby :x", "BATCH -1")
    assert sum("label=" in line for line in said) == 1
    assert said[0].startswith("@label=a")
    assert not any(line.endswith("ACK") for line in said)
