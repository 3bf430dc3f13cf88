"""Going on over connections, without any: an engine, a server that is played, and cuts wherever chance will."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.client.engine import Engine, Unanswered
from securechat.client.errors import ClientError, LostError
from securechat.client.events import Closed, Interrupted, LoggedIn, Received
from securechat.client.multiline import CAPABILITY, Joiner
from securechat.client.places import Gap
from securechat.client.questions import Answered
from securechat.client.resume import NEEDED, Resumed
from securechat.client.settings import Endpoint
from securechat.client.unacknowledged import MAX_UNACKNOWLEDGED, Kept, Refused
from securechat.protocol.message import Message, parse, parse_tags

LOGIN = LoggedIn(Endpoint("localhost", 6697), "TLSv1.3", "alice", NEEDED | {CAPABILITY})
LOST = Interrupted(LostError("lost", again=True), 300)


class House:
    """A server with one channel that keeps each key once, and the wires to and from one engine."""

    def __init__(self):
        self.log = []  # of (key, sender, text)
        self.up = []  # lines that have left the engine
        self.down = []  # lines on their way to it
        self.open = True
        self._joiner = Joiner()
        self._joined = 0

    # --- what an engine needs of a connection ---

    def post(self, lines):
        if self.open:
            self.up += [line for whole in lines for line in whole.split(b"\r\n")[:-1]]
        return True

    def close(self, lines=()):
        self.open = False

    # --- the server ---

    def connect(self):
        self.up, self.down, self.open, self._joiner = [], [], True, Joiner()

    def welcome(self):
        self.down.append("@time=2026-01-01T00:00:00.000Z :alice!u@h JOIN #lobby")

    def said(self, sender, text, key=""):
        """Keep a line unless its key is known; return it as it goes out."""
        known = [number for number, entry in enumerate(self.log, 1) if key and entry[0] == key]
        if not known:
            self.log.append((key, sender, text))
        return self.line(known[0] if known else len(self.log))

    def line(self, number, more=""):
        key, sender, text = self.log[number - 1]
        head = f"time=2026-01-01T00:00:{number % 60:02}.000Z;msgid=m{number};securechat/order={number}{more}"
        return (
            f"@{head} :{sender}!u@h PRIVMSG #lobby :{text}",
            f"@label={key};{head} :alice!u@h PRIVMSG #lobby :{text}",
        )

    def work(self):
        """Deal with the next line that has come up."""
        message = parse(self.up.pop(0), 8191)
        whole = self._joiner.feed(message)
        if whole is None:
            return
        tags = parse_tags(whole.tags)
        if whole.command == "PRIVMSG":
            text = whole.params[1].replace("\n", "/")
            if text.startswith("refuse"):
                self.down.append(f"@label={tags['label']} 404 alice #lobby :No")
            else:
                self.down.append(self.said("alice", text, tags["label"])[1])
        elif whole.command == "PING":
            self.down.append(f"PONG s :{whole.params[-1]}")
        elif whole.command == "CHATHISTORY":
            self.down += self._page(tags["label"], whole.params)
        else:
            self.down.append(f"@label={tags['label']} 318 alice :{whole.params[0]}")

    def _page(self, label, params):
        verb, point = params[0], params[2]
        if verb == "TARGETS":
            numbers = []
        elif verb == "LATEST":
            numbers = [len(self.log)] if self.log else []
        elif point.startswith("msgid=m"):
            numbers = range(int(point.removeprefix("msgid=m")) + 1, len(self.log) + 1)
        else:
            numbers = range(1, len(self.log) + 1)
        self._joined += 1
        reference = f"h{self._joined}"
        lines = [self.line(number, f";batch={reference}")[0] for number in numbers]
        begin = f"@label={label};draft/chathistory-end BATCH +{reference} chathistory #lobby"
        return [begin, *lines, f"BATCH -{reference}"]


class Talk:
    """An engine, its house, and what it told."""

    def __init__(self):
        self.house = House()
        self.engine = Engine(self.house, "t")
        self.told = []
        self.login()

    def login(self):
        self.house.connect()
        self.tell(LOGIN)
        self.house.welcome()

    def tell(self, event):
        self.told += self.engine.receive(event)

    def hear(self):
        self.tell(Received((parse(self.house.down.pop(0).encode(), 8191),)))

    def cut(self):
        self.house.open = False
        self.tell(LOST)
        self.login()

    def settle(self):
        while self.house.up or self.house.down:
            if self.house.up:
                self.house.work()
            else:
                self.hear()

    def of(self, *kinds):
        return [one for one in self.told if isinstance(one, kinds)]

    def texts(self):
        return [one.params[1] for one in self.of(Message) if one.command == "PRIVMSG"]


@pytest.fixture
def talk():
    made = Talk()
    made.settle()
    return made


STEPS = st.sampled_from(["say", "say", "lines", "bob", "work", "work", "work", "hear", "hear", "hear", "cut"])


@settings(max_examples=150)
@given(st.lists(STEPS, min_size=20, max_size=100))
def test_each_line_is_kept_once_and_told_once_in_order_wherever_it_is_cut(steps):
    talk = Talk()
    said, keys = [], []
    for number, step in enumerate(steps):
        if step in ("say", "lines"):
            text = f"line {number}" if step == "say" else f"lines {number}\nand more"
            keys.append(talk.engine.say("#lobby", text, room=400))
            said.append(text.replace("\n", "/"))
        elif step == "bob":
            talk.house.down.append(talk.house.said("bob", f"bob {number}")[0])
        elif step == "work" and talk.house.up:
            talk.house.work()
        elif step == "hear" and talk.house.down:
            talk.hear()
        elif step == "cut":
            talk.cut()
    talk.settle()
    talk.cut()  # what was on its way down to nobody is asked for
    talk.settle()
    log = talk.house.log
    assert [text for key, sender, text in log if sender == "alice"] == said
    assert [one.key for one in talk.of(Kept)] == keys
    assert len(talk.engine.resume.unacknowledged) == 0
    assert not talk.of(Gap)
    texts = talk.texts()
    # A channel is known from its first line on; whatever was told is the log's end, whole.
    assert texts == [text for _, _, text in log][len(log) - len(texts) :]
    assert set(said) <= set(texts)
    assert len(talk.of(Resumed)) <= len(talk.of(LoggedIn))


@given(st.lists(st.sampled_from(["again", "once", "work", "hear", "cut"]), min_size=10, max_size=60))
def test_each_question_is_answered_once_or_told_to_be_lost(steps):
    talk = Talk()
    asked, once = [], set()
    for step in steps:
        if step in ("again", "once"):
            asked.append(talk.engine.ask(b"WHOIS x\r\n", again=step == "again"))
            once |= {asked[-1]} if step == "once" else set()
        elif step == "work" and talk.house.up:
            talk.house.work()
        elif step == "hear" and talk.house.down:
            talk.hear()
        elif step == "cut":
            talk.cut()
    talk.settle()
    answered, lost = [one.label for one in talk.of(Answered)], [one.label for one in talk.of(Unanswered)]
    assert sorted(answered + lost) == sorted(asked)
    assert set(lost) <= once


def test_while_there_is_no_connection_it_waits(talk):
    talk.tell(LOST)
    assert not talk.engine.up
    key = talk.engine.say("#lobby", "later")
    label = talk.engine.ask(b"WHOIS x\r\n")
    assert not talk.house.up
    talk.login()
    talk.settle()
    assert talk.engine.up
    assert [one.key for one in talk.of(Kept)] == [key]
    assert [one.label for one in talk.of(Answered)] == [label]


def test_a_refusal_ends_the_wait(talk):
    key = talk.engine.say("#lobby", "refuse this")
    talk.settle()
    assert [one.key for one in talk.of(Refused)] == [key]
    assert not talk.engine.resume.unacknowledged.texts()


def test_what_the_connection_has_no_room_for_is_not_said_later(talk):
    talk.house.post = lambda _: False
    with pytest.raises(ClientError, match="behind with reading"):
        talk.engine.say("#lobby", "too much")
    with pytest.raises(ClientError, match="behind with reading"):
        talk.engine.ask(b"WHOIS x\r\n")
    del talk.house.post
    talk.cut()
    talk.settle()
    assert not talk.house.log
    assert not talk.of(Answered)


def test_what_waits_has_an_end(talk):
    talk.tell(LOST)
    for number in range(MAX_UNACKNOWLEDGED):
        talk.engine.say("#lobby", str(number))
    with pytest.raises(ClientError, match="Too much of what you said waits"):
        talk.engine.say("#lobby", "one more")


def test_taking_back(talk):
    left = talk.engine.say("#lobby", "left")
    talk.tell(LOST)
    stayed, other = talk.engine.say("#lobby", "stayed"), talk.engine.say("#lobby", "other")
    assert talk.engine.withdraw(stayed)
    talk.login()
    talk.settle()
    assert [text for _, _, text in talk.house.log] == ["left", "other"]
    again = talk.engine.say("#lobby", "again")
    assert not talk.engine.withdraw(again)
    talk.settle()
    assert [one.key for one in talk.of(Kept)] == [left, other]
    talk.cut()
    talk.settle()
    assert [text for _, _, text in talk.house.log].count("again") == 1
    assert talk.texts().count("again") == 1


def test_the_end_is_told(talk):
    talk.tell(Closed(None))
    assert talk.of(Closed)
