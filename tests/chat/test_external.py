"""Logging in by a certificate, and what becomes of devices whose certificate is revoked; by plain calls."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from helpers.house import SECRET, House, account, codes

from securechat.chat.devices import REVOKED
from securechat.chat.registration import NO_CERTIFICATE
from securechat.records import Device

LAPTOP, PHONE = "ab" * 32, "cd" * 32
NOW = 1_700_000_000_000
SOON = NOW + 1_000_000


def device(name: str, fingerprint: str, not_after: int = SOON) -> Device:
    return Device(name, fingerprint, NOW, not_after)


@pytest.fixture
def house():
    alice = replace(account("Alice"), devices=(device("laptop", LAPTOP), device("phone", PHONE)))
    return House(accounts=[alice, account("bob"), account("carol")])


def external(house: House, certificate: str, response: str = "+"):
    here = house.connect(certificate)
    here.say("CAP LS 302", "NICK x", "USER u 0 * :A", "CAP REQ sasl")
    assert here.say("AUTHENTICATE EXTERNAL") == ["AUTHENTICATE +"]
    return here, here.say(f"AUTHENTICATE {response}")


def name(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("response", ["+", name("Alice"), name("ALICE"), name("alice@laptop")])
def test_a_known_certificate_is_a_login(house, response):
    here, lines = external(house, LAPTOP, response)
    assert lines == [
        ":s.example 900 * Alice!u@alice Alice :You are now logged in as Alice",
        ":s.example 903 * :Login succeeded",
    ]
    assert codes(here.say("CAP END"))[0] == "001"
    assert here.session.device == "laptop"


@pytest.mark.parametrize(
    ("certificate", "response"),
    [
        ("", "+"),
        ("ef" * 32, "+"),
        (LAPTOP, name("bob")),
        (LAPTOP, name("nobody")),
        (LAPTOP, "!"),
        ("", name("Alice")),
    ],
)
def test_anything_else_is_refused_in_the_same_words(house, certificate, response):
    here, lines = external(house, certificate, response)
    assert lines == [f":s.example 904 * :{NO_CERTIFICATE}"]
    assert here.session.account is None
    assert codes(here.say("AUTHENTICATE PLAIN")) == ["+"], "a password is still good"


def test_out_of_date_disabled_or_revoked(house):
    house.change("alice", devices=(device("laptop", LAPTOP, house.now),))
    assert external(house, LAPTOP)[1] == external(house, PHONE)[1] == [f":s.example 904 * :{NO_CERTIFICATE}"]
    house.change("alice", disabled=True, devices=(device("laptop", LAPTOP),))
    assert codes(external(house, LAPTOP)[1]) == ["904"]


def test_guesses_are_counted_as_those_of_passwords_are(house):
    here, _ = external(house, "ef" * 32)
    for _ in range(2):
        here.say("AUTHENTICATE EXTERNAL", "AUTHENTICATE +")
    assert here.closed == "login refused too often"


def test_a_revoked_device_is_ended_and_no_other(house):
    laptop, phone = external(house, LAPTOP)[0], external(house, PHONE)[0]
    laptop.say("CAP END")
    phone.say("CAP END")
    typed = house.connect(LAPTOP)
    typed.say(f"PASS alice:{SECRET}", "NICK x", "USER u 0 * :A")
    bob = house.login("bob")
    house.change("alice", devices=(device("phone", PHONE),))
    assert laptop.heard()[-1] == f"ERROR :{REVOKED}"
    assert laptop.closed == "device revoked"
    assert not phone.closed
    assert not typed.closed, "a password let it in"
    assert bob.heard() == [], "she is still here"
    house.change("alice", devices=())
    assert phone.closed
    typed.leave()
    assert bob.heard() == [":Alice!u@alice QUIT :Connection closed"]


def test_the_last_device_is_shown_leaving(house):
    external(house, LAPTOP)[0].say("CAP END")
    bob = house.login("bob")
    house.change("alice", devices=())
    assert bob.heard() == [":Alice!u@alice QUIT :Device revoked"]


def test_a_certificate_that_ran_out_or_was_renewed_ends_nothing(house):
    laptop = external(house, LAPTOP)[0]
    laptop.say("CAP END")
    new = device("laptop", "ef" * 32)
    house.change("alice", devices=(device("laptop", LAPTOP, house.now + 5), new))
    house.now = house.hub.now = house.now + 6
    house.change("alice", devices=(new,))
    assert not laptop.closed


def test_revoked_between_proof_and_welcome(house):
    half = external(house, LAPTOP)[0]
    house.change("alice", devices=())
    half.say("CAP END")
    assert half.closed == "account gone during login"


def by_password(house: House, name: str):
    """A device that has proved its password and goes on negotiating."""
    here = house.connect()
    response = base64.b64encode(f"\0{name}\0{SECRET}".encode()).decode()
    lines = here.say("CAP LS 302", "NICK x", "USER u 0 * :A", "AUTHENTICATE PLAIN", f"AUTHENTICATE {response}")
    assert "903" in codes(lines)
    return here


@pytest.mark.parametrize("changed", [{"hash": "another"}, {"kicked": NOW + 10**9}, {"disabled": True}])
def test_what_was_proved_before_a_change_counts_no_more(house, changed):
    half = by_password(house, "bob")
    house.change("bob", **changed)
    half.say("CAP END")
    assert half.closed == "account gone during login"


def test_another_password_leaves_devices_alone(house):
    laptop = external(house, LAPTOP)[0]
    house.change("alice", hash="another")
    laptop.say("CAP END")
    assert laptop.session.person is not None
