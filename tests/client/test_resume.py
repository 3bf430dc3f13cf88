"""Going on after a lost connection: every line once and in order, gaps told, unconfirmed lines said again."""

import pytest

from securechat.client.places import MAX_WAITING, Gap
from securechat.client.resume import MAX_TRIES, NEEDED, Resume, Resumed
from securechat.client.unacknowledged import MAX_UNACKNOWLEDGED, Kept, Refused
from securechat.protocol.message import Message, parse, parse_tags

EPOCH = "1970-01-01T00:00:00.000Z"

SETTLED = Kept | Refused


def line(number, target="#a", msgid=None, sender="bob", more="", text=None):
    msgid = f"m{number}" if msgid is None else msgid
    when = f"2026-01-01T00:00:{number % 60:02}.000Z"
    tags = f"time={when};msgid={msgid};securechat/order={number}{more}"
    return f"@{tags} :{sender}!u@h PRIVMSG {target} :{text or number}"


class Scene:
    def __init__(self, **how):
        self.resume = Resume("t", **how)
        self.given = []
        self.asked = []

    def login(self, *channels, caps=NEEDED):
        self.sent(self.resume.connected("alice", caps))
        for channel in channels:
            self.feed(f"@time=2026-01-01T00:00:00.000Z :alice!u@h JOIN {channel}")

    def sent(self, lines):
        self.asked += [parse(one.removesuffix(b"\r\n")) for one in lines]

    def feed(self, *lines):
        for one in lines:
            step = self.resume.feed(parse(one.encode(), 8191))
            self.sent(step.lines)
            self.given += step.given

    def welcome(self):
        self.feed(":s PONG s :securechat-welcomed")

    def ask(self):
        """The next request; others than CHATHISTORY are dropped."""
        while self.asked:
            request = self.asked.pop(0)
            if request.command == "CHATHISTORY":
                return parse_tags(request.tags)["label"], request.params
        return None, []

    def answer(self, *lines, want, end=True, kind="chathistory"):
        """Answer the next request, which must be `want`."""
        label, params = self.ask()
        assert " ".join(params) == want
        tag = "draft/chathistory-end;" if end else ""
        self.feed(f"@label={label};{tag}x :s BATCH +h {kind} x")
        self.feed(*(f"@batch=h;{one[1:]}" if one.startswith("@") else f"@batch=h {one}" for one in lines))
        self.feed(":s BATCH -h")

    def fail(self, want, code="INVALID_PARAMS"):
        label, params = self.ask()
        assert " ".join(params) == want
        self.feed(f"@label={label} :s FAIL CHATHISTORY {code} AFTER x :No")

    def texts(self):
        """What was given since then: texts of messages, the rest as it is; who comes and goes is left out."""
        given, self.given = self.given, []
        return [
            one.params[1]
            if isinstance(one, Message)
            else (*one[:3], type(one))
            if isinstance(one, SETTLED)
            else one
            for one in given
            if not (isinstance(one, Message) and one.command in ("JOIN", "PART")) and not isinstance(one, Resumed)
        ]


@pytest.fixture
def scene():
    """In #a, lines 5 and 6 seen."""
    scene = Scene()
    scene.login("#a")
    scene.answer(line(4), want="LATEST #a * 1")
    scene.welcome()
    scene.feed(line(5), line(6))
    assert scene.texts() == ["5", "6"]
    return scene


def again(scene, *, listed=()):
    """A new connection, up to where channels are asked for."""
    scene.resume.lost()
    scene.login("#a")
    told = [f":s CHATHISTORY TARGETS {name} 2026-01-01T00:00:30.000Z" for name in listed]
    since = "2026-01-01T00:00:05.999Z" if not listed else None
    label, params = scene.ask()
    assert params[0] == "TARGETS"
    if since:
        assert params[1] == f"timestamp={since}"
    scene.feed(f"@label={label} :s BATCH +t draft/chathistory-targets")
    scene.feed(*(f"@batch=t {one}" for one in told), ":s BATCH -t")
    return scene


def test_missed_lines_come_before_new_ones_and_once(scene):
    again(scene)
    scene.feed(line(8), line(9))
    assert scene.texts() == []
    scene.answer(line(7), line(8), want="AFTER #a msgid=m6 200")
    assert scene.texts() == ["7", "8", "9"]
    scene.welcome()
    assert scene.resume.ready
    scene.feed(line(10))
    assert scene.texts() == ["10"]


