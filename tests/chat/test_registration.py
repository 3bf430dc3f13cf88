"""Conversations up to the login, by plain calls."""

from __future__ import annotations

import base64

import pytest
from helpers.house import SECRET, House

from securechat.chat import commands
from securechat.chat.registration import HOW_TO_LOG_IN, REFUSED
from securechat.protocol.capabilities import advertise
from securechat.protocol.errors import Fault

ACCOUNT_REQUIRED = [f":s.example FAIL * ACCOUNT_REQUIRED :{HOW_TO_LOG_IN}", f"ERROR :{HOW_TO_LOG_IN}"]


def plain(name: str, password: str) -> str:
    return "AUTHENTICATE " + base64.b64encode(f"\0{name}\0{password}".encode()).decode()


def codes(lines: list[str]) -> list[str]:
    return [line.split()[1] for line in lines]


def test_sasl_login_end_to_end():
    house = House()
    device = house.connect()
    (offered,) = device.say("CAP LS 302")
    assert offered == f":s.example CAP * LS :{' '.join(advertise(values=True))}"
    assert device.say("NICK wanted", "USER u 0 * :Alice Person") == []
    assert device.say("CAP REQ :sasl server-time") == [":s.example CAP * ACK :sasl server-time"]
    assert device.say("AUTHENTICATE PLAIN") == ["AUTHENTICATE +"]
    assert device.say(plain("Alice", SECRET)) == [
        ":s.example 900 * Alice!u@alice Alice :You are now logged in as Alice",
        ":s.example 903 * :Login succeeded",
    ]
    lines = device.say("CAP END")
    assert codes(lines) == [
        *("001", "002", "003", "004", "005", "005", "005", "251", "252", "254", "255", "265", "266", "422"),
        *(":Alice!u@alice", "353", "366"),
    ]
    assert all(line.split()[2] == "Alice" for line in lines[:14])
    assert lines[14] == "@time=2023-11-14T22:13:20.003Z :Alice!u@alice JOIN #lobby"
    assert house.admitted == [device.session]


def test_old_clients_get_capabilities_without_values():
    (offered,) = House().connect().say("CAP LS")
    assert " sasl securechat/order server-time " in offered
    assert "=" not in offered


def test_a_password_works_without_sasl():
    device = House().connect()
    lines = device.say(f"PASS alice:{SECRET}", "NICK x", "USER u 0 * :A")
    assert lines[0] == ":s.example 001 Alice :Welcome to securechat, Alice"


def test_a_password_with_colons_works():
    device = House().connect()
    assert "464" in device.say("PASS alice:a:b", "NICK x", "USER u 0 * :A")[0]


def test_wrong_pass_closes():
    device = House().connect()
    assert device.say("PASS alice:wrong", "NICK x", "USER u 0 * :A") == [
        f":s.example 464 * :{REFUSED}",
        f"ERROR :{REFUSED}",
    ]
    assert device.closed


def test_pass_in_another_shape_is_explained():
    assert House().connect().say("PASS hunter2") == [":s.example 464 * :Set the server password to NAME:PASSWORD"]


@pytest.mark.parametrize("name", ["Alice", "nobody"])
def test_three_wrong_passwords_close_and_tell_nothing(name):
    device = House().connect()
    device.say("CAP LS 302", "NICK x", "USER u 0 * :A")
    for _ in range(2):
        assert device.say("AUTHENTICATE PLAIN", plain(name, "wrong"))[1:] == [f":s.example 904 * :{REFUSED}"]
        assert not device.closed
    assert device.say("AUTHENTICATE PLAIN", plain(name, "wrong"))[-1] == f"ERROR :{REFUSED} (3 tries)"
    assert device.closed


def test_without_a_login_nobody_gets_in():
    device = House().connect()
    assert device.say("NICK x", "USER u 0 * :A") == ACCOUNT_REQUIRED
    device = House().connect()
    device.say("CAP LS 302", "NICK x", "USER u 0 * :A")
    assert device.say("CAP END") == ACCOUNT_REQUIRED


