"""MODE: every mode of the table, its refusals, lists and limits."""

from __future__ import annotations

import pytest
from helpers.house import NAMES, House, account, codes

from securechat.chat import modes
from securechat.chat.masks import MAX_MASK
from securechat.records import Kind

B, C, I = ":bob!u@bob", ":carol!u@carol", ":Иван!u@иван"  # noqa: E741
NOT_OPERATOR = ":s.example 482 carol #x :Only those who run this channel may do that"


@pytest.fixture
def house():
    return House()


@pytest.fixture
def three(house):
    """bob, who owns #x, carol, who is in it, and Иван, who is not."""
    bob, carol, ivan = (house.login(name) for name in ("bob", "carol", "Иван"))
    bob.say("JOIN #x")
    carol.say("JOIN #x")
    bob.heard()
    return bob, carol, ivan


def test_only_who_runs_the_channel_changes_it(three):
    bob, carol, ivan = three
    assert carol.say("MODE #x +m") == [NOT_OPERATOR]
    assert carol.say("MODE #x +m-n+b x") == [NOT_OPERATOR], "said once, however many changes were asked for"
    assert carol.say("MODE #x +Z") == [NOT_OPERATOR]
    assert ivan.say("MODE #x +m") == [":s.example 442 Иван #x :You are not in that channel"]
    assert ivan.say("MODE #none +m") == [":s.example 403 Иван #none :No such channel"]
    assert bob.heard() == []


def test_a_change_is_shown_to_all_members_and_kept(three, house):
    bob, carol, ivan = three
    assert bob.say("MODE #X +mi-t-H") == [f"{B} MODE #x +mi-t"]
    assert carol.heard() == [f"{B} MODE #x +mi-t"]
    assert ivan.heard() == []
    assert house.log[-1][3:7] == (Kind.MODE, "#x", "bob", "+mi-t")
    assert bob.say("MODE #x")[0] == ":s.example 324 bob #x :+imn"
    assert codes(carol.say("MODE #x")) == ["324", "329"]


def test_what_changes_nothing_is_not_said(three):
    bob, carol, _ = three
    assert bob.say("MODE #x +nt-m", "MODE #x -k", "MODE #x -l", "MODE #x +o-v carol carol") == [
        f"{B} MODE #x +o carol"
    ]
    carol.heard()
    assert bob.say("MODE #x +m+m") == [f"{B} MODE #x +m"]
    assert carol.heard() == [f"{B} MODE #x +m"]


def test_refused_words_do_not_hinder_the_others(three):
    bob, _, _ = three
    lines = bob.say("MODE #x +Zov carol nobody")
    assert lines == [
        ":s.example 472 bob Z :is not a channel mode here",
        ":s.example 441 bob nobody #x :They are not in that channel",
        f"{B} MODE #x +o carol",
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("MODE #x +q carol", "472"),
        ("MODE #x +é", "472"),
        ("MODE #x +k", "696"),
        ("MODE #x +l", "696"),
        ("MODE #x +o", "696"),
        ("MODE #x -v", "696"),
        ("MODE #x +l 0", "696"),
        ("MODE #x +l -5", "696"),
        ("MODE #x +l many", "696"),
        ("MODE #x +l 9999999", "696"),
        ("MODE #x +l ٣", "696"),
        ("MODE #x +k :a b", "696"),
        ("MODE #x +k a,b", "696"),
        ("MODE #x +k " + "k" * 33, "696"),
        ("MODE #x +b a,b", "696"),
        ("MODE #x +b " + "b" * 200, "696"),
        ("MODE #x +o nobody", "441"),
        ("MODE #x +o Иван", "441"),
        ("MODE", "461"),
    ],
)
def test_refusals(three, house, line, code):
    bob, carol, _ = three
    kept = len(house.log)
    assert codes(bob.say(line)) == [code]
    assert carol.heard() == []
    assert len(house.log) == kept


def test_moderated(three):
    bob, carol, _ = three
    bob.say("MODE #x +m")
    carol.heard()
    assert carol.say("PRIVMSG #x :hi") == [
        ":s.example 404 carol #x :Only those with voice speak in that channel (+m)"
    ]
    assert bob.say("PRIVMSG #x :hi", "MODE #x +v CAROL") == [f"{B} MODE #x +v carol"]
    assert carol.heard() == [f"{B} PRIVMSG #x :hi", f"{B} MODE #x +v carol"]
    assert carol.say("PRIVMSG #x :thanks", "NAMES #x") == [
        ":s.example 353 carol = #x :~bob +carol",
        ":s.example 366 carol #x :End of NAMES list",
    ]
    bob.heard()
    assert bob.say("MODE #x -v+o carol carol") == [f"{B} MODE #x -v+o carol carol"]
    carol.heard()
    assert carol.say("PRIVMSG #x :still", "TOPIC #x :mine") == [f"{C} TOPIC #x :mine"]


