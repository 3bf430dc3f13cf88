"""CA, REGISTER and VERIFY before any login, by plain calls."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from helpers.house import SECRET, House, account, codes

from securechat.chat.joining import REFUSED
from securechat.records import Redeem, Unanswered

WORD = "a password of my own"


@pytest.fixture
def house():
    return House(accounts=[account("Alice")])


def stranger(house):
    here = house.connect()
    here.say("CAP LS 302", "NICK olga", "USER u 0 * :Olga")
    return here


def redeem(here, name="Olga", token="tok-en"):
    here.say(f"REGISTER {name} * :{WORD}")
    return here.say(f"VERIFY {name} {token}")


def test_a_token_and_a_password_make_an_account_that_is_logged_in(house):
    here = stranger(house)
    assert here.say(f"REGISTER Olga * :{WORD}") == [
        ":s.example REGISTER VERIFICATION_REQUIRED Olga :Now send your invite's token: VERIFY <account> <token>"
    ]
    house.granted = account("Olga")
    house.hub.accounts = {**house.hub.accounts, "olga": house.granted}
    assert here.say("VERIFY olga tok-en") == [
        ":s.example VERIFY SUCCESS Olga :The account Olga is yours; you are logged in",
        ":s.example 900 * Olga!u@olga Olga :You are now logged in as Olga",
    ]
    assert house.requests == [Redeem("Olga", "tok-en", WORD)]
    assert WORD not in repr(house.requests)
    assert "tok-en" not in repr(house.requests)
    assert codes(here.say("AUTHENTICATE PLAIN")) == ["907"]
    assert codes(here.say("CAP END"))[0] == "001"


def test_a_star_stands_for_the_nick(house):
    here = stranger(house)
    here.say(f"REGISTER * * {SECRET}")
    house.granted = None
    here.say("VERIFY olga x")
    assert house.requests == [Redeem("olga", "x", SECRET)]
    assert (
        here.house.connect()
        .say("CAP LS", "REGISTER * * x")[-1]
        .startswith(":s.example FAIL REGISTER NEED_NICK * ")
    )


def test_the_answer_is_the_same_whether_an_account_or_an_invite_exists(house):
    house.granted = None
    told = {tuple(line.replace(name, "X") for line in redeem(stranger(house), name)) for name in ("Alice", "Olga")}
    assert told == {(f":s.example FAIL VERIFY INVALID_CODE X :{REFUSED}",)}


def test_guesses_are_counted_as_those_of_passwords_are(house):
    house.granted = None
    here = stranger(house)
    for _ in range(3):
        redeem(here)
    assert here.closed == "invite refused too often"


def test_a_weak_password_may_be_mended(house):
    house.granted = Unanswered("WEAK_PASSWORD", "Longer")
    here = stranger(house)
    assert redeem(here) == [":s.example FAIL VERIFY WEAK_PASSWORD Olga :Longer"]
    assert not here.closed


def test_our_own_trouble_is_no_try(house):
    here = stranger(house)
    for code in ("BUSY", "INTERNAL_ERROR") * 3:
        house.granted = Unanswered(code, "Later")
        assert redeem(here) == [":s.example FAIL VERIFY TEMPORARILY_UNAVAILABLE Olga :Later"]
    assert not here.closed


def test_out_of_order_or_for_another_name(house):
    here = stranger(house)
    for lines in (["VERIFY Olga x"], [f"REGISTER Olga * :{WORD}", "VERIFY Ольга x"], ["VERIFY Olga x"]):
        assert " FAIL VERIFY INVALID_CODE " in here.say(*lines)[-1]
    assert house.requests == []


def test_members_have_no_use_for_it(house):
    here = house.login("Alice")
    assert here.say("REGISTER Olga * x", "VERIFY Olga x") == [
        ":s.example FAIL REGISTER ALREADY_AUTHENTICATED Olga :You are logged in already",
        ":s.example FAIL VERIFY ALREADY_AUTHENTICATED Olga :You are logged in already",
    ]


def test_anybody_may_see_the_authority(house):
    der = bytes(range(250)) * 2
    house.hub.rules = replace(house.hub.rules, authority=base64.b64encode(der).decode())
    lines = house.connect().say("CA")
    assert {line.rpartition(" ")[0] for line in lines} == {":s.example CA"}
    assert base64.b64decode("".join(line.rpartition(" ")[2] for line in lines)) == der
    house.hub.rules = replace(house.hub.rules, authority="")
    assert house.connect().say("CA")[0].startswith(":s.example FAIL CA NO_AUTHORITY ")
