"""CHATHISTORY and SEARCH by plain calls: what is asked, what is shown, and to whom it is not."""

from __future__ import annotations

import pytest
from helpers.house import House, account

CAPS = ("batch", "server-time", "message-tags", "draft/chathistory")


@pytest.fixture
def house():
    return House()


def texts(lines: list[str]) -> list[str]:
    """The texts of the messages in a batch."""
    return [line.split(" :")[-1] for line in lines if " PRIVMSG " in line or " NOTICE " in line]


def ids(house: House) -> dict[str, str]:
    """Text to msgid of everything said."""
    return {entry.text: entry.msgid for entry in house.log if entry.number}


@pytest.fixture
def told(house):
    """Alice, who has said one to nine in #lobby."""
    alice = house.login("Alice", *CAPS)
    alice.say(*(f"PRIVMSG #lobby :{number}" for number in range(1, 10)))
    return alice


def test_a_page_is_a_batch_with_the_messages_as_they_were(house, told):
    bob = house.login("bob", *CAPS, "account-tag")
    entries = [entry for entry in house.log if entry.text in ("8", "9")]
    lines = bob.say("CHATHISTORY LATEST #LOBBY * 2")
    assert lines[0] == ":s.example BATCH +h chathistory #lobby"
    assert [line.split(" :")[-1] for line in lines[1:-1]] == ["8", "9"]
    assert lines[1].startswith("@batch=h;time=2023-11-14T22:13:20.")
    assert f";msgid={entries[0].msgid};account=Alice :Alice!u@alice PRIVMSG #lobby :8" in lines[1]
    assert lines[-1] == ":s.example BATCH -h"


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        ("LATEST #lobby * 3", "789"),
        ("LATEST #lobby {7} 9", "89"),
        ("LATEST #lobby {2} 3", "789"),
        ("BEFORE #lobby {4} 2", "23"),
        ("BEFORE #lobby {1} 5", ""),
        ("AFTER #lobby {4} 2", "56"),
        ("AFTER #lobby {9} 5", ""),
        ("AROUND #lobby {5} 3", "456"),
        ("AROUND #lobby {5} 1", "5"),
        ("BETWEEN #lobby {2} {6} 9", "345"),
        ("BETWEEN #lobby {2} {6} 2", "34"),
        ("BETWEEN #lobby {6} {2} 2", "45"),
        ("BETWEEN #lobby {6} {2} 9", "345"),
    ],
)
def test_every_subcommand_by_id(house, told, request_, wanted):
    line = request_.format(*["", *(f"msgid={ids(house)[str(number)]}" for number in range(1, 10))])
    assert "".join(texts(told.say(f"CHATHISTORY {line}"))) == wanted


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        ("LATEST #lobby {7} 9", "89"),
        ("BEFORE #lobby {4} 2", "23"),
        ("AFTER #lobby {4} 2", "56"),
        ("AROUND #lobby {5} 3", "456"),
        ("BETWEEN #lobby {6} {2} 2", "45"),
    ],
)
def test_every_subcommand_by_time(house, told, request_, wanted):
    said = {entry.text: entry.time for entry in house.log if entry.number}
    stamps = ["", *(f"timestamp=2023-11-14T22:13:20.{said[str(n)] % 1000:03}Z" for n in range(1, 10))]
    assert "".join(texts(told.say(f"CHATHISTORY {request_.format(*stamps)}"))) == wanted


def test_the_last_page_says_that_it_is_the_last(house, told):
    assert told.say("CHATHISTORY LATEST #lobby * 9")[0].startswith("@draft/chathistory-end ")
    assert told.say("CHATHISTORY LATEST #lobby * 8")[0].startswith(":s.example BATCH")
    bare = house.login("bob", "batch", "draft/chathistory")
    assert bare.say("CHATHISTORY LATEST #lobby * 9")[0] == ":s.example BATCH +h chathistory #lobby"