@pytest.mark.parametrize("command", sorted({*commands.TABLE, "LIST", "WHOIS", "NONSENSE"}))
def test_strangers_learn_nothing(command):
    house = House()
    house.login("Alice").say("JOIN #secret")
    device = house.connect()
    row = commands.TABLE.get(command)
    lines = device.say(f"{command} #secret Alice x :y")
    if row is None or not row.stranger:
        assert lines == [":s.example 451 * :Log in first"]
    if command in ("REGISTER", "VERIFY"):  # they repeat what was said, whether it exists or not: test_joining
        return
    assert not any("#secret" in line or "Alice" in line for line in lines if "PONG" not in line)


def test_sasl_oddities():
    device = House().connect()
    device.say("CAP LS 302")
    assert codes(device.say("AUTHENTICATE SCRAM-SHA-256")) == ["908", "904"]
    assert codes(device.say("AUTHENTICATE *")) == ["906"]
    assert device.say("AUTHENTICATE PLAIN", "AUTHENTICATE !!!!")[-1] == f":s.example 904 * :{REFUSED}"
    device.say("AUTHENTICATE PLAIN")
    assert codes(device.say("AUTHENTICATE " + "A" * 401)) == ["905"]
    device.say("AUTHENTICATE PLAIN", plain("Alice", SECRET))
    assert codes(device.say("AUTHENTICATE PLAIN")) == ["907"]


def test_an_unknown_capability_is_refused_with_its_request():
    device = House().connect()
    assert device.say("CAP REQ :server-time nonsense") == [":s.example CAP * NAK :server-time nonsense"]
    assert device.say("CAP LIST") == [":s.example CAP * LIST :"]
    assert codes(device.say("CAP WHAT")) == ["410"]


def test_nicknames_are_accounts():
    alice = House().login("Alice")
    assert alice.say("NICK ALICE", "NICK alice") == []
    assert alice.say("NICK bob") == [
        ":s.example 447 Alice :Your nickname is your account's name, Alice, and does not change"
    ]
    assert codes(alice.say("USER a 0 * :b", "PASS a:b")) == ["462", "462"]


def test_a_deleted_account_cannot_finish_its_login():
    house = House()
    device = house.connect()
    device.say("CAP LS 302", "NICK x", "USER u 0 * :A", "AUTHENTICATE PLAIN", plain("Alice", SECRET))
    house.run(None, house.hub.accounts_changed({}))
    assert device.say("CAP END") == [f"ERROR :{REFUSED}"]


def test_devices_are_limited():
    house = House(devices_per_account=2)
    house.login("Alice")
    house.login("Alice")
    third = house.connect()
    assert third.say(f"PASS alice:{SECRET}", "NICK x", "USER u 0 * :A") == [
        "ERROR :This account has 2 connections, which is the limit"
    ]


@pytest.mark.parametrize(
    ("fault", "reply"),
    [
        (Fault.TOO_LONG, "417"),
        (Fault.BAD_UTF8, "FAIL * INVALID_UTF8"),
        (Fault.BAD_BYTES, "FAIL * INVALID_LINE"),
        (Fault.BAD_SHAPE, "FAIL * INVALID_LINE"),
    ],
)
def test_faults_are_answered(fault, reply):
    house = House()
    for device in (house.connect(), house.login("Alice")):
        assert [reply in line for line in device.fault(fault)] == [True]
        assert not device.closed


def test_a_line_without_end_closes_and_others_see_it():
    house = House()
    alice, bob = house.login("Alice"), house.login("bob")
    assert alice.fault(Fault.ENDLESS) == ["ERROR :A line without end was sent"]
    assert bob.heard() == [":Alice!u@alice QUIT :Line without end"]


def test_ping_is_answered_before_and_after_login():
    house = House()
    assert house.connect().say("PING :a b") == [":s.example PONG s.example :a b"]
    alice = house.login("Alice")
    assert alice.say("PING x", "PONG x") == [":s.example PONG s.example :x"]
    assert codes(alice.say("PING")) == ["461"]
