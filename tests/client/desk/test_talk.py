"""The desk by plain calls: what is new, what waits, what is asked."""

from __future__ import annotations

import re

import pytest

from securechat.client.desk.entries import State

T = "2023-11-14T22:13:2{}.000Z"


def line(number, text, who="bob", where="#lobby", tags=""):
    head = f"@time={T.format(number)};msgid=m{number};securechat/order={number}{tags}"
    return f"{head} :{who}!u@b PRIVMSG {where} :{text}"


def test_a_login_shows_the_lobby(scene):
    assert scene.desk.here.name == "#lobby"
    assert scene.talk.ready
    assert scene.talk.tls == "TLS 1.3"


def test_what_comes_is_shown_and_read(scene):
    scene.hear(line(1, "hello"))
    assert scene.texts() == ["hello"]
    scene.talk.tick()
    assert f"MARKREAD #lobby :timestamp={T.format(1)}" in scene.sender.take()


def test_what_comes_elsewhere_is_counted_and_called(scene):
    scene.hear(line(1, "psst", where="alice"))
    bob = scene.desk.open("bob")
    assert (bob.unread, bob.mentions) == (1, 1)
    assert [one.where for one in scene.desk.notices] == ["bob"]
    assert scene.desk.next_unread() == "bob"
    scene.talk.look("bob")
    assert bob.line == 0 or bob.line < bob.entries[0].time
    assert bob.unread == 0


def test_a_mention_is_counted_and_a_muted_one_calls_nobody(scene):
    scene.desk.look("")
    scene.desk.open("#lobby").muted = True
    scene.hear(line(1, "Alice: tea?"), line(2, "malice is no mention"))
    assert (scene.desk.open("#lobby").unread, scene.desk.open("#lobby").mentions) == (2, 1)
    assert scene.desk.notices == []


def test_what_i_say_waits_until_it_is_kept(scene):
    scene.talk.submit("hello")
    assert scene.sender.take()[-1] == "@label=key-1;+securechat/key=key-1 PRIVMSG #lobby :hello"
    (waiting,) = scene.desk.here.pending
    assert waiting.state is State.WAITING
    scene.hear(line(1, "hello", who="alice", tags=";label=key-1"))
    assert scene.desk.here.pending == []
    assert scene.texts() == ["hello"]


def test_what_is_typed_offline_is_sent_once(scene):
    scene.lose()
    scene.talk.submit("one")
    scene.talk.submit("two")
    assert scene.sender.take() == []
    assert [one.text for one in scene.desk.here.pending] == ["one", "two"]
    scene.log_in()
    scene.talk.submit("three")
    assert sum("PRIVMSG #lobby :one" in one for one in scene.sender.said) == 0  # settled already
    assert len(scene.talk.waiting) == 3


def test_an_echo_that_came_with_what_was_missed_is_no_double(scene):
    scene.talk.submit("one")
    scene.lose()
    scene.hear(line(1, "one", who="alice"))
    scene.hear(line(1, "one", who="alice", tags=";label=key-1"))
    assert scene.texts() == ["one"]


def test_a_refusal_says_why(scene):
    scene.talk.submit("hello")
    scene.hear("@label=key-1 :s 404 alice #lobby :Cannot send to channel")
    (refused,) = scene.desk.here.entries
    assert (refused.state, refused.why) == (State.REFUSED, "Cannot send to channel")
    assert len(scene.talk.waiting) == 0


def test_several_lines_are_one_message(scene):
    scene.talk.submit("one\n\ntwo")
    assert scene.sender.take() == [
        "@label=key-1;+securechat/key=key-1 BATCH +key-1 draft/multiline :#lobby",
        "@batch=key-1 PRIVMSG #lobby :one",
        "@batch=key-1 PRIVMSG #lobby :",
        "@batch=key-1 PRIVMSG #lobby :two",
        "BATCH :-key-1",
    ]
    scene.hear(
        f"@label=key-1;time={T.format(1)};msgid=m1;securechat/order=1 :alice!u@a BATCH +m draft/multiline #lobby",
        "@batch=m :alice!u@a PRIVMSG #lobby :one",
        "@batch=m :alice!u@a PRIVMSG #lobby :",
        "@batch=m :alice!u@a PRIVMSG #lobby :two",
        ":alice!u@a BATCH -m",
    )
    assert scene.texts() == ["one\n\ntwo"]
    assert scene.desk.here.pending == []


