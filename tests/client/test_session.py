"""What a line client does with events and typed lines, by plain calls."""

from __future__ import annotations

import pytest
from helpers.session import Scene

from securechat.client.errors import LostError
from securechat.client.events import Closed, Interrupted, LoggedIn
from securechat.client.resume import NEEDED
from securechat.client.session import MAX_HELD
from securechat.client.settings import Endpoint


@pytest.fixture
def scene():
    """A session that is in the lobby."""
    made = Scene()
    made.log_in()
    made.hear(":alice!u@a JOIN #lobby")
    made.settle()
    return made


def test_the_first_line():
    scene = Scene()
    assert scene.session.prompt == "> "
    assert scene.log_in() == ["Connected to [::1]:6697 (TLS 1.3) as alice. Try /help."]


def test_talking(scene):
    assert scene.session.prompt == "#lobby> "
    assert scene.type("hello") == []
    assert scene.sender.take() == ["PRIVMSG #lobby :hello"]
    assert scene.hear(":alice!u@a PRIVMSG #lobby :hello", ":bob!u@b PRIVMSG #lobby :hi") == [
        "#lobby <alice> hello",
        "#lobby <bob> hi",
    ]


def test_what_is_typed_before_we_know_where_we_are_waits():
    scene = Scene()
    scene.log_in()
    assert scene.type("early") == []
    scene.hear(":alice!u@a JOIN #lobby")
    assert not scene.session.ready
    scene.settle()
    assert scene.session.ready
    assert scene.sender.take() == ["PRIVMSG #lobby :early"]


def test_what_is_typed_behind_a_join_goes_to_the_new_channel(scene):
    scene.type("/join #x")
    scene.type("for x")
    scene.type("/part")
    scene.type("for the lobby")
    assert scene.sender.said == ["JOIN :#x", "PING :securechat-settled"]
    scene.hear(":alice!u@a JOIN #x")
    scene.settle()
    assert scene.sender.said[1:] == ["PRIVMSG #x :for x", "PART :#x", "PING :securechat-settled"]
    scene.hear(":alice!u@a PART #x")
    scene.settle()
    assert scene.sender.said[-1] == "PRIVMSG #lobby :for the lobby"


def test_a_refused_join_leaves_text_where_it_was(scene):
    scene.type("/join #x")
    scene.type("still here")
    scene.hear(":s 403 alice #x :No such channel")
    scene.settle()
    assert scene.sender.said[-1] == "PRIVMSG #lobby :still here"


def test_not_more_than_so_many_lines_wait(scene):
    scene.type("/join #x")
    for number in range(MAX_HELD):
        assert scene.type(f"{number}") == []
    assert scene.type("one more")[0].startswith("!! Not sent")


def test_leaving_behind_lines_that_wait(scene):
    scene.type("/join #x")
    scene.type("for x")
    scene.type("/quit bye")
    scene.hear(":alice!u@a JOIN #x")
    scene.settle()
    assert scene.sender.take() == ["JOIN :#x", "PRIVMSG #x :for x", "QUIT :bye"]
    assert scene.sender.closed


def test_what_was_typed_behind_a_word_that_leaves_is_not_said(scene):
    scene.type("/join #x")
    scene.type("/quit")
    scene.type("behind it")
    scene.settle()
    assert scene.sender.take() == ["JOIN :#x", "QUIT"]
    assert scene.sender.closed


def test_a_key_that_leaves_does_not_drop_lines_that_wait(scene):
    scene.type("/join #x")
    scene.type("for x")
    scene.session.leave()
    assert not scene.sender.closed
    scene.hear(":alice!u@a JOIN #x")
    scene.settle()
    assert scene.sender.take() == ["JOIN :#x", "PRIVMSG #x :for x", "QUIT"]
    assert scene.sender.closed


def test_a_pasted_block_is_text(scene):
    scene.type("first\n/quit\n\nвыход\n// comment")
    assert scene.sender.take() == [
        "PRIVMSG #lobby :first",
        "PRIVMSG #lobby :/quit",
        "PRIVMSG #lobby :выход",
        "PRIVMSG #lobby :// comment",
    ]
    assert not scene.session.leaving


def test_a_full_outbox_is_told(scene):
    scene.sender.full = True
    (line,) = scene.type("hello")
    assert line.startswith("!! Not sent: the server is behind")
    assert scene.session.ready


def test_quitting(scene):
    scene.type("выход")
    assert scene.session.leaving
    assert (scene.sender.take(), scene.sender.closed) == (["QUIT"], True)
    scene.type("not heard any more")
    scene.session.leave()
    scene.session.leave(at_once=True)
    assert scene.sender.take() == []
    scene.session.receive(Closed(None))
    assert (scene.session.over, scene.session.error) == (True, None)


def test_quitting_behind_a_barrier():
    scene = Scene(barrier=True)
    scene.log_in()
    scene.hear(":alice!u@a JOIN #lobby")
    scene.settle()
    scene.type("last words")
    scene.session.leave()
    assert scene.sender.take() == ["PRIVMSG #lobby :last words", "PING :securechat-all-said"]
    scene.hear(":s PONG s :something else")
    assert not scene.sender.closed
    assert scene.hear(":alice!u@a PRIVMSG #lobby :last words", ":s PONG s :securechat-all-said") == [
        "#lobby <alice> last words"
    ]
    assert (scene.sender.take(), scene.sender.closed) == (["QUIT"], True)


