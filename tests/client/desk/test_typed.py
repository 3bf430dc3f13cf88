"""History of the input, and completion."""

from __future__ import annotations

import pytest

from securechat.client.desk.typed import Completion, History

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
