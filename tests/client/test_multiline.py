"""Messages of several lines: what is cut is joined again as it was, and strangers' batches stay small."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client import multiline
from securechat.client.multiline import CAPABILITY, Joiner, batch
from securechat.protocol.capabilities import MULTILINE_BYTES, MULTILINE_LINES
from securechat.protocol.message import Message, parse, parse_tags

CHARS = st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")
TEXT = st.one_of(
    st.text(CHARS, min_size=1, max_size=600),
    st.lists(st.text(CHARS | st.just(" "), max_size=90), min_size=1, max_size=12).map("\n".join),
    st.sampled_from(["  x  ", "\n\nx\n\n", " \n ", "a" * 3000, "слово " * 300, "👩‍👩‍👧‍👦" * 90, ":x", "é" * 999]),
).filter(lambda text: text.strip("\n"))


def joined(lines):
    """What a Joiner makes of lines on the wire."""
    joiner = Joiner()
    found = [joiner.feed(parse(line, 8191)) for line in lines]
    assert not joiner._open
    return [message for message in found if message is not None]


@given(text=TEXT, room=st.integers(4, 420))
def test_what_is_cut_is_joined_as_it_was(text, room):
    try:
        data = batch("key", "#lobby", text, "label=key", room)
    except ValueError:
        assert len(text.encode()) > min(MULTILINE_BYTES, MULTILINE_LINES * (room - 3) // 3)
        return
    lines = data.split(b"\r\n")[:-1]
    pieces = [parse(line, 8191) for line in lines[1:-1]]
    assert len(pieces) <= MULTILINE_LINES
    assert all(len(piece.params[1].encode()) <= room for piece in pieces)
    for piece in pieces:
        tags = parse_tags(piece.tags)
        assert tags["batch"] == "key"
        assert piece.params[1] or "draft/multiline-concat" not in tags  # a blank line is a line
    (message,) = joined(lines)
    assert (message.command, message.params) == ("PRIVMSG", ["#lobby", text])
    assert parse_tags(message.tags)["label"] == "key"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\n\n", "blank lines only"),
        ("x" * (MULTILINE_BYTES + 1), "at most 16384 bytes"),
        ("й" * (MULTILINE_BYTES // 2) + "x", "at most 16384 bytes"),
        ("x\n" * MULTILINE_LINES, "128 lines"),
        ("x" * 20 * MULTILINE_LINES, "128 lines as they are sent"),
    ],
)
def test_what_is_too_much(text, says):
    with pytest.raises(ValueError, match=says):
        batch("key", "#lobby", text, "", 10)


REFERENCES = st.sampled_from([f"b{number}" for number in range(40)])
BEGINS = st.builds(
    lambda ref, kind: f"BATCH +{ref} {kind} #x", REFERENCES, st.sampled_from([CAPABILITY, "netjoin"])
)
ENDS = st.builds(lambda ref: f"BATCH -{ref}", REFERENCES)
LINES = st.builds(
    lambda ref, concat, rest: f"@batch={ref}{concat} :bob!u@b {rest}",
    REFERENCES,
    st.sampled_from(["", ";draft/multiline-concat", ";draft/multiline-concat=x"]),
    st.sampled_from(["PRIVMSG #x :text", "PRIVMSG #x :", "PRIVMSG", "TAGMSG #x", "BATCH", "BATCH +", "BATCH -"]),
)
OTHERS = st.sampled_from(["PRIVMSG #x :plain", "BATCH", "BATCH +", "BATCH -", "PING x"])


@given(st.lists(BEGINS | ENDS | LINES | OTHERS, max_size=120))
def test_hostile_batches_stay_small_and_nothing_else_is_held_back(lines):
    joiner = Joiner()
    for line in lines:
        message = parse(line.encode(), 8191)
        given_out = joiner.feed(message)
        assert len(joiner._open) <= multiline._MAX_OPEN
        if "batch=" not in message.tags and message.command != "BATCH":
            assert given_out is message


def test_an_endless_batch_is_bounded():
    joiner = Joiner()
    joiner.feed(Message("BATCH", ["+b", CAPABILITY, "#x"], "bob!u@b", "msgid=m"))
    for _ in range(3000):
        joiner.feed(Message("PRIVMSG", ["#x", "y" * 400], "bob!u@b", "batch=b"))
    whole = joiner.feed(Message("BATCH", ["-b"], "s", ""))
    assert len(whole.params[1]) <= multiline._MAX_CHARS + multiline._MAX_LINES
    assert whole.params[1].count("\n") < multiline._MAX_LINES


def test_a_new_connection_forgets_what_was_begun():
    joiner = Joiner()
    joiner.feed(Message("BATCH", ["+b", CAPABILITY, "#x"], "bob!u@b", "msgid=m"))
    joiner.clear()
    late = Message("PRIVMSG", ["#x", "late"], "bob!u@b", "batch=b")
    assert joiner.feed(late) is late
