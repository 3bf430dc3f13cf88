"""A device asks for its certificate over the wire, logs in by it, renews it, lists and revokes it."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from helpers.devices import csr, enrol, prove

from securechat.certs import KeyPlace, issue, new_key
from securechat.protocol.sasl import Exchange, pieces
from securechat.server.issuer import CANNOT_SIGN, Pace
from securechat.storage.users import UserFile


def ask(wire, device, request):
    """Send a request; give the certificate in DER, or the FAIL's code and text."""
    wire.send(*(f"ENROL {device} {piece}" for piece in pieces(base64.b64encode(request).decode())))
    start = len(wire.seen)
    found = wire.expect(f"(NOTE ENROL CERTIFICATE|FAIL ENROL) (\\S+) (?:{device} )?(.*)")
    if found[1] == "FAIL ENROL":
        return found[2], found[3]
    lines = [line for line in wire.seen[start:] if f" ENROL {device} " in line]
    exchange, text = Exchange(device), None
    for line in lines:
        text = exchange.feed(line.split()[-1].removeprefix(":"))
    return base64.b64decode(text)


def keep(file, key, der):
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    pem = x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)
    file.write_bytes(secret + pem)
    return file


def known(home, name="alice"):
    return UserFile(home.users).load()[name].devices


def test_from_a_password_to_a_certificate(server, dial, home, tmp_path):
    key = new_key()
    der = ask(dial(server, "alice"), "laptop", csr(key))
    (device,) = known(home)
    assert (device.name, device.not_after - device.created) == ("laptop", pytest.approx(90 * 86_400_000, abs=2000))
    wire = dial(server, device=keep(tmp_path / "a.pem", key, der))
    assert prove(wire) == "903"
    wire.send("DEVICES")
    assert wire.expect("NOTE DEVICES DEVICE alice laptop .* ([0-9a-f]{64}) :")[1] == device.fingerprint


def test_a_renewal_leaves_the_old_one_good_for_a_while(server, dial, home, tmp_path):
    old = enrol(home, tmp_path / "old.pem")
    wire = dial(server, device=old)
    assert prove(wire) == "903"
    key = new_key()
    der = ask(wire, "laptop", csr(key))
    before, after = known(home)
    assert before.not_after - after.created == pytest.approx(7 * 86_400_000, abs=2000)
    wire.barrier()
    assert prove(dial(server, device=old)) == "903", "whoever lost the answer can ask again"
    assert prove(dial(server, device=keep(tmp_path / "new.pem", key, der))) == "903"
    wire.send("DEVICES REVOKE laptop")
    assert wire.rest()[-1].startswith("ERROR :This device's certificate was revoked")
    assert known(home) == ()
    assert prove(dial(server, device=tmp_path / "new.pem")) == "904"


def test_asking_again_and_again_does_not_move_the_old_end(server, dial, home, tmp_path):
    wire = dial(server, "alice")
    enrol(home, tmp_path / "old.pem")
    ask(wire, "laptop", csr())
    (first, *_) = known(home)
    for _ in range(3):
        ask(wire, "laptop", csr())
    assert known(home)[0] == first


def test_one_person_has_so_many_devices(serve, dial, home):
    server = serve(enrolled_devices=2)
    wire = dial(server, "alice")
    for device in ("one", "two", "one"):
        assert isinstance(ask(wire, device, csr()), bytes)
    code, text = ask(wire, "three", csr())
    assert (code, text) == ("REFUSED", ":alice has 2 devices, which is the limit; revoke one first")
    wire.send("DEVICES REVOKE one")
    wire.expect("NOTE DEVICES REVOKED alice one ")
    assert isinstance(ask(wire, "three", csr()), bytes)
    assert isinstance(ask(dial(server, "bob"), "three", csr()), bytes)


def test_one_person_asks_so_often(serve, dial):
    server = serve(enrolments_per_hour=2)
    wire = dial(server, "alice")
    codes = [ask(wire, "one", csr()) for _ in range(3)]
    assert codes[2][0] == "RATE_LIMITED"
    assert isinstance(ask(dial(server, "bob"), "one", csr()), bytes)


def test_a_pace_is_that_of_an_hour_and_forgets():
    pace = Pace(2)
    assert [pace.take("a", now) for now in (0, 1, 2, 3600, 3600.5, 3601)] == [True, True, False, True, False, True]
    assert pace.take("b", 3601)


@pytest.mark.parametrize("device", ["x" * 33, "я" * 17, "a:b", "a@b", "a,b", "a\x01b"])
def test_names_that_devices_do_not_have(server, dial, home, device):
    wire = dial(server, "alice")
    wire.send(*(f"ENROL {device} {piece}" for piece in pieces(base64.b64encode(csr()).decode())))
    wire.expect("FAIL ENROL REFUSED .*A device's name has 1 to 32 bytes")
    assert known(home) == ()


def test_what_is_no_request(server, dial, home):
    wire = dial(server, "alice")
    for request in (b"", b"nonsense", csr()[:-3] + b"abc"):
        assert ask(wire, "laptop", request)[0] == "INVALID_REQUEST"
    assert known(home) == ()


@pytest.mark.parametrize("how", ["offline", "passphrase"])
def test_without_the_key_of_the_authority_nothing_is_signed(serve, dial, home, tmp_path, how):
    if how == "offline":
        issue(home.certs, place=KeyPlace(offline=tmp_path))
    else:
        issue(home.certs, place=KeyPlace(protect=b"correct horse"))
    server = serve()
    wire = dial(server, "alice")
    assert ask(wire, "laptop", csr()) == ("CANNOT_SIGN", f":{CANNOT_SIGN}")
    assert wire.barrier() == []


def test_an_account_disabled_meanwhile_gets_none(server, dial, home):
    wire = dial(server, "alice")
    with UserFile(home.users).edit() as users:
        users["alice"] = replace(users["alice"], disabled=True)
    wire.send(*(f"ENROL laptop {piece}" for piece in pieces(base64.b64encode(csr()).decode())))
    wire.rest()
    assert known(home) == ()


def test_the_log_has_names_and_no_keys(server, dial, caplog):
    caplog.set_level("INFO")
    wire = dial(server, "alice")
    begin = time.time()
    ask(wire, "laptop", csr())
    days = {time.strftime("%Y-%m-%d", time.gmtime(moment + 90 * 86400)) for moment in (begin, time.time())}
    (day,) = re.findall("enrolled: device laptop of alice until ([-0-9]+)", caplog.text)
    assert day in days  # two of them at midnight