def test_pages(scene):
    again(scene)
    scene.answer(line(7), line(8), want="AFTER #a msgid=m6 200", end=False)
    scene.answer(line(9), want="AFTER #a msgid=m8 200")
    assert scene.texts() == ["7", "8", "9"]


def test_nothing_is_given_twice(scene):
    scene.feed(line(6), line(5))
    assert scene.texts() == []


def test_a_message_of_several_lines(scene):
    scene.feed(line(7, text="one"), "@securechat/order=7 :bob!u@h PRIVMSG #a :two")
    assert scene.texts() == ["one", "two"]
    scene.feed(line(7, text="one"), "@securechat/order=7 :bob!u@h PRIVMSG #a :two", line(8))
    assert scene.texts() == ["8"]


def test_what_was_taken_back_leaves_no_gap(scene):
    again(scene)
    scene.answer("@securechat/order=7 :bob!u@h REDACT #a m7", line(8), want="AFTER #a msgid=m6 200")
    assert scene.texts() == ["m7", "8"]


def test_a_gap_that_history_has_too(scene):
    again(scene)
    scene.answer(line(9), want="AFTER #a msgid=m6 200")
    assert scene.texts() == [Gap("#a", 7, 8), "9"]


def test_a_jump_in_live_lines_is_looked_up_first(scene):
    scene.feed(line(9))
    assert scene.texts() == []
    scene.answer(line(7), line(8), line(9), want="AFTER #a msgid=m6 200")
    assert scene.texts() == ["7", "8", "9"]
    scene.feed(line(11))
    scene.answer(line(11), want="AFTER #a msgid=m9 200")
    assert scene.texts() == [Gap("#a", 10, 10), "11"]


def test_a_forgotten_message_is_looked_for_by_its_time(scene):
    again(scene)
    scene.fail("AFTER #a msgid=m6 200")
    scene.answer(line(7), want="AFTER #a timestamp=2026-01-01T00:00:05.999Z 200")
    assert scene.texts() == ["7"]


def test_a_restored_server_goes_back(scene):
    again(scene)
    scene.fail("AFTER #a msgid=m6 200")
    scene.answer(want="AFTER #a timestamp=2026-01-01T00:00:05.999Z 200")
    scene.answer(line(3), want="LATEST #a * 1")
    assert scene.texts() == [Gap("#a", 4, 6, back=True)]
    scene.feed(line(4, msgid="other"))
    assert scene.texts() == ["4"]


def test_a_restored_server_on_which_others_have_spoken_since(scene):
    again(scene)
    scene.fail("AFTER #a msgid=m6 200")
    scene.answer(line(5, msgid="other"), want="AFTER #a timestamp=2026-01-01T00:00:05.999Z 200")
    assert scene.texts() == [Gap("#a", 5, 6, back=True), "5"]


def test_a_log_that_began_anew(scene):
    again(scene)
    scene.fail("AFTER #a msgid=m6 200")
    scene.answer(want="AFTER #a timestamp=2026-01-01T00:00:05.999Z 200")
    scene.answer(want="LATEST #a * 1")
    assert scene.texts() == [Gap("#a", 1, 6, back=True)]


def test_a_reader_that_is_busy_is_asked_again_but_not_for_ever(scene):
    again(scene)
    for _ in range(MAX_TRIES):
        scene.fail("AFTER #a msgid=m6 200", "MESSAGE_ERROR")
    assert scene.ask() == (None, [])
    scene.feed(line(8))
    scene.answer(line(8), want="AFTER #a msgid=m6 200")
    assert scene.texts() == [Gap("#a", 7, 7), "8"]


def test_conversations_that_began_while_we_were_away(scene):
    again(scene, listed=("#a", "carol"))
    scene.feed(line(2, "alice", "c2", "carol"))
    scene.answer(want="AFTER #a msgid=m6 200")
    scene.answer(
        line(1, "alice", "c1", "carol"),
        line(2, "alice", "c2", "carol"),
        want="AFTER carol timestamp=2026-01-01T00:00:05.999Z 200",
    )
    assert scene.texts() == ["1", "2"]


def test_our_own_direct_lines_are_of_the_same_conversation(scene):
    scene.feed(line(1, "carol", "c1", "alice"), line(2, "alice", "c2", "carol"))
    assert scene.texts() == ["1", "2"]
    assert set(scene.resume.places) == {"#a", "carol"}


