"""Colours can be read, and text breaks where it should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from securechat.client.links import links
from securechat.client.screen.look import DARK, LIGHT, contrast
from securechat.client.screen.wrap import clip, in_columns, pad, wrap


@pytest.mark.parametrize("look", [DARK, LIGHT])
def test_every_colour_can_be_read_on_every_ground(look):
    """4.5 to 1 is what WCAG asks for text."""
    for colour in (*look.names, look.text, look.accent, look.alarm):
        assert contrast(colour, look.background) >= 4.5, colour
        assert contrast(colour, look.panel) >= 4.5, colour
    assert contrast(look.text, look.mention) >= 4.5
    assert contrast(look.text, look.selected) >= 4.5
    assert contrast(look.dim, look.background) >= 4.5


def test_a_name_has_one_colour_in_any_letter_case():
    assert DARK.of("Иван") == DARK.of("иван")


@given(
    st.text(alphabet=st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")), max_size=300),
    st.integers(4, 60),
)
def test_no_line_is_wider_than_it_may_be_and_nothing_but_spaces_is_lost(text, width):
    pieces = [text[start:end] for start, end in wrap(text, width)]
    assert all(cell_len(piece) <= width for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


def test_wide_characters_take_two_cells():
    assert wrap("日本語日本語", 6) == [(0, 3), (3, 6)]
    assert pad("日本", 6) == "日本  "
    assert clip("日本語", 5) == "日本…"


def test_a_long_word_is_cut_and_a_sentence_is_not():
    assert wrap("x" * 25, 10) == [(0, 10), (10, 20), (20, 25)]
    assert [("one two three"[a:b]) for a, b in wrap("one two three", 8)] == ["one two", "three"]


def test_links_end_where_people_mean():
    text = "see https://a.example/x, (https://b.example/y_(z)) or http://c.example."
    assert [text[start:end] for start, end in links(text)] == [
        "https://a.example/x",
        "https://b.example/y_(z)",
        "http://c.example",
    ]


HELP = "/topic [TEXT | -clear]     Show, set or clear the channel's topic."


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (70, [HELP]),
        (52, ["/topic [TEXT | -clear]     Show, set or clear the", f"{'':27}channel's topic."]),
        (40, ["/topic [TEXT | -clear]", "  Show, set or clear the channel's", "  topic."]),
    ],
)
def test_a_second_column_stands_beside_the_first_or_below_it(width, lines):
    assert in_columns(HELP, width) == lines


def test_a_list_looks_the_same_in_all_its_rows():
    assert in_columns("/unread                    Go on.", 46) == ["/unread", "  Go on."]


@given(st.text(alphabet=st.sampled_from("ab  слово日本"), max_size=80), st.integers(10, 60))
def test_columns_lose_nothing_and_fit(text, width):
    lines = in_columns(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(cell_len(line) <= width for line in lines)