def test_without_batches_lines_come_as_they_are(house, told):
    bob = house.login("bob", "draft/chathistory")
    assert bob.say("CHATHISTORY LATEST #lobby * 1") == [":Alice!u@alice PRIVMSG #lobby :9"]


def test_a_label_is_on_the_batch(house, told):
    bob = house.login("bob", *CAPS, "labeled-response")
    lines = bob.say("@label=x CHATHISTORY LATEST #lobby * 1")
    assert lines[0] == "@label=x :s.example BATCH +h chathistory #lobby"


def test_several_lines_are_a_batch_in_the_batch(house, told):
    bob = house.login("bob", *CAPS, "draft/multiline")
    bob.say(
        "BATCH +1 draft/multiline #lobby", "@batch=1 PRIVMSG #lobby :a", "@batch=1 PRIVMSG #lobby :b", "BATCH -1"
    )
    lines = bob.say("CHATHISTORY LATEST #lobby * 1")
    reference = lines[1].split(" BATCH +")[1].split()[0]
    assert lines[1].startswith("@batch=h;time=")
    assert [line.split()[0] for line in lines[2:4]] == [f"@batch={reference}"] * 2
    assert lines[4] == f"@batch=h :bob!u@bob BATCH -{reference}"
    plain = house.login("carol", *CAPS).say("CHATHISTORY LATEST #lobby * 1")
    assert [line.startswith("@batch=h") for line in plain] == [False, True, True, False]


def test_events_are_for_those_who_ask(house):
    bob, carol = house.login("bob", *CAPS), house.login("carol", *CAPS, "draft/event-playback", "extended-join")
    bob.say("JOIN #x", "TOPIC #x :t", "PRIVMSG #x :hello")
    carol.say("JOIN #x")
    bob.say("MODE #x +v carol", "KICK #x carol :out", "@+draft/react=y TAGMSG #x")
    carol.say("JOIN #x")
    assert texts(bob.say("CHATHISTORY LATEST #x * 50")) == ["hello"]
    lines = carol.say("CHATHISTORY LATEST #x * 50")[1:-1]
    assert [line.split(" ", 2)[2] for line in lines] == [
        *("JOIN #x bob :bob Person", "TOPIC #x :t", "PRIVMSG #x :hello", "JOIN #x carol :carol Person"),
        *("MODE #x +v carol", "KICK #x carol :out", "TAGMSG #x", "JOIN #x carol :carol Person"),
    ]


def test_direct_messages_are_for_both_sides_and_nobody_else(house):
    alice, bob, carol = (house.login(name, *CAPS) for name in ("Alice", "bob", "carol"))
    alice.say("PRIVMSG bob :to bob")
    bob.say("PRIVMSG Alice :to Alice")
    alice.say("PRIVMSG Alice :to myself")
    for who, other in ((alice, "BOB"), (bob, "alice")):
        assert texts(who.say(f"CHATHISTORY LATEST {other} * 9")) == ["to bob", "to Alice"]
    assert texts(alice.say("CHATHISTORY LATEST Alice * 9")) == ["to myself"]
    assert texts(carol.say("CHATHISTORY LATEST bob * 9", "CHATHISTORY LATEST Alice * 9")) == []
    assert "to myself" not in str(bob.say("CHATHISTORY LATEST Alice * 9"))


def test_who_gets_a_name_anew_reads_nothing_of_who_had_it(house):
    alice, bob = house.login("Alice", *CAPS), house.login("bob", *CAPS)
    alice.say("PRIVMSG bob :for the old bob")
    others = [account(name) for name in ("Alice", "carol")]
    house.now += 1000
    people = {one.key: one for one in [*others, account("bob", house.now)]}
    house.run(None, house.hub.accounts_changed(people))
    bob = house.login("bob", *CAPS)
    assert texts(bob.say("CHATHISTORY LATEST Alice * 9")) == []
    assert texts(alice.say("CHATHISTORY LATEST bob * 9")) == ["for the old bob"]
    assert texts(bob.say("SEARCH text=old")) == []


