"""The login by plain calls: what the server says, what we answer."""

from __future__ import annotations

import base64
import re

import pytest

from securechat.client.errors import LoginError
from securechat.client.handshake import WANTED, Login, credentials
from securechat.protocol.message import parse

SECRET = "correct horse"


def start(name="alice", password=SECRET):
    login = Login(credentials(name, password))
    login.begin()
    return login


def feed(login, *lines):
    """Let the server say lines; return what the client says to them, as text."""
    said = []
    for line in lines:
        said += [answer.decode().rstrip("\r\n") for answer in login.feed(parse(line.encode()))]
    return said


def proved(**how):
    login = start(**how)
    feed(login, "CAP * LS :sasl server-time", "CAP * ACK :sasl server-time", "AUTHENTICATE +")
    return login


def test_the_whole_way():
    login = Login(credentials("Иван", SECRET))
    assert b"".join(login.begin()).decode() == "CAP LS :302\r\nNICK :Иван\r\nUSER u 0 * :Иван\r\n"
    assert feed(login, ":s CAP * LS :server-time sasl=EXTERNAL,PLAIN other=1 echo-message") == [
        "CAP REQ :echo-message sasl server-time"
    ]
    assert feed(login, ":s CAP * ACK :echo-message sasl server-time") == ["AUTHENTICATE :PLAIN"]
    (response,) = feed(login, "AUTHENTICATE +")
    assert base64.b64decode(response.removeprefix("AUTHENTICATE :")).decode() == f"\0Иван\0{SECRET}"
    assert feed(login, ":s 900 * Иван!u@h Иван :You are in") == []
    assert feed(login, ":s 903 * :Fine") == ["CAP :END"]
    assert not login.nick
    assert feed(login, ":s 001 Иван :Welcome") == []
    assert login.nick == "Иван"
    assert login.capabilities == {"echo-message", "sasl", "server-time"}


def test_a_list_in_several_lines_is_asked_for_once():
    login = start()
    assert feed(login, ":s CAP * LS * :sasl=PLAIN server-time") == []
    assert feed(login, ":s CAP * LS :echo-message") == ["CAP REQ :echo-message sasl server-time"]
    assert feed(login, ":s CAP * LS :echo-message") == []


def test_everything_we_know_fits_one_request():
    login = start()
    assert feed(login, f":s CAP * LS :{' '.join(WANTED)}") == [f"CAP REQ :{' '.join(WANTED)}"]


def test_a_refused_request_is_repeated_without_the_comforts():
    login = start()
    feed(login, "CAP * LS :sasl server-time")
    assert feed(login, "CAP * NAK :sasl server-time") == ["CAP REQ :sasl"]
    assert feed(login, "CAP * ACK :sasl") == ["AUTHENTICATE :PLAIN"]
    assert login.capabilities == {"sasl"}


def test_acknowledged_in_pieces():
    login = start()
    feed(login, "CAP * LS :sasl server-time")
    assert feed(login, "CAP * ACK :server-time", "CAP * ACK :sasl") == ["AUTHENTICATE :PLAIN"]
    assert login.capabilities == {"sasl", "server-time"}


def test_what_nobody_asked_for_is_not_switched_on():
    login = start()
    feed(login, "CAP * LS :sasl", "CAP * ACK :sasl evil")
    assert login.capabilities == {"sasl"}


@pytest.mark.parametrize("size", [1, 290, 295, 296, 300, 1000])
def test_long_passwords_travel_in_pieces(size):
    login = start(password="x" * size)
    chunks = feed(login, "CAP * LS :sasl", "CAP * ACK :sasl", "AUTHENTICATE +")[1 + 1 :]
    chunks = [chunk.removeprefix("AUTHENTICATE :") for chunk in chunks]
    assert all(len(chunk) <= 400 for chunk in chunks)
    assert len(chunks[-1]) < 400
    text = "".join(chunks).removesuffix("+") if chunks[-1] == "+" else "".join(chunks)
    assert base64.b64decode(text) == b"\0alice\0" + b"x" * size


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["CAP * LS :server-time"], "offers no login by password"),
        (["CAP * LS :sasl=EXTERNAL,SCRAM-SHA-256"], "offers no login by password"),
        (["CAP * LS :sasl", "CAP * NAK :sasl"], "offers no login by password"),
        ([":s 421 * CAP :Unknown command"], "offers no login by password"),
        ([":s 001 alice :Welcome, whoever you are"], "offers no login by password"),
        (["CAP * LS :sasl", "CAP * ACK :sasl", ":s 001 alice :Welcome"], "offers no login by password"),
        ([":s 433 * alice :Nickname is taken"], "The server refused the login: Nickname is taken."),
        ([":s 465 * :You are banned."], "The server refused the login: You are banned."),
        (["ERROR :Too many connections"], "The server refused the login: Too many connections."),
        (["FAIL * ACCOUNT_REQUIRED :Log in first"], "The server refused the login: Log in first."),
        (["ERROR"], "The server refused the login."),
        (["ERROR :\x1b]0;title\x07go\x1b[31m away\u202e!"], "The server refused the login: go away!."),
    ],
)
def test_logins_that_cannot_be(lines, says):
    with pytest.raises(LoginError, match=re.escape(says)):
        feed(start(), *lines)


@pytest.mark.parametrize("code", ["902", "904", "905", "906", "907", "908"])
def test_refused_passwords(code):
    with pytest.raises(LoginError, match=r"^Login refused: the name or the password is wrong\.$"):
        feed(proved(), f":s {code} * :Login refused: the name or the password is wrong")


@pytest.mark.parametrize(
    "line",
    [
        "AUTHENTICATE +",  # a second time
        ":s NOTICE * :*** Looking up your hostname",
        ":s 020 * :Please wait",
        "CAP",
        "CAP *",
        "CAP * LS",
        "CAP * NEW :fun",
        "WARN * SOMETHING :Careful",
        ":s 421 * FOO :Unknown command",
    ],
)
def test_what_needs_no_answer(line):
    assert feed(proved(), line) == []


def test_the_password_is_not_said_before_it_is_asked_for_over_sasl():
    login = start()
    assert feed(login, "AUTHENTICATE +", "CAP * LS :sasl", "AUTHENTICATE +", ":s 903 * :Fine") == ["CAP REQ :sasl"]


@pytest.mark.parametrize("name", ["", "two words", "a\nb", "a\0b", ":a", "x" * 129, "\udcff"])
def test_names_that_no_account_has(name):
    with pytest.raises(LoginError):
        credentials(name, SECRET)


@pytest.mark.parametrize("password", ["", "a\0b", "x" * 1025, "\udcff"])
def test_passwords_that_nobody_has(password):
    with pytest.raises(LoginError) as caught:
        credentials("alice", password)
    assert not password or password not in str(caught.value)
    assert caught.value.__context__ is None


def test_no_repr_shows_the_password():
    login = start()
    assert SECRET not in f"{login!r} {vars(login)!r}"
