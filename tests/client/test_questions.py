"""Questions with labels, and what comes back for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client import questions
from securechat.client.errors import ClientError
from securechat.client.questions import MAX_ANSWER, MAX_QUESTIONS, Questions
from securechat.protocol.message import parse


class Asked:
    """Questions, and what was answered so far."""

    def __init__(self):
        self.questions = Questions("t")
        self.answers = []

    def ask(self, line=b"WHOIS bob\r\n", **how):
        return self.questions.ask(line, **how)[0]

    def feed(self, *lines):
        """Take lines; return which of them are nobody else's business."""
        private = []
        for line in lines:
            answered, hidden = self.questions.feed(parse(line.encode(), 8191))
            private.append(hidden)
            if answered is not None:
                self.answers.append(
                    (answered.label, ["".join(message.params[-1:]) for message in answered.messages])
                )
        return private


@pytest.fixture
def asked():
    return Asked()


@pytest.mark.parametrize(
    ("line", "sent"),
    [
        (b"PING x\r\n", b"@label=tq1 PING x\r\n"),
        (b"@+typing=done TAGMSG #x\r\n", b"@label=tq1;+typing=done TAGMSG #x\r\n"),
    ],
)
def test_a_label_is_put_on(asked, line, sent):
    assert asked.questions.ask(line) == ("tq1", sent)


def test_answers_of_one_line_none_and_many(asked):
    one, none, many = asked.ask(), asked.ask(), asked.ask()
    asked.feed(
        f"@label={many} BATCH +a labeled-response",
        f"@label={one} PONG s :x",
        "@batch=a 311 me :first",
        f"@label={none} ACK",
        "PRIVMSG #x :something else",
        "@batch=a 318 me :last",
        "BATCH -a",
    )
    assert asked.answers == [(one, ["x"]), (none, []), (many, ["first", "last"])]


def test_a_batch_in_a_batch_belongs_to_it(asked):
    label = asked.ask(private=True)
    hidden = asked.feed(
        f"@label={label} BATCH +out chathistory #x",
        "@batch=out BATCH +in draft/multiline #x",
        "@batch=in PRIVMSG #x :one",
        "BATCH -in",
        "@batch=out PRIVMSG #x :two",
        "BATCH -out",
    )
    assert hidden == [True] * 6
    assert asked.answers == [(label, ["one", "two"])]


def test_what_nobody_asked_is_everybodys(asked):
    asked.ask()
    hidden = asked.feed(
        "@label=strange PONG x", "BATCH -strange", "BATCH", "@batch=strange PRIVMSG #x :y", "PING :z"
    )
    assert hidden == [False] * 5
    assert asked.answers == []


def test_only_what_may_be_repeated_is(asked):
    kept, dropped = asked.ask(b"WHO x\r\n", again=True), asked.ask(b"TOPIC #x :y\r\n")
    asked.feed(f"@label={kept} BATCH +a labeled-response", "@batch=a 352 :half an answer")
    assert asked.questions.lost() == [dropped]
    assert asked.questions.repeat() == [f"@label={kept} WHO x\r\n".encode()]
    asked.feed("@batch=a 352 :of the old connection", "BATCH -a", f"@label={kept} 352 :whole")
    assert asked.answers == [(kept, ["whole"])]


def test_there_is_an_end_to_all_of_it(asked):
    labels = [asked.ask() for _ in range(MAX_QUESTIONS)]
    with pytest.raises(ClientError, match="wait for the server's answer already"):
        asked.ask()
    asked.questions.forget(labels[0])
    label = asked.ask()
    asked.feed(f"@label={label} BATCH +a labeled-response")
    for _ in range(MAX_ANSWER + 5):
        asked.questions.feed(parse(b"@batch=a 352 :x", 8191))
    for number in range(200):
        asked.feed(f"@batch=a BATCH +n{number} x")
    assert len(asked.questions._batches) <= questions._MAX_BATCHES
    asked.feed("BATCH -a")
    assert [(name, len(lines)) for name, lines in asked.answers] == [(label, MAX_ANSWER)]


LABELS = st.sampled_from(["tq1", "tq2", "tq3", "strange"])
REFS = st.sampled_from(["a", "b"])
LINES = st.one_of(
    st.builds("@label={} 311 me :x".format, LABELS),
    st.builds("@label={} ACK".format, LABELS),
    st.builds("@label={} BATCH +{} kind".format, LABELS, REFS),
    st.builds("@batch={} 311 me :x".format, REFS),
    st.builds("@batch={};label={} BATCH +{} kind".format, REFS, LABELS, REFS),
    st.builds("BATCH -{}".format, REFS),
    st.sampled_from(["lost", "BATCH", "BATCH +", "BATCH -", "@batch=a BATCH"]),
)


@given(st.lists(LINES, max_size=40), st.lists(st.booleans(), min_size=3, max_size=3))
def test_each_is_answered_once_whatever_a_server_says(lines, again):
    asked = Asked()
    labels = [asked.ask(again=often) for often in again]
    dropped = []
    for line in lines:
        if line == "lost":
            dropped += asked.questions.lost()
        else:
            asked.feed(line)
    done = [label for label, _ in asked.answers] + dropped
    waiting = [line.split()[0].removeprefix(b"@label=").decode() for line in asked.questions.repeat()]
    assert sorted(done + waiting) == sorted(labels)
