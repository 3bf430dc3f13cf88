"""Strangers' text made harmless, long text cut."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client.text import clean, sendable, split


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Кириллица, 日本語, عربى", "Кириллица, 日本語, عربى"),
        ("👩\u200d👩\u200d👧 \u2764\ufe0f", "👩\u200d👩\u200d👧 \u2764\ufe0f"),
        ("a\tb", "a b"),
        ("bell\x07 back\x08 delete\x7f", "bell back delete"),
        ("c1 \x85\x9b31mred", "c1 red"),
        ("\x1b[31;1mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x1b]0;new title\x07text", "text"),
        ("\x1b]52;c;ZXZpbA==\x1b\\text", "text"),
        ("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1bP1$r\x1b\\text", "text"),
        ("\x1b]0;never ended", "0;never ended"),
        ("\x1bc\x1b(0text", "text"),
        ("lone \x1b", "lone "),
        ("\x9d0;title\x9ctext", "text"),
        (
            "\x02bold\x02 \x1ditalic\x1d \x1funder\x1f \x1estrike \x11mono \x16reverse\x0f",
            "bold italic under strike mono reverse",
        ),
        ("\x0304,12red\x03 \x033green \x03,5", "red green ,5"),
        ("\x0312345", "345"),
        ("\x04ff0000,00ff00hex\x04", "hex"),
        ("admin\u202etxt.exe", "admintxt.exe"),
        ("\u2066a\u2069\u200e\u200f\u061c", "a"),
        ("a\u2028b\u2029c", "a b c"),
        ("zero\u200bwidth\ufeff\u00ad", "zerowidth"),
        ("flag \U000e0067\U000e007f", "flag "),
    ],
)
def test_clean(text, shown):
    assert clean(text) == shown


@given(st.text())
def test_clean_leaves_nothing_that_a_terminal_obeys(text):
    shown = clean(text)
    assert not {unicodedata.category(char) for char in shown.replace("\u200c", "").replace("\u200d", "")} & {
        "Cc",
        "Cf",
        "Cs",
        "Zl",
        "Zp",
    }
    assert clean(shown) == shown


def test_sendable():
    assert sendable("a\0b\rc\nd\x01e\tf") == "abcde\tf"


@pytest.mark.parametrize(
    ("text", "room", "pieces"),
    [
        ("", 10, [""]),
        ("short", 10, ["short"]),
        ("exactly 10", 10, ["exactly 10"]),
        ("exactly 10 and more", 10, ["exactly 10", "and more"]),
        ("words are not cut", 8, ["words", "are not", "cut"]),
        ("a verylongwordindeed", 10, ["a verylong", "wordindeed"]),
        ("x" * 25, 10, ["x" * 10, "x" * 10, "x" * 5]),
        ("пример", 5, ["пр", "им", "ер"]),
        ("👍👍", 5, ["👍", "👍"]),
        ("ends with a space ", 17, ["ends with a space", ""]),
    ],
)
def test_split(text, room, pieces):
    assert [piece for piece in split(text, room) if piece] == [piece for piece in pieces if piece]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1), st.integers(4, 40))
def test_split_loses_nothing_but_spaces_and_fits(text, room):
    pieces = split(text, room)
    assert all(len(piece.encode()) <= room for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


def test_split_without_any_room():
    with pytest.raises(ValueError):
        split("x", 3)
