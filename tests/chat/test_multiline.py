"""Messages of several lines: whole or not at all, to clients that know them and to those that do not."""

from __future__ import annotations

import pytest
from helpers.house import House, account, codes

from securechat.protocol.capabilities import MULTILINE_BYTES, MULTILINE_LINES
from securechat.protocol.message import parse
from securechat.records import Kind

CAPS = ("batch", "draft/multiline", "message-tags", "labeled-response")
B = ":bob!u@bob"
FAIL = ":s.example FAIL BATCH"


@pytest.fixture
def house():
    return House()


@pytest.fixture
def bob(house):
    return house.login("bob", *CAPS)


def batch(*lines: str, target: str = "#lobby", command: str = "PRIVMSG", opening: str = "") -> list[str]:
    """A whole batch; a line that begins with ">" goes on with the one before it."""
    said = [f"{opening}BATCH +1 draft/multiline {target}"]
    for line in lines:
        concat, text = (";draft/multiline-concat", line[1:]) if line.startswith(">") else ("", line)
        said.append(f"@batch=1{concat} {command} {target} :{text}")
    return [*said, "BATCH -1"]


class TestWhatOthersGet:
    def test_clients_that_know_batches(self, house, bob):
        carol = house.login("carol", "batch", "draft/multiline", "message-tags")
        assert bob.say(*batch("hello", "", "how is ", ">everyone?")) == []
        reference = f"m{len(house.log):x}"
        assert carol.heard() == [
            f"@msgid=id{len(house.log)} {B} BATCH +{reference} draft/multiline #lobby",
            f"@batch={reference} {B} PRIVMSG #lobby :hello",
            f"@batch={reference} {B} PRIVMSG #lobby :",
            f"@batch={reference} {B} PRIVMSG #lobby :how is ",
            f"@batch={reference};draft/multiline-concat {B} PRIVMSG #lobby :everyone?",
            f"{B} BATCH -{reference}",
        ]

    def test_it_is_one_entry(self, house, bob):
        kept = len(house.log)
        bob.say(*batch("hello", "", "how is ", ">everyone?"))
        (entry,) = house.log[kept:]
        assert entry[3:7] == (Kind.PRIVMSG, "#lobby", "bob", "hello\n\nhow is \reveryone?")

    def test_clients_that_do_not(self, house, bob):
        carol = house.login("carol", "message-tags", "account-tag")
        alice, ivan = house.login("Alice"), house.login("Иван", "draft/multiline")
        bob.say(*batch("", "hello", "", "how is ", ">everyone?", opening="@+draft/reply=x "))
        seq = len(house.log)
        assert carol.heard() == [
            f"@msgid=id{seq};+draft/reply=x;account=bob {B} PRIVMSG #lobby :hello",
            f"@account=bob {B} PRIVMSG #lobby :how is ",
            f"@account=bob {B} PRIVMSG #lobby :everyone?",
        ]
        assert (
            alice.heard()
            == ivan.heard()
            == [
                f"{B} PRIVMSG #lobby :hello",
                f"{B} PRIVMSG #lobby :how is ",
                f"{B} PRIVMSG #lobby :everyone?",
            ]
        )

    def test_notices_and_direct_messages(self, house, bob):
        carol = house.login("carol")
        bob.say(*batch("a", "b", target="carol", command="NOTICE"))
        assert carol.heard() == [f"{B} NOTICE carol :a", f"{B} NOTICE carol :b"]
        assert bob.say(*batch("a", "b", target="Иван")) == [":s.example 301 bob Иван :is not connected right now"]

    def test_the_sender_with_echo(self, house):
        bob = house.login("bob", *CAPS, "echo-message")
        phone = house.login("bob", "message-tags")
        echo = bob.say(*batch("a", "b", opening="@label=L1;+draft/reply=x "))
        seq = len(house.log)
        assert echo == [
            f"@label=L1;msgid=id{seq};+draft/reply=x {B} BATCH +m{seq:x} draft/multiline #lobby",
            f"@batch=m{seq:x} {B} PRIVMSG #lobby :a",
            f"@batch=m{seq:x} {B} PRIVMSG #lobby :b",
            f"{B} BATCH -m{seq:x}",
        ]
        assert phone.heard()[0] == f"@msgid=id{seq};+draft/reply=x {B} PRIVMSG #lobby :a"

    def test_a_single_line_is_a_message_like_others(self, house, bob):
        carol = house.login("carol", "batch", "draft/multiline")
        bob.say(*batch("alone"))
        assert carol.heard() == [f"{B} PRIVMSG #lobby :alone"]

    def test_a_batch_of_commands_in_lower_case(self, house, bob):
        carol = house.login("carol")
        bob.say("BATCH +1 draft/multiline #lobby", "@batch=1 privmsg #lobby a", "batch -1")
        assert carol.heard() == [f"{B} PRIVMSG #lobby :a"]

    def test_as_many_lines_and_bytes_as_are_allowed(self, house, bob):
        carol = house.login("carol")
        assert bob.say(*batch(*["x"] * MULTILINE_LINES)) == []
        assert len(carol.heard()) == MULTILINE_LINES
        width = MULTILINE_BYTES // 64
        lines = ["x" * (width - 1)] * 63 + ["x" * width]
        assert bob.say(*batch(*lines)) == []
        assert len(carol.heard()) == 64

    def test_a_restart_loses_nothing(self, house, bob):
        bob.say(*batch("a", "b"))
        house.fresh_hub([account(name) for name in ("bob", "carol")])


