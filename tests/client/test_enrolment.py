"""A device asks for its certificate: names that are free, answers that are whole, and everything else. Pure."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client.enrolment import MALFORMED, MAX_CERTIFICATE, Enrolment, device_name, free_name
from securechat.protocol.message import Message, parse
from securechat.protocol.sasl import CHUNK, pieces
from securechat.server.devices import check_device

REQUEST = bytes(range(250)) + bytes(150)
DER = b"certificate" * 60


def hear(enrolment, *lines):
    """Feed lines; give what each leads to."""
    return [enrolment.feed(parse(line.encode())) for line in lines]


def sent(lines):
    return [line.decode().removesuffix("\r\n") for line in lines]


def answer(name, der=DER):
    parts = pieces(base64.b64encode(der).decode())
    return [f":s ENROL {name} :{part}" for part in parts]


NOTED = ":s NOTE ENROL CERTIFICATE laptop 2030-01-01T00:00:00.000Z abc :laptop logs in by this certificate"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("laptop", "laptop"),
        ("laptop.example.org", "laptop"),
        ("мой ноут", "мойноут"),
        ("a:b@c,d*e", "abcde"),
        ("x" * 63, "x" * 32),
        ("я" * 30, "я" * 16),
        ("", "device"),
        ("localhost", "device"),
        ("\ud800", "device"),
        ("...", "device"),
    ],
)
def test_a_machine_is_called_as_servers_allow(host, name):
    assert device_name(host) == name
    assert check_device(name) == name


@given(st.text(), st.integers(0, 30))
def test_every_free_name_is_allowed_and_free(host, others):
    wanted, taken = device_name(host), set()
    for _ in range(others):
        taken.add(free_name(wanted, taken))
    assert len(taken) == others
    assert check_device(free_name(wanted, taken)) not in taken


def test_a_new_device_takes_a_name_that_nobody_has():
    enrolment = Enrolment(REQUEST, "laptop")
    assert sent(enrolment.begin()) == ["DEVICES"]
    assert hear(
        enrolment,
        ":s NOTE DEVICES DEVICE alice laptop 2026-01-01T00:00:00Z 2026-04-01T00:00:00Z abc :logs in",
        ":s NOTE DEVICES DEVICE alice laptop-2 2026-01-01T00:00:00Z 2026-04-01T00:00:00Z abc :logs in",
    ) == [[], []]
    (lines,) = hear(enrolment, ":s NOTE DEVICES END alice :2 certificates")
    assert enrolment.name == "laptop-3"
    assert [line.split()[:2] for line in sent(lines)] == [["ENROL", "laptop-3"]] * 2
    said = "".join(line.rpartition(":")[2] for line in sent(lines)).removesuffix("+")
    assert base64.b64decode(said) == REQUEST


def test_a_device_with_a_name_keeps_it():
    enrolment = Enrolment(REQUEST, "elsewhere", "laptop")
    assert sent(enrolment.begin())[0].startswith("ENROL laptop :")
    assert hear(enrolment, *answer("laptop")) == [[]] * len(answer("laptop"))
    assert not enrolment.over
    assert hear(enrolment, NOTED) == [[]]
    assert (enrolment.over, enrolment.certificate, enrolment.code) == (True, DER, "")
    assert hear(enrolment, NOTED, ":s NOTE DEVICES END alice :1") == [None, None]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([NOTED], MALFORMED),
        ([":s ENROL laptop :***"], MALFORMED),
        ([f":s ENROL laptop :{'A' * CHUNK}"] * (MAX_CERTIFICATE // CHUNK + 1), MALFORMED),
        ([f":s ENROL laptop :{'A' * (CHUNK + 1)}"], MALFORMED),
        ([":s FAIL ENROL CANNOT_SIGN laptop :This server cannot sign"], "CANNOT_SIGN"),
        ([":s 421 alice ENROL :Unknown command"], "421"),
    ],
)
def test_what_is_no_certificate(lines, code):
    enrolment = Enrolment(REQUEST, "laptop", "laptop")
    enrolment.begin()
    hear(enrolment, *lines)
    assert (enrolment.over, enrolment.code, enrolment.certificate) == (True, code, b"")


def test_a_server_that_lists_no_devices_is_asked_for_nothing():
    for line in (":s 421 alice DEVICES :Unknown command", ":s FAIL DEVICES BUSY :Later\x1b[31m."):
        enrolment = Enrolment(REQUEST, "laptop")
        enrolment.begin()
        assert hear(enrolment, line) == [[]]
        assert enrolment.over
        assert "\x1b" not in enrolment.text


@pytest.mark.parametrize(
    "line",
    [
        ":bob!u@h PRIVMSG #lobby :ENROL laptop :abc",
        ":s ENROL",
        ":s ENROL phone :abc",
        ":s ENROL laptop",
        ":s NOTE DEVICES END alice :1 certificate",
        ":s NOTE ENROL CERTIFICATE phone x y :z",
        ":s FAIL DEVICES NO_SUCH_DEVICE alice x :no",
        ":s FAIL SEARCH NO :no",
        ":s FAIL",
        ":s 421 alice NONSENSE :Unknown command",
    ],
)
def test_what_belongs_to_the_conversation_is_left_to_it(line):
    enrolment = Enrolment(REQUEST, "laptop", "laptop")
    enrolment.begin()
    assert hear(enrolment, line) == [None]
    assert not enrolment.over


PARTS = st.sampled_from(["NOTE", "ENROL", "DEVICES", "DEVICE", "END", "laptop", "FAIL", "x y", "421", "+", "A"])


@given(st.lists(st.lists(PARTS, min_size=1, max_size=7), max_size=20))
def test_whatever_a_server_says(lines):
    enrolment = Enrolment(REQUEST, "laptop")
    enrolment.begin()
    for command, *params in lines:
        enrolment.feed(Message(command.replace(" ", ""), params, source="s"))