def test_outsiders_speak_without_n(three):
    bob, carol, ivan = three
    assert codes(ivan.say("PRIVMSG #x :hi")) == ["404"]
    bob.say("MODE #x -n")
    carol.heard()
    assert ivan.say("PRIVMSG #x :hi") == []
    assert carol.heard() == bob.heard() == [f"{I} PRIVMSG #x :hi"]
    bob.say("MODE #x +m")
    assert codes(ivan.say("PRIVMSG #x :hi")) == ["404"]


def test_anybody_sets_the_topic_without_t(three):
    bob, carol, _ = three
    assert codes(carol.say("TOPIC #x :mine")) == ["482"]
    bob.say("MODE #x -t")
    carol.heard()
    assert carol.say("TOPIC #x :mine") == [f"{C} TOPIC #x :mine"]


def test_the_key_is_for_members_and_never_shown_when_it_goes(three):
    bob, carol, ivan = three
    assert bob.say("MODE #x +kl-H sesam 7") == [f"{B} MODE #x +kl sesam 7"]
    assert carol.heard() == [f"{B} MODE #x +kl sesam 7"]
    assert carol.say("MODE #x")[0] == ":s.example 324 carol #x +ntkl sesam :7"
    assert ivan.say("MODE #x")[0] == ":s.example 324 Иван #x +ntkl * :7"
    assert bob.say("MODE #x -k whatever") == [f"{B} MODE #x -k *"]
    assert carol.heard() == [f"{B} MODE #x -k *"]
    assert bob.say("MODE #x -l", "MODE #x")[:2] == [f"{B} MODE #x -l", ":s.example 324 bob #x :+nt"]


def test_a_key_can_be_changed_and_a_limit_written_in_many_ways(three):
    bob, _, _ = three
    assert bob.say("MODE #x +kH one", "MODE #x +k two", "MODE #x +k two") == [
        f"{B} MODE #x +kH one",
        f"{B} MODE #x +k two",
    ]
    assert bob.say("MODE #x +l 007", "MODE #x +l 7") == [f"{B} MODE #x +l 7"]


def test_secret_leaves_no_trace(three):
    bob, carol, ivan = three
    assert bob.say("MODE #x +s") == [f"{B} MODE #x +sH"]
    assert ivan.say("MODE #x") == [":s.example 403 Иван #x :No such channel"]
    assert carol.say("NAMES #x")[1] == ":s.example 353 carol @ #x :~bob carol"
    assert bob.say("MODE #x -s") == [f"{B} MODE #x -s"]
    assert codes(ivan.say("MODE #x")) == ["324", "329"]


@pytest.mark.parametrize(
    ("letter", "entry", "end"), [("b", "367", "368"), ("e", "348", "349"), ("I", "346", "347")]
)
def test_lists(three, house, letter, entry, end):
    bob, carol, ivan = three
    assert bob.say(f"MODE #x +{letter}{letter} Dave *!*@evil*") == [
        f"{B} MODE #x +{letter}{letter} dave!*@* *!*@evil*"
    ]
    since = house.now // 1000
    shown = [
        f":s.example {entry} {{}} #x dave!*@* bob :{since}",
        f":s.example {entry} {{}} #x *!*@evil* bob :{since}",
    ]
    carol.heard()
    for asked in (letter, f"+{letter}", f"-{letter}"):
        lines = carol.say(f"MODE #x {asked}")
        assert lines[:-1] == [line.format("carol") for line in shown], "members may look"
        assert lines[-1].startswith(f":s.example {end} carol #x :End of ")
    assert codes(ivan.say(f"MODE #x {letter}")) == ["442"]
    assert bob.say(f"MODE #x +{letter} dave!*@*") == [], "it is there already"
    assert bob.say(f"MODE #x -{letter} Dave") == [f"{B} MODE #x -{letter} dave!*@*"]
    assert codes(bob.say(f"MODE #x {letter}")) == [entry, end]


def test_the_same_mask_in_another_letter_case_is_the_same_mask(three):
    bob, _, _ = three
    bob.say("MODE #x +b Dave")
    assert bob.say("MODE #x +b dave") == []
    assert bob.say("MODE #x +bbb eve Eve EVE") == [f"{B} MODE #x +b eve!*@*"]
    assert bob.say("MODE #x -b DAVE") == [f"{B} MODE #x -b dave!*@*"]


def test_lists_are_limited_together(three):
    bob, _, _ = three
    for letter, count in (("b", 60), ("e", 39), ("I", 1)):
        for number in range(count):
            bob.say(f"MODE #x +{letter} {letter}{number}")
    assert bob.say("MODE #x +b one-more") == [
        ":s.example 478 bob #x b :The list has as many entries as it may have"
    ]
    assert codes(bob.say("MODE #x -b b0", "MODE #x +e one-more", "MODE #x +I one-more")) == ["MODE", "MODE", "478"]


def test_one_command_cannot_go_over_the_limit_of_lists(three, house):
    bob, _, _ = three
    for number in range(modes.MAX_LIST - 1):
        bob.say(f"MODE #x +b b{number}")
    lines = bob.say("MODE #x +bbb one two three")
    assert sum(len(entries) for entries in house.hub.channels["#x"].lists.values()) == modes.MAX_LIST
    assert codes(lines).count("478") == 2