def test_too_many_new_lines_are_asked_for_like_the_old_ones(scene):
    again(scene)
    scene.feed(*(line(number) for number in range(8, 9 + MAX_WAITING)))
    assert not scene.resume.places["#a"].waiting
    scene.answer(line(7), want="AFTER #a msgid=m6 200")
    scene.answer(line(8), want="AFTER #a msgid=m7 200")
    assert scene.texts() == ["7", "8"]


def test_whole_conversations_from_their_beginning():
    scene = Scene(whole=True)
    scene.login("#a")
    scene.answer(want=f"TARGETS timestamp={EPOCH} timestamp=9999-12-31T23:59:59.999Z 200")
    scene.answer(line(1), line(2), want=f"AFTER #a timestamp={EPOCH} 200")
    assert scene.texts() == ["1", "2"]


def test_a_channel_begins_with_what_is_said_while_it_is_asked_for():
    scene = Scene()
    scene.login("#a")
    scene.feed(line(5))
    scene.answer(line(5), want="LATEST #a * 1")
    assert scene.texts() == ["5"]


def test_a_channel_that_was_left_begins_anew(scene):
    scene.feed(":alice!u@h PART #a", ":alice!u@h JOIN #a")
    scene.answer(line(9), want="LATEST #a * 1")
    scene.feed(line(10))
    assert scene.texts() == ["10"]


class TestSaying:
    def test_an_echo_confirms(self, scene):
        (sent,) = scene.resume.say("#a", "hello")
        assert sent == b"@label=t-1;+securechat/key=t-1 PRIVMSG #a :hello\r\n"
        scene.feed(line(7, sender="alice", more=";label=t-1", text="hello"))
        assert scene.texts() == [("t-1", "#a", "hello", Kept), "hello"]
        assert not scene.resume.unacknowledged

    def test_in_a_batch_too(self, scene):
        scene.resume.say("carol", "hello")
        scene.feed("@label=t-1 :s BATCH +r labeled-response", "@batch=r :s 301 alice carol :is away")
        scene.feed(line(1, "carol", "c1", "alice", ";batch=r", "hello"), ":s BATCH -r")
        assert scene.texts() == ["carol", ("t-1", "carol", "hello", Kept), "hello"]

    def test_without_an_echo_it_is_said_again_behind_what_was_missed(self, scene):
        scene.resume.say("#a", "one")
        again(scene)
        assert scene.resume.say("#a", "two") == []
        scene.welcome()
        scene.answer(line(7, sender="alice", text="one"), want="AFTER #a msgid=m6 200")
        assert [one.params for one in scene.asked] == [["#a", "one"], ["#a", "two"]]
        # The one of them that had arrived comes back with its number, and is not shown again.
        scene.feed(line(7, sender="alice", more=";label=t-1", text="one"))
        scene.feed(line(8, sender="alice", more=";label=t-2", text="two"))
        assert scene.texts() == ["one", ("t-1", "#a", "one", Kept), ("t-2", "#a", "two", Kept), "two"]

    def test_a_refusal_ends_the_wait(self, scene):
        scene.resume.say("#b", "hello")
        scene.feed("@label=t-1 :s 404 alice #b :No")
        assert ("t-1", "#b", "hello", Refused) in scene.texts()
        assert not scene.resume.unacknowledged

    def test_so_does_a_full_disk_whoever_said_it_decides(self, scene):
        scene.resume.say("#a", "hello")
        scene.feed("@label=t-1 :s FAIL PRIVMSG NOT_STORED :Later")
        assert ("t-1", "#a", "hello", Refused) in scene.texts()
        assert not scene.resume.unacknowledged

    def test_there_is_an_end_to_what_waits(self, scene):
        for _ in range(MAX_UNACKNOWLEDGED):
            scene.resume.say("#a", "hello")
        with pytest.raises(OverflowError):
            scene.resume.say("#a", "hello")

    def test_what_fits_no_line_is_not_kept(self, scene):
        with pytest.raises(ValueError, match="fit"):
            scene.resume.say("#a", "x" * 600)
        assert not scene.resume.unacknowledged


def test_another_server_is_let_alone():
    scene = Scene()
    scene.login(caps=NEEDED - {"batch"})
    assert scene.asked == []
    scene.feed(line(5), line(5))
    assert scene.texts() == ["5", "5"]
