"""Passwords: the rules, that the same word is the same however it is typed, and that names do not leak."""

from __future__ import annotations

import argon2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.server.passwords import DEFAULT, PasswordHasher, PasswordRefused, check_new

CHEAP = PasswordHasher(memory_cost=8, time_cost=1)
DEARER = PasswordHasher(memory_cost=16, time_cost=1)
WORD = "корова-28"


def test_default_parameters():
    """What OWASP asks for at least: argon2id, 19 MiB, two passes."""
    stored = DEFAULT.hash_password(WORD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert DEFAULT.verify(stored, WORD)
    assert not DEFAULT.verify(stored, WORD + "x")
    assert not DEFAULT.outdated(stored)


@pytest.mark.parametrize("password", ["12345678", "я" * 8, "        x", "a" * 1024, "я" * 512, "花" * 8, "😀" * 8])
def test_allowed(password):
    """At least 8 characters and at most 1 KiB: no other rule."""
    check_new(password)
    assert CHEAP.verify(CHEAP.hash_password(password), password)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "at least 8 characters"),
        ("1234567", "at least 8 characters"),
        ("и\u0306" * 4, "at least 8 characters"),
        ("a" * 1025, "at most 1024 bytes"),
        ("я" * 513, "at most 1024 bytes"),
        ("a" * 10_000_000, "at most 1024 bytes"),
        ("tab\tulator", "cannot be typed everywhere"),
        ("null\0character", "cannot be typed everywhere"),
        ("half \ud800 a pair", "cannot be typed everywhere"),
    ],
)
def test_refused(password, why):
    """A refusal says why and never repeats the password, not even to somebody who digs (law 7)."""
    with pytest.raises(PasswordRefused, match=why) as caught:
        CHEAP.hash_password(password)
    told = caught.value
    assert told.__cause__ is told.__context__ is None
    assert not password or password not in str(told)


@pytest.mark.parametrize(
    ("chosen", "typed"),
    [
        ("йодоформ", "и\u0306одоформ"),
        ("и\u0306одоформ-", "йодоформ-"),
        ("ёлка-ёлка", "е\u0308лка-е\u0308лка"),
        ("two words", "two\u00a0words"),
        ("two words", "two\u3000words"),
    ],
)
def test_same_word(chosen, typed):
    """Composed or decomposed, with one kind of space or another, a password is the same (RFC 8265, 4.2)."""
    assert CHEAP.verify(CHEAP.hash_password(chosen), typed)


@pytest.mark.parametrize("typed", ["КОРОВА-28", "корова-28 ", " корова-28", "корова-2８", "корова-2", ""])
def test_other_word(typed):
    """Letter case, width and spaces at the ends count."""
    assert not CHEAP.verify(CHEAP.hash_password(WORD), typed)


GOOD = CHEAP.hash_password(WORD)


@pytest.mark.parametrize(
    "stored",
    [GOOD, None, "", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$x$y", GOOD[:-20] + "!" + GOOD[-19:]],
    ids=["good", "none", "empty", "nonsense", "short", "damaged"],
)
@pytest.mark.parametrize(
    "typed", [WORD, "wrong password", "", "tab\t", "half \ud800", "a" * 1025, "a" * 4097, "a" * 10_000_000]
)
def test_always_one_hash(monkeypatch, stored, typed):
    """One hash is computed with today's parameters, whatever the name and the input are: no timing oracle."""
    checked = []
    real = argon2.PasswordHasher.verify

    def counted(self, hashed, password):
        checked.append((argon2.extract_parameters(hashed), len(password)))
        return real(self, hashed, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    assert CHEAP.verify(stored, typed) == (stored == GOOD and typed == WORD)
    assert [parameters for parameters, _ in checked] == [argon2.extract_parameters(GOOD)]
    assert checked[0][1] <= 1024


def test_nobody_has_parameters_of_today():
    """The dummy of the real hasher costs what a real check costs."""
    seen = argon2.extract_parameters(DEFAULT._nobody)
    assert seen == argon2.extract_parameters(DEFAULT.hash_password(WORD))
    assert DEFAULT._nobody != PasswordHasher()._nobody


def test_outdated():
    """Other parameters are noticed, in either direction; the old hash goes on working."""
    assert not CHEAP.outdated(GOOD)
    assert DEARER.outdated(GOOD)
    assert CHEAP.outdated(DEARER.hash_password(WORD))
    assert CHEAP.outdated("nonsense")
    assert DEARER.verify(GOOD, WORD)


def test_salted():
    """The same word twice gives two strings."""
    assert CHEAP.hash_password(WORD) != CHEAP.hash_password(WORD)


def test_repr():
    """A hasher shows its parameters only."""
    assert repr(CHEAP) == "PasswordHasher(memory_cost=8, time_cost=1, parallelism=1)"


@settings(max_examples=50)
@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text(text):
    """Any text is refused with a sentence or is a password that works."""
    try:
        stored = CHEAP.hash_password(text)
    except PasswordRefused:
        assert not CHEAP.verify(GOOD, text)
    else:
        assert CHEAP.verify(stored, text)