def test_at_once_means_at_once():
    scene = Scene(barrier=True)
    scene.log_in()
    scene.session.leave()
    scene.session.leave(at_once=True)
    assert scene.sender.closed
    assert scene.sender.take()[-1] == "QUIT"
    scene.hear(":s PONG s :securechat-settled", ":s PONG s :securechat-all-said")
    assert scene.sender.said == []


def test_leaving_before_the_login():
    scene = Scene()
    scene.session.leave()
    assert (scene.sender.said, scene.sender.closed) == ([], True)


def test_lines_without_an_echo_are_named_when_the_connection_is_lost(scene):
    scene.type("kept")
    scene.type("/me dances")
    scene.type("/msg bob psst")
    scene.type("/msg nobody refused")
    scene.type("not kept")
    scene.type("/join #x")
    scene.type("not said")
    scene.hear(":alice!u@a PRIVMSG #lobby :kept", ":alice!u@a PRIVMSG #lobby :\x01ACTION dances\x01")
    scene.hear(":s 401 alice nobody :No such nick")
    scene.hear(":bob!u@b PRIVMSG alice :psst")  # not ours, though it sounds the same
    lines = scene.session.receive(Closed(LostError("gone")))
    assert scene.plain(lines) == [
        "!! Perhaps not sent: psst",
        "!! Perhaps not sent: not kept",
        "!! Perhaps not sent: not said",
    ]


def test_nothing_is_named_after_an_end_that_was_wanted(scene):
    scene.type("hello")
    assert scene.session.receive(Closed(None)) == []


def test_a_lost_connection(scene):
    error = LostError("The connection was lost: the server is gone.")
    assert scene.session.receive(Closed(error)) == []
    assert scene.session.error is error
    assert scene.session.leaving


class TestAgain:
    """A server on which a session can go on where it was."""

    @staticmethod
    def line(number, text, more=""):
        return f"@msgid=m{number};securechat/order={number}{more} :alice!u@a PRIVMSG #lobby :{text}"

    @staticmethod
    def log_in(scene):
        return scene.plain(
            scene.session.receive(LoggedIn(Endpoint("::1", 6697), "TLSv1.3", "alice", NEEDED | {"echo-message"}))
        )

    @pytest.fixture
    def lasting(self):
        """In the lobby, with its first line seen."""
        scene = Scene(barrier=True)
        self.log_in(scene)
        scene.hear(":s PONG s :securechat-welcomed", ":s PONG s :securechat-settled", ":alice!u@a JOIN #lobby")
        scene.hear("@label=ask-1 :s BATCH +h chathistory #lobby", ":s BATCH -h", self.line(1, "one"))
        scene.sender.take()
        return scene

    def interrupt(self, scene):
        lost = Interrupted(LostError("The connection was lost: the server is gone.", again=True), 300)
        return scene.plain(scene.session.receive(lost))

    def test_what_is_missing_is_said(self, lasting):
        assert lasting.hear(self.line(4, "four")) == []
        said = lasting.hear("@label=ask-2 :s BATCH +h chathistory #lobby", ":s BATCH -h")
        assert said == ["!! 2 lines from #lobby are missing.", "#lobby <alice> four"]

    def test_it_goes_on_where_it_was(self, lasting):
        lasting.type("two")
        assert len(lasting.sender.take()) == 1
        assert self.interrupt(lasting) == [
            "!! The connection was lost: the server is gone; trying again for 300 seconds."
        ]
        assert lasting.type("three") == []
        assert self.log_in(lasting) == ["-- Connected again."]
        # The welcome was shown the first time.
        assert (
            lasting.hear(":alice!u@a JOIN #lobby", ":s 353 alice = #lobby :alice", ":s 366 alice #lobby :") == []
        )
        asked = lasting.sender.take()
        lasting.hear(":s PONG s :securechat-welcomed", ":s PONG s :securechat-settled")
        label = next(line for line in asked if "AFTER" in line).partition(" ")[0]
        lasting.hear(f"{label} :s BATCH +h chathistory #lobby", ":s BATCH -h")
        said = [line.partition(" :")[2] for line in lasting.sender.take() if "PRIVMSG" in line]
        assert said == ["two", "three"]

    def test_it_leaves_when_all_is_confirmed(self, lasting):
        lasting.type("two")
        key = lasting.sender.take()[0].partition(";")[0].removeprefix("@")
        lasting.session.leave()
        assert lasting.sender.take() == []
        lasting.hear(self.line(2, "two", f";{key}"))
        assert lasting.sender.take() == ["PING :securechat-all-said"]

    def test_what_cannot_be_kept_is_not_said_again(self, lasting):
        lasting.type("two")
        key = lasting.sender.take()[0].partition(";")[0]
        assert lasting.hear(f"{key} :s FAIL PRIVMSG NOT_STORED :Not accepted") == ["!! Not accepted"]
        assert lasting.session.receive(Closed(LostError("gone"))) == []

    def test_who_leaves_meanwhile_is_told_what_was_not_sent(self, lasting):
        lasting.type("two")
        self.interrupt(lasting)
        lasting.session.leave(at_once=True)
        assert lasting.plain(lasting.session.receive(Closed(None))) == ["!! Perhaps not sent: two"]