def test_outsiders_read_nothing_and_learn_nothing(house):
    bob, carol = house.login("bob", *CAPS), house.login("carol", *CAPS)
    bob.say("JOIN #x", "PRIVMSG #x :inside", "JOIN #secret", "MODE #secret +s", "PRIVMSG #secret :hidden")
    assert house.login("Alice", *CAPS).say("CHATHISTORY LATEST #x * 9") == [
        ":s.example FAIL CHATHISTORY INVALID_TARGET LATEST #x :Messages could not be retrieved"
    ]
    absent, secret = (carol.say(f"CHATHISTORY LATEST {name} * 9")[0] for name in ("#absent", "#secret"))
    assert absent.replace("#absent", "#secret") == secret
    assert texts(carol.say("SEARCH text=inside", "SEARCH text=hidden")) == []
    assert "#" not in str(carol.say("CHATHISTORY TARGETS timestamp=2000-01-01T00:00:00.000Z "
                                    "timestamp=2100-01-01T00:00:00.000Z 9")).replace("+h", "")  # fmt: skip


@pytest.mark.parametrize("mode", ["+i", "+s", "+k key"])
def test_a_private_channel_is_read_from_ones_joining_on(house, mode):
    bob, carol = house.login("bob", *CAPS), house.login("carol", *CAPS)
    bob.say("JOIN #x", f"MODE #x {mode}", "PRIVMSG #x :before", "INVITE carol #x")
    carol.say("JOIN #x")
    bob.say("PRIVMSG #x :after")
    carol.heard()
    assert texts(carol.say("CHATHISTORY LATEST #x * 9")) == ["after"]
    assert texts(carol.say("SEARCH in=#x")) == ["after"]
    assert texts(bob.say("CHATHISTORY LATEST #x * 9")) == ["before", "after"]
    before = ids(house)["before"]
    assert "INVALID_PARAMS" in carol.say(f"CHATHISTORY AFTER #x msgid={before} 9")[0]
    bob.say("MODE #x -H")
    assert texts(carol.say("CHATHISTORY LATEST #x * 9")) == ["before", "after"]


def test_an_open_channel_is_read_from_its_beginning(house, told):
    assert texts(house.login("carol", *CAPS).say("CHATHISTORY LATEST #lobby * 50")) == list("123456789")


def test_targets_are_ones_conversations_by_their_newest_message(house):
    alice, bob = house.login("Alice", *CAPS), house.login("bob", *CAPS)
    alice.say("PRIVMSG bob :1", "PRIVMSG #lobby :2", "JOIN #empty")
    bob.heard()
    times = [entry.time for entry in house.log if entry.number]
    stamps = [f"2023-11-14T22:13:20.{time % 1000:03}Z" for time in times]
    ask = "CHATHISTORY TARGETS timestamp={} timestamp={} 9"
    lines = bob.say(ask.format("2000-01-01T00:00:00.000Z", "2100-01-01T00:00:00.000Z"))
    assert lines == [
        ":s.example BATCH +h draft/chathistory-targets",
        f"@batch=h :s.example CHATHISTORY TARGETS Alice {stamps[0]}",
        f"@batch=h :s.example CHATHISTORY TARGETS #lobby {stamps[1]}",
        ":s.example BATCH -h",
    ]
    assert "Alice" not in str(bob.say(ask.format(stamps[0], "2100-01-01T00:00:00.000Z")))
    only = bob.say(ask.replace(" 9", " 1").format("2100-01-01T00:00:00.000Z", "2000-01-01T00:00:00.000Z"))
    assert "#lobby" in only[1]
    assert len(only) == 3


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("", "461"),
        ("NEWEST #lobby * 5", "INVALID_PARAMS NEWEST :Unknown command"),
        ("LATEST #lobby *", "INVALID_PARAMS LATEST :Insufficient parameters"),
        ("LATEST #lobby * 5 6", "INVALID_PARAMS LATEST :Too many parameters"),
        ("LATEST #lobby * 0", "INVALID_PARAMS LATEST 0 :"),
        ("LATEST #lobby * x", "INVALID_PARAMS LATEST x :"),
        ("BEFORE #lobby * 5", "INVALID_PARAMS BEFORE * :"),
        ("BEFORE #lobby timestamp=yesterday 5", "INVALID_PARAMS BEFORE yesterday :Invalid timestamp"),
        ("BEFORE #lobby timestamp=2023-11-14T22:13:20 5", "Invalid timestamp"),
        ("BEFORE #lobby msgid=nonsense 5", "INVALID_PARAMS BEFORE #lobby :No message with that id"),
        ("BEFORE #lobby seq=5 5", "INVALID_MSGREFTYPE BEFORE seq=5 :"),
        ("LATEST * * 5", "INVALID_TARGET LATEST * :"),
        ("LATEST #lobby,#x * 5", "INVALID_TARGET"),
        ("LATEST : * 5", "INVALID"),
        ("TARGETS msgid=x timestamp=2000-01-01T00:00:00.000Z 5", "INVALID_PARAMS TARGETS :"),
    ],
)
def test_bad_requests_are_answered_in_a_sentence(house, request_, code):
    (line,) = house.login("bob", *CAPS).say(f"CHATHISTORY {request_}")
    assert code in line


