from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.protocol.sasl import (
    MECHANISMS,
    Credentials,
    Exchange,
    SaslError,
    decode_external,
    decode_plain,
    encode_plain,
    pieces,
)

PART = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=250)


@given(PART, PART)
def test_what_is_said_is_understood(name, password):
    exchange, found = Exchange("PLAIN"), None
    for chunk in encode_plain(Credentials(name, password)):
        assert found is None
        found = exchange.feed(chunk)
    assert decode_plain(found) == Credentials(name, password)


def test_a_response_of_exactly_one_chunk_needs_its_end():
    exchange = Exchange("PLAIN")
    first, end = encode_plain(Credentials("a" * 98, "p" * 200))
    assert (len(first), end) == (400, "+")
    assert exchange.feed(first) is None
    assert decode_plain(exchange.feed(end)) == Credentials("a" * 98, "p" * 200)


@pytest.mark.parametrize(
    "response",
    [
        "",
        "!!!",
        "AAAA",
        base64.b64encode(b"a\0b").decode(),
        base64.b64encode(b"\0name\0").decode(),
        base64.b64encode(b"\0\0password").decode(),
        base64.b64encode(b"other\0name\0password").decode(),
        base64.b64encode(b"\0name\0pass\0word").decode(),
        base64.b64encode(b"\0name\0\xff").decode(),
    ],
)
def test_malformed_responses(response):
    with pytest.raises(SaslError) as caught:
        decode_plain(response)
    assert not caught.value.too_long


def test_acting_as_oneself_is_fine():
    assert decode_plain(base64.b64encode(b"bob\0bob\0secret").decode()) == Credentials("bob", "secret")


def test_too_long():
    exchange = Exchange("PLAIN")
    for _ in range(4):
        assert exchange.feed("A" * 400) is None
    with pytest.raises(SaslError) as caught:
        exchange.feed("A" * 400)
    assert caught.value.too_long
    with pytest.raises(SaslError):
        Exchange("PLAIN").feed("A" * 401)


@given(st.text(max_size=500))
def test_one_exception_is_all_that_is_raised(text):
    for decode in (decode_plain, decode_external):
        try:
            decode(Exchange("PLAIN").feed(text) or "")
        except SaslError:
            pass


def test_the_password_is_in_no_repr():
    assert "hunter2" not in repr(Credentials("bob", "hunter2"))


@given(st.integers(0, 1300))
def test_a_text_in_pieces_is_the_text(size):
    text, exchange = "A" * size, Exchange("x")
    *first, last = pieces(text)
    assert [exchange.feed(piece) for piece in first] == [None] * len(first)
    assert exchange.feed(last) == text


def test_external_names_nobody_or_somebody():
    assert decode_external("") == ""
    assert decode_external(base64.b64encode("Иван".encode()).decode()) == "Иван"
    for wrong in ("!", "/w==", "YQ"):
        with pytest.raises(SaslError):
            decode_external(wrong)
    assert MECHANISMS == ("PLAIN", "EXTERNAL")