def test_what_is_too_long_stays_in_the_input(scene):
    assert scene.talk.submit("x\n" * 200 + "y") is None
    assert scene.desk.here.pending == []


def test_history_comes_at_the_login_and_once(fresh):
    fresh.log_in(history=[line(1, "old"), line(2, "older than new")])
    assert fresh.texts() == ["old", "older than new"]
    fresh.hear(line(3, "new"))
    assert fresh.texts() == ["old", "older than new", "new"]
    assert fresh.desk.here.complete


def test_the_read_marker_says_what_is_new(fresh):
    fresh.desk.watched = False
    fresh.log_in(history=[line(1, "read"), line(2, "new")])
    fresh.hear(f":s MARKREAD #lobby timestamp={T.format(1)}")
    assert fresh.desk.here.unread == 1


def test_reactions_replies_and_what_is_taken_back(scene):
    scene.hear(line(1, "tea?"), line(2, "yes", tags=";+draft/reply=m1"))
    scene.hear("@+draft/react=👍;+draft/reply=m1;securechat/order=3;msgid=r1 :bob!u@b TAGMSG #lobby")
    first, second = scene.desk.here.entries
    assert first.reactions == {"👍": ["bob"]}
    assert second.reply == "m1"
    scene.talk.react(first, "👍")
    (sent,) = scene.sender.take()
    assert re.fullmatch(
        r"@label=keyq\d;\+draft/react=👍;\+draft/reply=m1;\+securechat/key=\w+ TAGMSG :#lobby", sent
    )
    scene.talk.redact(first)
    (sent,) = scene.sender.take()
    assert re.fullmatch(r"@label=keyq\d REDACT #lobby :m1", sent)
    scene.hear("@securechat/order=4 :bob!u@b REDACT #lobby m1")
    assert first.redacted
    assert first.text == ""


def test_typing_is_told_now_and_then(scene):
    scene.talk.typing("h")
    scene.talk.typing("he")
    assert scene.sender.take() == ["@+typing=active TAGMSG :#lobby"]
    scene.talk.typing("")
    assert scene.sender.take() == ["@+typing=done TAGMSG :#lobby"]
    scene.hear("@+typing=active :bob!u@b TAGMSG #lobby")
    assert scene.desk.here.typists(scene.now) == ["bob"]
    assert scene.desk.here.typists(scene.now + 7000) == []


def test_a_search_is_the_servers(scene):
    found = []
    scene.talk.library.search("tea", "", found.extend)
    (asked,) = scene.sender.take()
    assert asked.endswith("SEARCH :text=tea;limit=50")
    label = asked.split(" ")[0]
    scene.hear(f"{label} :s BATCH +x soju.im/search", "@batch=x;" + line(1, "tea!")[1:], ":s BATCH -x")
    assert [(one.where, one.entry.text) for one in found] == [("#lobby", "tea!")]


@pytest.mark.parametrize("word", ["выход", "/выход", "/quit"])
def test_leaving(scene, word):
    scene.talk.submit(word)
    assert scene.sender.closed


def test_commands_of_the_screen_are_given_to_it(scene):
    assert scene.talk.submit("/date 2026-01-31").action == ("date", "2026-01-31")


def test_hostile_text_is_tame(scene):
    scene.hear(line(1, "a\x1b]0;t\x07\u202eb\u200bc" + "e" + "\u0301" * 50))
    text = scene.texts()[0]
    assert text == "abce" + "\u0301" * 3