def test_a_page_has_a_limit():
    house = House(history_page=5)
    alice = house.login("Alice", *CAPS)
    alice.say(*(f"PRIVMSG #lobby :{number}" for number in range(9)))
    assert len(texts(alice.say("CHATHISTORY LATEST #lobby * 100"))) == 5


def test_numbers_have_no_gaps_for_those_who_count(house):
    bob = house.login("bob", *CAPS, "securechat/order", "draft/message-redaction", "echo-message")
    carol = house.login("carol", *CAPS)
    live = bob.say("PRIVMSG #lobby :1", "PRIVMSG #lobby :2", "NOTICE #lobby :3", "@+draft/react=y TAGMSG #lobby")
    assert [line.split("securechat/order=")[1][0] for line in live] == list("1234")
    bob.say(f"REDACT #lobby {ids(house)['2']}")
    again = bob.say("CHATHISTORY LATEST #lobby * 50")[1:-1]
    assert [line.split("securechat/order=")[1][0] for line in again] == list("12345")
    assert "securechat/order" not in str(carol.say("CHATHISTORY LATEST #lobby * 50"))


def test_search_by_words_place_sender_and_time(house):
    alice, bob = house.login("Alice", *CAPS), house.login("bob", *CAPS)
    alice.say("PRIVMSG #lobby :Привет, мир", "PRIVMSG #lobby :hello world", "PRIVMSG bob :hello bob")
    bob.say("PRIVMSG #lobby :hello again", "JOIN #x", "PRIVMSG #x :hello x")
    found = bob.say("SEARCH text=hello")
    assert found[0] == ":s.example BATCH +h soju.im/search"
    assert texts(found) == ["hello world", "hello bob", "hello again", "hello x"]
    assert texts(bob.say("SEARCH text=hello;limit=2")) == ["hello again", "hello x"]
    assert texts(bob.say("SEARCH in=#x;text=hello")) == ["hello x"]
    assert texts(bob.say("SEARCH from=ALICE;text=hello")) == ["hello world", "hello bob"]
    assert texts(bob.say("SEARCH text=world\\shello")) == ["hello world"]
    assert texts(bob.say("SEARCH text=МИР")) == ["Привет, мир"]
    assert texts(bob.say("SEARCH after=2100-01-01T00:00:00.000Z;text=hello")) == []
    for bad in ("text=", "in=#elsewhere;text=x", "limit=0;text=x", "before=x;text=x", "color=red", "limit=x"):
        assert bob.say(f"SEARCH {bad}")[0].startswith(":s.example FAIL SEARCH INVALID_PARAMS"), bad
