"""ENROL and DEVICES, by plain calls."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from helpers.house import House, account, codes

from securechat.chat.devices import revoked
from securechat.protocol.sasl import pieces
from securechat.records import Device, Enrol, Revoke, Unanswered

PRINT = "ab" * 32
NOW = 1_700_000_000_000
LAPTOP = Device("laptop", PRINT, NOW, NOW + 90 * 86_400_000)
REQUEST = bytes(range(256)) * 3


@pytest.fixture
def house():
    alice = replace(account("Alice"), devices=(LAPTOP,))
    return House(accounts=[alice, account("root", 0, "admin"), account("bob")])


def enrol(here, device="laptop", request=REQUEST):
    return here.say(*(f"ENROL {device} {piece}" for piece in pieces(base64.b64encode(request).decode())))


def test_a_request_comes_in_pieces_and_so_does_the_certificate(house):
    house.granted = (LAPTOP, bytes(700))
    lines = enrol(house.login("Alice"))
    assert house.requests == [Enrol("alice", "laptop", REQUEST, 0)]
    *answer, note = lines
    assert [line.split()[:3] for line in answer] == [[":s.example", "ENROL", "laptop"]] * 3
    assert base64.b64decode("".join(line.split()[3] for line in answer)) == bytes(700)
    assert note == (
        f":s.example NOTE ENROL CERTIFICATE laptop 2024-02-12T22:13:20.000Z {PRINT} "
        ":laptop logs in by this certificate until 2024-02-12"
    )


def test_what_cannot_be_given_is_one_sentence(house):
    house.granted = Unanswered("CANNOT_SIGN", "Not here")
    assert enrol(house.login("bob")) == [":s.example FAIL ENROL CANNOT_SIGN laptop :Not here"]


def test_another_device_begins_anew_and_a_star_drops(house):
    here = house.login("bob")
    here.say(f"ENROL laptop {'A' * 400}")
    assert enrol(here, "phone")[-1].startswith(":s.example FAIL ENROL REFUSED phone")
    assert house.requests == [Enrol("bob", "phone", REQUEST, 0)]
    here.say(f"ENROL laptop {'A' * 400}")
    assert here.say("ENROL laptop *") == [":s.example FAIL ENROL ABORTED laptop :The request was dropped"]
    assert here.session.enrolling is None


@pytest.mark.parametrize("pieces_", [["!"], ["A" * 401], ["A" * 400] * 11, ["AAA"]])
def test_what_is_no_request_goes_no_further(house, pieces_):
    here = house.login("bob")
    lines = here.say(*(f"ENROL laptop {piece}" for piece in pieces_))
    assert [line.split()[2:4] for line in lines] == [["ENROL", "INVALID_REQUEST"]]
    assert house.requests == []
    assert here.session.enrolling is None


def test_a_certificate_renews_itself_and_adds_no_device(house):
    here = house.connect(PRINT)
    here.say("CAP LS 302", "NICK x", "USER u 0 * :A", "AUTHENTICATE EXTERNAL", "AUTHENTICATE +", "CAP END")
    assert here.session.person is not None
    assert enrol(here, "phone", b"x")[0].startswith(":s.example FAIL ENROL PASSWORD_REQUIRED phone ")
    assert house.requests == []
    renewed = replace(LAPTOP, fingerprint="ab" * 32, not_after=LAPTOP.not_after + 1)
    house.granted = (renewed, b"der")
    enrol(here, "laptop", b"x")
    assert house.requests == [Enrol("alice", "laptop", b"x", 0, PRINT)]
    assert (here.session.proof, here.session.certificate) == (renewed, renewed.fingerprint)


def test_a_certificate_that_ran_out_is_not_beyond_revoking(house):
    here = house.connect(PRINT)
    here.say("CAP LS 302", "NICK x", "USER u 0 * :A", "AUTHENTICATE EXTERNAL", "AUTHENTICATE +", "CAP END")
    alice = house.hub.accounts["alice"]
    other = replace(LAPTOP, fingerprint="ab" * 32, not_after=LAPTOP.not_after + 10**9)
    house.now = house.hub.now = LAPTOP.not_after + 1
    house.run(None, house.hub.accounts_changed({"alice": replace(alice, devices=(other,))}))
    assert revoked(house.hub) == []
    house.run(None, house.hub.accounts_changed({"alice": replace(alice, devices=())}))
    assert revoked(house.hub) == [here.session]


def test_strangers_are_told_to_log_in(house):
    here = house.connect()
    assert codes(here.say("ENROL a b", "DEVICES", "DEVICES LIST alice")) == ["451"] * 3


def test_the_own_devices(house):
    here, made, end = house.login("Alice"), "2023-11-14T22:13:20.000Z", "2024-02-12T22:13:20.000Z"
    context = f"Alice laptop {made} {end} {PRINT}"
    expected = [
        f":s.example NOTE DEVICES DEVICE {context} :logs in by certificate until 2024-02-12",
        ":s.example NOTE DEVICES END Alice :1 certificate",
    ]
    assert here.say("DEVICES") == here.say("devices list") == here.say("DEVICES LIST alice") == expected
    house.granted = 1
    assert here.say("DEVICES REVOKE laptop") == [
        ":s.example NOTE DEVICES REVOKED Alice laptop :laptop logs in by certificate no more"
    ]
    assert house.requests == [Revoke("alice", "laptop")]


def test_those_of_others_are_the_administrators_affair(house):
    bob, root = house.login("bob"), house.login("root")
    for line in ("DEVICES LIST alice", "DEVICES LIST nobody", "DEVICES REVOKE laptop alice"):
        assert codes(bob.say(line)) == ["481"], line
    house.granted = 1
    assert len(root.say("DEVICES LIST alice")) == 2
    assert codes(root.say("DEVICES LIST nobody")) == ["401"]
    root.say("DEVICES REVOKE laptop alice")
    assert house.requests == [Revoke("alice", "laptop")]


def test_mistakes(house):
    here = house.login("Alice")
    assert here.say("DEVICES REVOKE phone")[0].startswith(":s.example FAIL DEVICES NO_SUCH_DEVICE Alice phone ")
    for line in ("DEVICES REVOKE", "DEVICES BURN x"):
        assert here.say(line)[0].startswith(":s.example FAIL DEVICES INVALID_PARAMS "), line


def test_those_that_ran_out_are_not_listed(house):
    house.change("alice", devices=(replace(LAPTOP, not_after=NOW - 1),))
    assert house.login("Alice").say("DEVICES") == [":s.example NOTE DEVICES END Alice :0 certificates"]
