"""History of the input, completion, and messages of several lines on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client.desk import multiline
from securechat.client.desk.typed import Completion, History
from securechat.protocol.message import parse

WORLD = {"commands": ["join", "part"], "channels": ["#lobby", "#lo"], "names": ["Bob", "boris", "Мария"]}


@pytest.mark.parametrize(
    ("before", "becomes"),
    [
        ("bo", ["Bob: ", "boris: ", "Bob: "]),
        ("hi bo", ["hi Bob ", "hi boris "]),
        ("@ма", ["@Мария "]),
        ("/j", ["/join "]),
        ("see #l", ["see #lo ", "see #lobby "]),
        ("zz", [None]),
        ("", [None]),
        ("x /j", [None]),
    ],
)
def test_tab(before, becomes):
    completion, text = Completion(), before
    for wanted in becomes:
        text = completion.tab(text, **WORLD)
        assert text == wanted


def test_tab_goes_back_as_well():
    completion = Completion()
    first = completion.tab("bo", **WORLD)
    second = completion.tab(first, **WORLD)
    assert completion.tab(second, back=True, **WORLD) == first


def test_history_keeps_what_is_being_typed():
    history = History()
    assert history.back("x") is None
    history.add("one")
    history.add("one")
    history.add("two")
    assert [history.back("dra"), history.back(""), history.back("")] == ["two", "one", None]
    assert [history.forth(), history.forth(), history.forth()] == ["two", "dra", None]


@given(st.text(alphabet="ab cдé日😀\n", min_size=1, max_size=900).filter(lambda text: text.strip()))
def test_a_message_of_any_length_comes_back_as_it_was(text):
    lines = multiline.lines("r", "#x", text, 60, "label=k")
    joiner = multiline.Joiner()
    out = [whole for line in lines if (whole := joiner.feed(parse(line.removesuffix(b"\r\n"))))]
    assert [one.params[1] for one in out] == [text]
    assert out[0].tags == "label=k"


def test_what_no_server_takes_is_refused():
    with pytest.raises(ValueError, match="at most 128 lines"):
        multiline.lines("r", "#x", "a\n" * 200, 400, "")