@pytest.mark.parametrize(
    ("lines", "fail"),
    [
        (batch(), "MULTILINE_INVALID"),
        (batch("", "", ""), "MULTILINE_INVALID"),
        (batch("hello ", ">", "there"), "MULTILINE_INVALID"),
        (batch(">hello ", ">"), "MULTILINE_INVALID"),
        (batch("a", "x" * 485), "MULTILINE_INVALID"),
        (batch("a", target="#lobby,carol"), "MULTILINE_INVALID"),
        (batch("a", command="TAGMSG"), "MULTILINE_INVALID"),
        (batch("a", command="JOIN"), "MULTILINE_INVALID"),
        (["BATCH +1 draft/multiline", "BATCH -1"], "MULTILINE_INVALID"),
        (
            [
                "BATCH +1 draft/multiline #lobby",
                "@batch=1 PRIVMSG #lobby a",
                "@batch=1 NOTICE #lobby b",
                "BATCH -1",
            ],
            "MULTILINE_INVALID",
        ),
        (["BATCH +1 draft/multiline #lobby", "@batch=1 PRIVMSG #lobby", "BATCH -1"], "MULTILINE_INVALID"),
        (["BATCH +1 draft/multiline #lobby", "@batch=1 PRIVMSG", "BATCH -1"], "MULTILINE_INVALID"),
        (
            ["BATCH +1 draft/multiline #lobby", "@batch=1 PRIVMSG #x a", "BATCH -1"],
            "MULTILINE_INVALID_TARGET #lobby #x",
        ),
        (batch(*["x"] * (MULTILINE_LINES + 1)), f"MULTILINE_MAX_LINES {MULTILINE_LINES}"),
        (batch(*["x" * 450] * 37), f"MULTILINE_MAX_BYTES {MULTILINE_BYTES}"),
        (["BATCH +1 netjoin a b", "@batch=1 PRIVMSG #lobby :a", "BATCH -1"], "UNKNOWN_TYPE 1 netjoin"),
        (["BATCH +1", "BATCH -1"], "UNKNOWN_TYPE 1 *"),
        (["BATCH -1"], "MULTILINE_INVALID"),
        (["BATCH 1"], "MULTILINE_INVALID"),
        (["BATCH +"], "MULTILINE_INVALID"),
        (["BATCH :"], "MULTILINE_INVALID"),
    ],
)
def test_what_is_refused_is_refused_whole_and_once(house, bob, lines, fail):
    carol = house.login("carol")
    kept = len(house.log)
    said = bob.say(*lines)
    assert len(said) == 1, said
    assert said[0].startswith(f"{FAIL} {fail} :"), said
    assert len(house.log) == kept
    assert carol.heard() == []
    assert bob.session.batch is None
    assert bob.say(*batch("fine")) == [], "the next one works"
    assert carol.heard() == [f"{B} PRIVMSG #lobby :fine"]


def test_each_byte_and_line_feed_counts_once(house, bob):
    width = MULTILINE_BYTES // 64
    exact = ["x" * (width - 1)] * 63 + ["x" * width]
    assert codes(bob.say(*batch(*exact[:-1], exact[-1] + "y"))) == ["FAIL"]
    joined = ["x" * width] + [">" + "x" * width] * 63
    assert bob.say(*batch(*joined)) == [], "what is appended costs no line feed"


def test_without_the_capability_nothing_of_it_is_sent(house):
    bob, carol = house.login("bob"), house.login("carol")
    (said,) = bob.say(*batch("a", "b"))
    assert said.startswith(f"{FAIL} MULTILINE_INVALID :")
    assert carol.heard() == []


@pytest.mark.parametrize(
    ("target", "reply"),
    [
        ("#none", "403 bob #none :No such channel"),
        ("nobody", "401 bob nobody :No such nick"),
        ("#x", "404 bob #x :You are not in that channel: join it first"),
        ("$*", "481 bob $* :Only administrators of this server may do that"),
    ],
)
def test_where_a_message_may_not_go_a_batch_may_not_either(house, bob, target, reply):
    house.login("carol").say("JOIN #x")
    assert bob.say(*batch("a", "b", target=target, opening="@label=L ")) == [f"@label=L :s.example {reply}"]
    assert bob.say(*batch("a", target=target, command="NOTICE")) == []


