"""The line of an invite: read as it was printed, refused in one sentence where anything is wrong with it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client.errors import JoinError
from securechat.client.invitation import read
from securechat.client.settings import Endpoint
from securechat.server.invites import link

DIGEST = bytes(range(32))
CA = base64.urlsafe_b64encode(DIGEST).decode().rstrip("=")
TOKEN = "abcdefghijklmnopqrstuv"
GOOD = link("chat.example.org", 6697, "olga", CA, TOKEN)


@pytest.mark.parametrize("host", ["chat.example.org", "192.0.2.1", "2001:db8::1", "localhost"])
@pytest.mark.parametrize("name", ["olga", "Ольга", "o/l?g&a=#", "a+b%"])
def test_what_the_server_prints_is_read(host, name):
    found = read(link(host, 1234, name, CA, TOKEN))
    assert (found.endpoint, found.name, found.authority, found.token) == (
        Endpoint(host, 1234),
        name,
        DIGEST,
        TOKEN,
    )
    assert TOKEN not in repr(found)


def test_one_that_the_system_vouches_for():
    assert read(link("chat.example.org", 6697, "olga", "system", TOKEN)).authority == b""


def test_blanks_of_a_mail_program_are_no_damage():
    assert read(f"  {GOOD[:40]}\r\n {GOOD[40:]}\n") == read(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "securechat://",
        "nonsense",
        GOOD[:-3].removesuffix(TOKEN[:-3]),
        GOOD.partition("&")[0],
        GOOD.partition("?")[0],
        GOOD.replace("securechat:", "https:"),
        GOOD.replace("/olga", "/"),
        GOOD.replace("/olga", ""),
        GOOD.replace("/olga", "/%FF"),
        GOOD.replace("/olga", "/a%20b"),
        GOOD.replace("/olga", "/olga@laptop"),
        GOOD.replace("/olga", "/" + "x" * 200),
        GOOD.replace(":6697", ":0"),
        GOOD.replace(":6697", ":66970"),
        GOOD.replace(":6697", ":x"),
        GOOD.replace("chat.example.org", ""),
        GOOD.replace("chat.example.org", "[::1"),
        GOOD.replace("chat.", "user:secret@chat."),
        GOOD.replace(CA, CA[:-2]),
        GOOD.replace(CA, CA + "AA"),
        GOOD.replace(CA, "sy"),
        GOOD.replace(TOKEN, TOKEN + "!"),
        GOOD.replace(TOKEN, ""),
        GOOD + "&ca=system",
        GOOD + "#x",
        GOOD + "x" * 3000,
    ],
)
def test_a_damaged_one_is_one_sentence(text):
    with pytest.raises(JoinError) as caught:
        read(text)
    assert str(caught.value).startswith("This is no whole invite: it looks like securechat://HOST:PORT/NAME?ca=")
    assert TOKEN not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


@given(st.text() | st.integers(0, len(GOOD)).flatmap(lambda at: st.just(GOOD[:at] + "\x00" + GOOD[at:])))
def test_whatever_somebody_pastes(text):
    try:
        read(text)
    except JoinError:
        pass
