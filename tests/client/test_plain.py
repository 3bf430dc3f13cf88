"""The commands about messages in the line client, by plain calls."""

from __future__ import annotations

import pytest
from helpers.session import Scene

from securechat.client.errors import LostError
from securechat.client.events import Interrupted, LoggedIn, Received
from securechat.client.resume import NEEDED
from securechat.client.settings import Endpoint
from securechat.protocol.message import parse

T = "2023-11-14T22:13:2{}.000Z"


def line(number, text, who="bob", where="#lobby", tags=""):
    head = f"@time={T.format(number)};msgid=m{number};securechat/order={number}{tags}"
    return f"{head} :{who}!u@b PRIVMSG {where} :{text}"


class Talking(Scene):
    def ask(self, typed):
        """Type a command that asks the server; give the label and what was asked."""
        assert self.type(typed) == []
        label, _, asked = self.sender.take()[-1].removeprefix("@label=").partition(" ")
        return label, asked

    def answer(self, label, *lines, kind="chathistory"):
        pieces = [f"@batch=x;{one.removeprefix('@')}" for one in lines]
        return self.hear(f"@label={label} :s BATCH +x {kind}", *pieces, ":s BATCH -x")

    def come_in(self):
        caps = NEEDED | {"draft/multiline"}
        self.session.receive(LoggedIn(Endpoint("::1", 6697), "TLSv1.3", "alice", caps))
        self.hear(":alice!u@a JOIN #lobby", ":s PONG s :securechat-welcomed")
        self.answer("ask-1")
        self.hear(":s PONG s :securechat-settled")
        self.sender.all = self.sender.take()

    def lose(self):
        self.session.receive(Interrupted(LostError("The connection was lost."), 300))


@pytest.fixture
def scene():
    made = Talking()
    made.come_in()
    return made


def test_an_answer_goes_to_the_last_message_of_somebody_else(scene):
    scene.hear(line(1, "tea?"), line(2, "mine", who="alice"))
    assert scene.type("/reply yes please") == []
    assert scene.sender.take()[-1].endswith(";+draft/reply=m1 PRIVMSG #lobby :yes please")


def test_an_answer_says_to_whom(scene):
    scene.hear(line(1, "tea?", who="alice"))
    assert scene.hear(line(2, "yes", tags=";+draft/reply=m1")) == ["#lobby <bob> (answering alice) yes"]


def test_reactions_are_sent_and_told(scene):
    scene.hear(line(1, "tea?"))
    scene.type("/react 👍")
    assert "+draft/react=👍;+draft/reply=m1;+securechat/key=" in scene.sender.take()[-1]
    told = scene.hear("@+draft/react=👍;+draft/reply=m1;msgid=r;securechat/order=2 :bob!u@b TAGMSG #lobby")
    assert told == ["-- bob reacts 👍 to bob: tea?"]


def test_taking_back_is_about_the_last_message_of_ours(scene):
    scene.hear(line(1, "mine", who="alice"), line(2, "theirs"))
    _, asked = scene.ask("/redact")
    assert asked == "REDACT #lobby :m1"
    assert scene.hear("@securechat/order=3 :alice!u@a REDACT #lobby m1") == ["-- alice took back: mine"]
    assert scene.type("/redact") == ["!! There is no message of yours to take back."]


def test_what_is_found_is_printed_with_its_place(scene):
    label, asked = scene.ask("/search strong tea")
    assert asked == "SEARCH :text=strong\\stea;limit=50"
    found = scene.answer(label, line(1, "strong tea"), kind="soju.im/search")
    assert found == ["-- 1 message from the log:", "#lobby <bob> strong tea", "-- That is all of it."]
    label, _ = scene.ask("/search coffee")
    assert scene.answer(label, kind="soju.im/search") == ["-- Nothing was found."]
    label, _ = scene.ask("/search x")
    assert scene.hear(f"@label={label} :s FAIL SEARCH INTERNAL_ERROR :No") == ["!! No"]


def test_a_day_is_printed_from_its_beginning(scene):
    label, asked = scene.ask("/date 2023-11-14T00:00:00+00:00")
    assert asked == "CHATHISTORY AFTER #lobby timestamp=2023-11-14T00:00:00.000Z :100"
    assert scene.answer(label, line(1, "old"))[1:-1] == ["#lobby <bob> old"]
    assert scene.type("/date soon")[0].startswith("!! Type the day as in")


def test_what_is_new_is_what_no_device_has_read(scene):
    label, asked = scene.ask("/unread")
    assert asked == "MARKREAD :#lobby"
    scene.hear(f"@label={label} :s MARKREAD #lobby timestamp={T.format(1)}")
    label, _, asked = scene.sender.take()[-1].removeprefix("@label=").partition(" ")
    assert asked == f"CHATHISTORY AFTER #lobby timestamp={T.format(1)} :100"
    assert scene.answer(label, line(2, "new"))[1:-1] == ["#lobby <bob> new"]
    assert scene.sender.take()[-1] == f"MARKREAD #lobby :timestamp={T.format(2)}"


def test_talking_with_one_person(scene):
    assert scene.type("/open bob") == ["-- you talk with bob now"]
    assert scene.session.prompt == "bob> "
    scene.type("psst")
    assert scene.sender.take()[-1].endswith(" PRIVMSG bob :psst")
    assert scene.hear(line(1, "yes?", where="alice")) == ["bob -> you: yes?"]
    scene.type("/reply hi")
    assert scene.sender.take()[-1].endswith("+draft/reply=m1 PRIVMSG bob :hi")
    assert scene.type("/close") == ["-- you talk in #lobby now"]
    assert scene.type("/close") == ["!! You are in this channel: /part leaves it."]
    assert scene.type("/open #elsewhere") == ["!! You are not in #elsewhere: /join enters it."]


