"""Lines to messages: what is read as one is what each line by itself would have been."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from securechat.protocol.errors import Fault, ProtocolError
from securechat.protocol.lines import Texts, read, size
from securechat.protocol.message import parse

HEADS = (b"PRIVMSG", b"NOTICE", b"privmsg", b"PING", b"#a", b"#\xd1\x8e", b"#a,#b", b"bob")
BETWEEN = (b" ", b"  ", b" :", b":")
TEXTS = (b"word", b"\x01ACTION waves\x01", b"\0", b"\r", b"\xff", b"@t=1 ", "привет".encode())
LONG = (b"x" * 495, b"x" * 496, b"x" * 497)
WORDS = st.sampled_from((*HEADS, *BETWEEN, *TEXTS, *LONG))
LINES = st.one_of(
    st.just(Fault.TOO_LONG),
    st.lists(WORDS, min_size=1, max_size=5).map(b"".join),
    st.lists(WORDS, max_size=2).map(lambda words: b"PRIVMSG #a :" + b"".join(words)),
)


def alone(line):
    try:
        return line if isinstance(line, Fault) else parse(line)
    except ProtocolError as error:
        return error.fault


@given(st.lists(LINES, max_size=8))
@example([b"PRIVMSG #a :one", b"PRIVMSG #a :two", b"PRIVMSG #ab :three", b"PRIVMSG #a :four"])
@example([b"PRIVMSG #\xd1\x8e :one", b"PRIVMSG #\xd1\x8e :two"])
@example([b"PRIVMSG :a :one", b"PRIVMSG :a :two"])
@example([b"PRIVMSG #a", b"x :one", b"PRIVMSG #a", b"x :two"])
@example([b"PRIVMSG #a :one", Fault.TOO_LONG, b"PRIVMSG #a :two", b"PRIVMSG #a :three"])
def test_nothing_tells_that_lines_were_read_as_one(lines):
    given_ = read(lines)
    assert size(given_) == len(lines)
    parts = [[*one.messages()] if isinstance(one, Texts) else [one] for one in given_]
    assert [message for part in parts for message in part] == [alone(line) for line in lines]
    for one in given_:
        if isinstance(one, Texts):
            assert len(one.texts) > 1
            assert all(one.texts)
            assert one.longest == max(len(text.encode()) for text in one.texts)


def test_texts_for_one_target_are_read_as_one():
    """Or nothing here would test it."""
    lines = [b"PRIVMSG #a :1", b"PRIVMSG #a ::) 2", b"NOTICE #a :3", b"NOTICE #a :4", b"PING :x"]
    *texts, ping = read(lines)
    assert texts == [Texts("PRIVMSG", "#a", ["1", ":) 2"], 4), Texts("NOTICE", "#a", ["3", "4"], 1)]
    assert ping.command == "PING"


@pytest.mark.parametrize("odd", [b"", b"\x01VERSION\x01", b"\xff", b"a\0b", b"a\rb", b"x" * 500])
def test_where_one_is_odd_each_is_looked_at(odd):
    lines = [b"PRIVMSG #a :1", b"PRIVMSG #a :" + odd, b"PRIVMSG #a :3"]
    assert not any(isinstance(one, Texts) for one in read(lines))


class Counted(list):
    """Counts the lines that are looked at one by one."""

    looked_at = 0

    def __getitem__(self, place):
        found = super().__getitem__(place)
        self.looked_at += len(found) if isinstance(place, slice) else 1
        return found

    def __iter__(self):
        self.looked_at += len(self)
        return super().__iter__()


@pytest.mark.parametrize(
    "lines",
    [[b"A"], [b"PRIVMSG #a :1", b"NOTICE #a :2"], [b"PRIVMSG #a :1", b"PRIVMSG #a :\x01"], [b"PRIVMSG #a :1"]],
    ids=["other", "alternating", "odd", "alike"],
)
def test_each_line_is_looked_at_a_few_times(lines):
    """However many there are: a record has room for thousands, which must not cost their square."""
    many = Counted(lines * 1000)
    read(many)
    assert many.looked_at <= 6 * len(many)


def test_what_is_said_stays_out_of_logs():
    """People tell services their password."""
    (texts,) = read([b"PRIVMSG #a :hunter2", b"PRIVMSG #a :hunter3"])
    assert repr(texts) == "<2 texts by PRIVMSG>"