class TestDisorder:
    def test_other_commands_in_between_are_dealt_with_at_once(self, house, bob):
        carol = house.login("carol")
        opening, first, second, end = batch("a", "b")
        assert bob.say(opening, first, "PING x") == [":s.example PONG s.example :x"]
        bob.say("PRIVMSG #lobby :in between", second, end)
        assert [line.split(":")[2] for line in carol.heard()] == ["in between", "a", "b"]

    def test_an_abandoned_one_is_never_sent_and_hinders_nothing(self, house, bob):
        carol = house.login("carol")
        bob.say(*batch("a", "b")[:-1])
        bob.say("PRIVMSG #lobby :plain")
        assert carol.heard() == [f"{B} PRIVMSG #lobby :plain"]
        said = bob.say(*(line.replace("1", "2") for line in batch("c", "d")))
        assert [line.split(" :")[0] for line in said] == [f"{FAIL} MULTILINE_INVALID"]
        assert carol.heard() == [f"{B} PRIVMSG #lobby :c", f"{B} PRIVMSG #lobby :d"]
        assert codes(bob.say("BATCH -1", "BATCH -2")) == ["FAIL", "FAIL"]

    def test_one_that_is_open_ends_with_its_connection(self, house, bob):
        carol = house.login("carol")
        bob.say(*batch("a", "b")[:-1])
        bob.leave()
        assert codes(carol.heard()) == ["QUIT"]

    def test_a_nested_one_spoils_its_outer(self, house, bob):
        carol = house.login("carol")
        opening, first, end = batch("a")
        said = bob.say(opening, first, "@batch=1 BATCH +2 draft/multiline #lobby", "@batch=1 BATCH -2", end)
        assert [line.split(" :")[0] for line in said] == [f"{FAIL} MULTILINE_INVALID"]
        assert carol.heard() == []

    def test_lines_of_a_batch_that_is_not_open_are_not_sent_by_themselves(self, house, bob):
        carol = house.login("carol")
        assert codes(bob.say("@batch=9 PRIVMSG #lobby :a")) == ["FAIL"]
        bob.say(batch()[0])
        assert codes(bob.say("@batch=9 PRIVMSG #lobby :a", "BATCH -9", "BATCH -1")) == ["FAIL"] * 3
        assert carol.heard() == []

    def test_a_tag_that_only_ends_like_that_is_another(self, house, bob):
        carol = house.login("carol")
        bob.say("@+draft/batch=1 PRIVMSG #lobby :a")
        assert carol.heard() == [f"{B} PRIVMSG #lobby :a"]

    def test_references_are_whatever_the_client_likes(self, house, bob):
        carol = house.login("carol")
        bob.say("BATCH +Жё~1 draft/multiline #lobby", "@batch=Жё~1 PRIVMSG #lobby a", "BATCH -Жё~1")
        assert carol.heard() == [f"{B} PRIVMSG #lobby :a"]

    def test_two_devices_have_one_each(self, house, bob):
        phone, carol = house.login("bob", *CAPS), house.login("carol")
        ours, theirs = batch("ours"), batch("theirs")
        for mine, its in zip(ours, theirs, strict=True):
            bob.say(mine)
            phone.say(its)
        assert [line.split(":")[2] for line in carol.heard()] == ["ours", "theirs"]


def test_a_label_on_the_opening_line_marks_the_answer(house, bob):
    assert bob.say(*batch("a", "b", opening="@label=L1 ")) == ["@label=L1 :s.example ACK"]
    (said,) = bob.say(*batch("", opening="@label=L2 "))
    assert said.startswith(f"@label=L2 {FAIL} MULTILINE_INVALID :")
    assert bob.say("@label=L3 BATCH +1 draft/multiline #lobby") == [], "the answer comes at the end"
    bob.say("@batch=1 PRIVMSG #lobby :a")
    assert bob.say("BATCH -1") == ["@label=L3 :s.example ACK"]


def test_lines_within_limits_whoever_reads_them(house, bob):
    """What fits the sender's own measure fits every reader's line."""
    house.login("Иван", "batch", "draft/multiline", "message-tags", "server-time", "account-tag")
    room = 512 - len(f"{B} PRIVMSG #lobby :\r\n")
    assert bob.say(*batch("x" * room, "y" * room)) == []
    assert all(parse(line.encode(), 8191) for device in house.devices.values() for line in device.heard())


def test_lines_are_measured_with_the_name_that_they_will_have():
    """A wide letter and a plain one are the same name, but not the same bytes."""
    house = House()
    bob, carol = house.login("bob", "draft/multiline", "batch"), house.login("carol")
    wide, plain = "#" + "ａ" * 42, "#" + "a" * 42
    bob.say(f"JOIN {wide}")
    carol.say(f"JOIN {plain}")
    room = 512 - len(f":bob!u@bob PRIVMSG {plain} :\r\n")
    bob.heard()
    said = bob.say(
        f"BATCH +1 draft/multiline {plain}",
        f"@batch=1 PRIVMSG {plain} :{'x' * room}",
        f"@batch=1 PRIVMSG {plain} :y",
        "BATCH -1",
    )
    assert codes(said) == ["417"]
    assert carol.heard() == []
