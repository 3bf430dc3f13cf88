"""Names: which may be created, which are the same, which can be mistaken for one another."""

from __future__ import annotations

import unicodedata
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from securechat.protocol.names import NameRefused, check_channel, check_nick, fold, looks_like

LETTERS = st.characters(categories=("L", "M", "N"))
NEAR_NAMES = st.text(st.one_of(LETTERS, st.sampled_from("-_аАoOеel1I")), max_size=34)
"""Texts that have a fair chance to be names."""


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("anna", "anna"),
        ("Anna_2-b", "anna_2-b"),
        ("7of9", "7of9"),
        ("Иван", "иван"),
        ("ЁЛКА", "ёлка"),
        ("И\u0306од", "йод"),
        ("Ελένη", "ελένη"),
        ("ＡＮＮＡ", "anna"),
        ("José", "josé"),
        ("花子", "花子"),
        ("カタカナ漢字ひらがな", "カタカナ漢字ひらがな"),
        ("דוד", "דוד"),
        ("a" * 32, "a" * 32),
        ("я" * 32, "я" * 32),
        ("花" * 21, "花" * 21),
    ],
)
def test_allowed(name, key):
    """Letters and digits of one script, in any language, compared without letter case."""
    assert check_nick(name) == key
    assert fold(name) == key


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "at least one character"),
        ("a" * 33, "at most 32 characters"),
        ("𠀀" * 30, "64 bytes"),
        ("-anna", "begins with a letter or a digit"),
        ("_anna", "begins with a letter or a digit"),
        ("anna ivan", "' ' is none"),
        ("an\tna", "is none of them"),
        ("anna\0", "is none of them"),
        ("a.b", "is none of them"),
        ("#anna", "is none of them"),
        ("[anna]", "is none of them"),
        ("anna!x@y", "is none of them"),
        ("an\u200bna", "is none of them"),
        ("an\u202ena", "is none of them"),
        ("анна😀", "is none of them"),
        ("ﬁnn", "RFC 8265"),
        ("anna²", "RFC 8265"),
        ("Annа", "mixes letters of Cyrillic and Latin"),
        ("Aνα", "mixes letters of Greek and Latin"),
        ("иван花", "mixes letters"),
    ],
)
def test_refused(name, why):
    """Each refusal says why, in one printable sentence."""
    with pytest.raises(NameRefused) as caught:
        check_nick(name)
    sentence = str(caught.value)
    assert why in sentence
    assert sentence.isprintable()
    assert sentence.endswith(".")


@pytest.mark.parametrize("name", ["\udcff", "an\ud800na"])
def test_refused_surrogates(name):
    """Bytes of a command line that are no UTF-8 are a refused name, not a crash."""
    with pytest.raises(NameRefused):
        check_nick(name)


def test_refused_mark_first():
    """A combining mark at the beginning would change what stands before the name."""
    with pytest.raises(NameRefused, match="begins with a letter or a digit"):
        check_nick("\u0301anna")


def test_refused_pile_of_marks():
    """Marks without end would be drawn over the lines around the name; a few belong to real names."""
    with pytest.raises(NameRefused, match="marks on one letter"):
        check_nick("a" + "\u0301" * 20)
    assert check_nick("Nguyễn") == "nguyễn"


@given(NEAR_NAMES)
@example("İx")
@example("ẞ")
@example("ΑΣ")
def test_key_is_settled(name):
    """The key of an accepted name is a name, its own key, and looks like the name."""
    try:
        key = check_nick(name)
    except NameRefused:
        return
    assert fold(name) == fold(key) == check_nick(key) == key
    assert unicodedata.is_normalized("NFC", key)
    assert looks_like(name, key)


@given(st.text(max_size=40))
def test_any_text(text):
    """Whatever it is given, `check_nick` raises nothing but NameRefused, and `fold` nothing at all."""
    fold(text)
    for check in (check_nick, check_channel):
        with suppress(NameRefused):
            check(text)


@given(NEAR_NAMES, NEAR_NAMES)
def test_looks_like_is_mutual(one, other):
    """Likeness has no direction, and everything looks like itself."""
    assert looks_like(one, other) == looks_like(other, one)
    assert looks_like(one, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna", "аnna"),
        ("ахо", "axo"),
        ("сосо", "coco"),
        ("Рора", "Popa"),
        ("АННА", "AHHA"),
        ("Iris", "lris"),
        ("bob1", "bobl"),
        ("b0b", "bob"),
        ("modern", "modem"),
        ("jon", "jοn"),
        ("и\u0306од", "йод"),
        ("Anna", "ANNA"),
    ],
)
def test_look_alikes(one, other):
    """Names that a reader can take for one another (UTS #39, section 4)."""
    assert looks_like(one, other)
    assert looks_like(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("anna", "hanna"), ("иван", "иваз"), ("йод", "иод"), ("a-b", "a_b"), ("ab", "ba"), ("ё", "е")],
)
def test_different_names(one, other):
    """Names that a reader tells apart."""
    assert not looks_like(one, other)


@pytest.mark.parametrize(
    ("name", "key"), [("#Lobby", "#lobby"), ("#Чат", "#чат"), ("#c++", "#c++"), ("##x", "##x"), ("#a.b", "#a.b")]
)
def test_channel_allowed(name, key):
    """A channel keeps its '#' and may have more punctuation than a nick."""
    assert check_channel(name) == key
    assert fold(name) == key


NO_CHANNELS = ["", "#", "lobby", "&lobby", "#a b", "#a,b", "#a:b", "#a*", "#a?", "#a\a", "#a!b", "#a@b", "#a\r\n"]


@pytest.mark.parametrize("name", [*NO_CHANNELS, "#\0", "#" + "a" * 64, "#a\u200b", "#\u202eabc"])
def test_channel_refused(name):
    """What would break a line or a list is no channel."""
    with pytest.raises(NameRefused):
        check_channel(name)