def test_a_mute_channel_prints_only_what_names_us(scene):
    assert scene.type("/mute") == ["-- #lobby is mute now."]
    assert scene.hear(line(1, "noise"), line(2, "Alice: tea?")) == ["#lobby <bob> Alice: tea?"]
    assert scene.type("/mute") == ["-- #lobby is not mute any more."]
    assert scene.hear(line(3, "noise")) == ["#lobby <bob> noise"]


@pytest.mark.parametrize(
    "typed", ["/unread", "/date 2026-01-31", "/reply x", "/react x", "/redact", "/mute", "/link"]
)
def test_who_is_nowhere_is_told_so(scene, typed):
    scene.hear(":alice!u@a PART #lobby")
    assert scene.type(typed) == ["!! You are in no channel: /join #name first."]


def test_an_answer_that_comes_when_we_are_nowhere_does_no_harm(scene):
    label, _ = scene.ask("/unread")
    scene.hear(":alice!u@a PART #lobby")
    scene.hear(f"@label={label} :s MARKREAD #lobby *")
    label, _, asked = scene.sender.take()[-1].removeprefix("@label=").partition(" ")
    assert asked.startswith("CHATHISTORY AFTER #lobby")


def test_what_is_typed_offline_waits_and_is_shown(scene):
    scene.lose()
    assert scene.type("later") == ["-- waiting: later"]
    assert scene.type("/msg bob psst") == ["-- waiting: /msg bob psst"]
    assert scene.type("/topic x")[0].startswith("!! Not connected, so /topic was not sent")
    assert scene.type("/help quit")[0].startswith("-- /quit")
    assert scene.sender.take() == []
    assert [(one.target, one.text) for one in scene.session.waiting] == [("#lobby", "later"), ("bob", "psst")]
    assert scene.type("выход") == []
    assert scene.sender.closed


def test_what_waited_is_said_with_its_key_by_the_next_program(scene):
    scene.hear(line(1, "tea?"))
    scene.lose()
    scene.type("/reply yes")
    (waiting,) = scene.session.waiting
    assert (waiting.text, waiting.reply) == ("yes", "m1")
    later = Talking()
    assert later.plain(later.session.take_up(waiting, "alice")) == ["-- waiting: yes"]
    later.come_in()
    (said,) = [one for one in later.sender.all if "PRIVMSG" in one]
    assert said == f"@label={waiting.key};+securechat/key={waiting.key};+draft/reply=m1 PRIVMSG #lobby :yes"
    later.hear(line(2, "yes", who="alice", tags=f";label={waiting.key}"))
    assert later.session.waiting == []


def test_a_paste_of_several_lines_is_one_message(scene):
    assert scene.type("one\n/two\n\nthree") == []
    said = scene.sender.take()
    assert said[0].endswith(" BATCH +t-1 draft/multiline :#lobby".replace("t-1", said[0][7:].split(";")[0]))
    assert [one.rpartition(":")[2] for one in said[1:-1]] == ["one", "/two", "", "three"]
    assert scene.type("x\n" * 200 + "y")[0].startswith("!! Not sent: a message has at most")
    told = scene.session.receive(
        Received(
            tuple(
                parse(one.encode())
                for one in (
                    f"@time={T.format(1)};msgid=m1;securechat/order=1 :bob!u@b BATCH +m draft/multiline #lobby",
                    "@batch=m :bob!u@b PRIVMSG #lobby :one",
                    "@batch=m :bob!u@b PRIVMSG #lobby :#lobby <alice> two",
                    ":bob!u@b BATCH -m",
                )
            )
        )
    )
    assert told[0].endswith("#lobby <bob> one\n        #lobby <alice> two")


def test_links_are_printed_alone(scene):
    assert scene.type("/link")[0].startswith("!!")
    scene.hear(line(1, "see https://a.example/x, or not"))
    assert scene.type("/link") == ["-- https://a.example/x"]


@pytest.mark.parametrize(
    "typed", ["/reply", "/react", "/search", "/open", "/open a b", "/reply yes", "/theme dark"]
)
def test_what_cannot_be_done_is_said(scene, typed):
    (problem,) = scene.type(typed)
    assert problem.startswith("!! ")
    assert scene.sender.take() == []


def test_who_reads_from_a_pipe_waits_for_the_answer():
    scene = Talking(barrier=True)
    scene.session.receive(LoggedIn(Endpoint("::1", 6697), "TLSv1.3", "alice", NEEDED))
    scene.hear(":alice!u@a JOIN #lobby", ":s PONG s :securechat-welcomed")
    scene.answer("ask-1")
    scene.hear(":s PONG s :securechat-settled")
    label, _ = scene.ask("/search tea")
    scene.session.leave()
    assert scene.sender.take() == []
    scene.answer(label, line(1, "tea"), kind="soju.im/search")
    assert scene.sender.take() == ["PING :securechat-all-said"]


def test_memory_ends_somewhere(scene):
    from securechat.client.plain import REMEMBERED

    for number in range(1, REMEMBERED + 9):
        scene.hear(f"@msgid=m{number};securechat/order={number} :bob!u@b PRIVMSG #lobby :x")
    assert len(scene.session._plain._heard) == REMEMBERED