def test_parameters_in_one_command_are_limited(three, house):
    bob, _, _ = three
    bob.say("MODE #x +" + "b" * 10 + " " + " ".join(f"m{number}" for number in range(10)))
    assert len(house.hub.channels["#x"].lists["b"]) == modes.MAX_CHANGES


@pytest.mark.parametrize(
    "line", ["+bbbbbbbb-k a b c d e f g h", "-k+bbbbbbbb a b c d e f g h", "-kkkkkkkkk+bbbb * a"]
)
def test_what_members_are_shown_is_what_happens(three, house, line):
    """Each mode is read from the entry that says it, so what is announced must fit what is read."""
    bob, _, _ = three
    bob.say("MODE #x +k sesam")
    for shown in bob.say(f"MODE #x {line}"):
        _, code, _, letters, *params = shown.split(" ")
        if code != "MODE":
            continue
        assert len(params) <= modes.MAX_CHANGES
        assert ("k" in letters) == (house.hub.channels["#x"].password == "")


def test_of_two_changes_of_one_thing_the_later_counts(three):
    bob, _, _ = three
    assert bob.say("MODE #x +m-m", "MODE #x -t+t", "MODE #x +o-o carol carol", "MODE #x +k-k a") == []
    assert bob.say("MODE #x +k+k one two") == [f"{B} MODE #x +kH two"]
    assert bob.say("MODE #x -k+k * three") == [f"{B} MODE #x +k three"]
    assert bob.say("MODE #x +b-b a a") == []


@pytest.mark.parametrize("size", range(110, 135))
def test_a_mask_as_long_as_it_may_be(three, house, size):
    bob, _, _ = three
    (line,) = bob.say(f"MODE #x +b {'b' * size}")
    assert codes([line]) == (["MODE"] if size + 4 <= MAX_MASK else ["696"])
    house.fresh_hub([account(name) for name in NAMES])


def test_long_changes_take_several_lines(three, house):
    bob, carol, _ = three
    masks = [f"{letter * 100}!*@*" for letter in "abcdefgh"]
    lines = bob.say(f"MODE #x +bbbb {' '.join(masks[:4])}", f"MODE #x +bbbb {' '.join(masks[4:])}")
    assert len(lines) >= 2
    assert list(house.hub.channels["#x"].lists["b"]) == masks
    assert carol.heard() == lines


def test_modes_of_ones_own(house):
    bob, bob2, carol = house.login("bob"), house.login("bob"), house.login("carol")
    assert bob.say("MODE BOB") == [":s.example 221 bob :+i"]
    assert bob.say("MODE bob +B") == bob2.heard() == [f"{B} MODE bob +B"]
    assert bob.say("MODE bob") == [":s.example 221 bob :+iB"]
    assert bob.say("MODE bob +B") == [":s.example 221 bob :+iB"]
    assert bob.say("MODE bob -B") == [f"{B} MODE bob -B"]
    assert codes(bob.say("MODE bob +x", "MODE carol", "MODE carol +B", "MODE nobody +B")) == [
        *("501", "502", "502", "502")
    ]
    assert carol.heard() == []


def test_the_owner_stays_the_owner(three):
    bob, carol, _ = three
    bob.say("MODE #x +o carol")
    carol.heard()
    assert carol.say("MODE #x -o bob") == [], "owning is not a mode: there is nothing to take"
    assert bob.say("TOPIC #x :mine") == [f"{B} TOPIC #x :mine"]
    assert carol.say("NAMES #x")[1] == ":s.example 353 carol = #x :~bob @carol"


def test_everything_survives_a_restart(three, house):
    bob, *_ = three
    bob.say("MODE #x +misk-n sesam", "MODE #x +lbeI 9 Dave eve fay", "MODE #x +o carol", "MODE #x +v bob")
    before = house.hub.channels["#x"]
    after = house.fresh_hub([account(name) for name in NAMES]).channels["#x"]
    assert after is not before
    for part in ("name", "owner", "flags", "password", "limit", "lists", "invited"):
        assert getattr(after, part) == getattr(before, part), part
    assert {key: member.ranks for key, member in after.members.items()} == {
        "bob": frozenset("v"),
        "carol": frozenset("o"),
    }
    assert after.flags == frozenset("Himst")
    assert (after.password, after.limit) == ("sesam", 9)
    carol = house.login("carol", "multi-prefix")
    assert carol.say("MODE #x")[0] == ":s.example 324 carol #x +Himstkl sesam :9"
    house.login("bob")
    assert carol.say("NAMES #x")[0] == ":s.example 353 carol @ #x :~@+bob @carol"


def test_leaving_ends_a_rank(three):
    bob, carol, _ = three
    bob.say("MODE #x +o carol")
    carol.say("PART #x", "JOIN #x")
    assert carol.say("TOPIC #x :x") == [NOT_OPERATOR]
