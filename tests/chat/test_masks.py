"""Masks: what people write, what is meant by it, and whom it hits."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from securechat.chat.masks import MAX_MASK, normalise, wildcard


def matches(mask: str, key: str) -> bool:
    """Whether a mask in full means an account, as the channel lists ask it."""
    return wildcard(mask).fullmatch(f"{key}!u@{key}") is not None


@pytest.mark.parametrize(
    ("said", "full"),
    [
        ("bob", "bob!*@*"),
        ("Bob", "bob!*@*"),
        ("ИВАН", "иван!*@*"),
        ("bob!", "bob!*@*"),
        ("bob!u", "bob!u@*"),
        ("bob!u@", "bob!u@*"),
        ("*!*@bob", "*!*@bob"),
        ("u@bob", "*!u@bob"),
        ("@bob", "*!*@bob"),
        ("!@", "*!*@*"),
        ("*", "*!*@*"),
        ("a!b!c@d@e", "a!b!c@d@e"),
        ("b?b*", "b?b*!*@*"),
    ],
)
def test_what_is_meant(said, full):
    assert normalise(said) == full
    assert normalise(full) == full


@pytest.mark.parametrize("said", ["", "a b", "a,b", ":a", "a:b", "a\x07", "b" * MAX_MASK, "ж" * MAX_MASK, "a，b"])
def test_what_is_no_mask(said):
    assert normalise(said) is None


@pytest.mark.parametrize(
    ("mask", "hit", "missed"),
    [
        ("bob", ["bob"], ["bobby", "abob", "bo"]),
        ("b?b", ["bob", "bab"], ["bb", "boob"]),
        ("*evil*", ["evil", "very-evil-one"], ["good"]),
        ("*", ["bob", "иван"], []),
        ("ИВ*", ["иван", "ив"], ["bob"]),
        ("*!*@bob", ["bob"], ["bobby"]),
        ("*!u@bob", ["bob"], ["bobby"]),
        ("*!*u@*", ["bob", "иван"], []),
        ("*!someone@*", [], ["bob"]),
        ("bob!*@carol", [], ["bob", "carol"]),
        ("[bc]ob", [], ["bob", "cob"]),
        ("b.b", [], ["bob"]),
        ("b[!x]b", [], ["bob"]),
    ],
)
def test_whom_it_hits(mask, hit, missed):
    full = normalise(mask)
    assert [name for name in hit + missed if matches(full, name)] == hit


def test_a_pattern_of_many_stars_takes_no_time_to_speak_of():
    """One that tried every way to share 60 letters among 40 stars would not come back."""
    assert not matches(normalise("*a" * 40), "a" * 31 + "b")
    assert wildcard("*a" * 40 + "b").fullmatch("a" * 60) is None


@settings(max_examples=150)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
@example("İ")
@example("ẞ!ﬁ@Ω")
@example("שלום")
@example("#a！b")
def test_a_full_mask_is_its_own_full_form(said):
    full = normalise(said)
    if full is not None:
        assert normalise(full) == full
        assert len(full.encode()) <= MAX_MASK
        assert not set(full) & set(" ,:")
        matches(full, "bob")
