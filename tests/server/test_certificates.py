"""The server's own certificate: renewed without dropping anybody, taken in from outside, and warned of in time."""

from __future__ import annotations

import signal
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from helpers.commands import refused
from helpers.devices import enrol, prove
from helpers.homes import PASSWORDS
from helpers.leaves import Authority
from helpers.wire import Wire

from securechat import certs
from securechat.certs import KeyPlace
from securechat.config import ServerConfig
from securechat.server import caretaker
from securechat.server.app import Server
from securechat.server.parts import ServerError, gather

NOW = datetime.now(UTC)


def shown(wire):
    return ssl.DER_cert_to_PEM_cert(wire.sock.getpeercert(binary_form=True))


def leaf(home):
    return (home.certs / "server.pem").read_text().partition("-----END CERTIFICATE-----\n")[0]


def anew(home, days, ago):
    """Make authority and leaf as if that had been done so many days ago."""
    for path in list(home.certs.iterdir()):
        path.unlink()
    return certs.issue(home.certs, days=days, now=NOW - timedelta(days=ago))


def test_fifty_stay_while_the_certificate_is_renewed(serve, dial, home):
    anew(home, 90, 25)
    server = serve()
    before = [dial(server, "bob") for _ in range(25)] + [dial(server) for _ in range(25)]
    old = leaf(home)
    certs.issue(home.certs, days=30, now=NOW - timedelta(days=25))  # as if the server had run for long
    due = leaf(home)
    server._issuer.look(NOW)
    alice = dial(server, "alice")
    alice.barrier()
    while shown(new := dial(server)).startswith(old):
        new.barrier()
    assert shown(new).startswith(leaf(home))
    assert leaf(home) not in (old, due)
    alice.send("PRIVMSG #lobby :still here?")
    for wire in before[:25]:
        wire.expect("PRIVMSG #lobby :still here\\?$")
    for wire in before[25:]:
        assert wire.barrier() == []


def test_one_that_is_due_is_renewed_before_anybody_connects(serve, dial, home):
    anew(home, 30, 25)
    old = leaf(home)
    assert not shown(dial(serve())).startswith(old)


def test_one_that_expired_is_renewed_at_the_start(serve, dial, home):
    anew(home, 30, 40)
    dial(serve(), "alice")


def test_one_that_is_not_due_stays(serve, home):
    old = leaf(home)
    serve()
    assert leaf(home) == old


def test_hangup_reads_certificates_again_and_nobody_is_dropped(serving, home):
    server = serving()
    stays = server.dial().login("alice", PASSWORDS["alice"])
    certs.issue(home.certs)
    server.signal(signal.SIGHUP)
    new = False
    while not new:
        wire = server.dial()
        new = shown(wire).startswith(leaf(home))
        wire.close()
    stays.barrier()
    stays.close()
    assert server.stop() == 0  # its log is read by a thread, and is all there at its end
    assert "SIGHUP: users, certificates and message of the day have been read again" in server.said()


def test_bad_files_leave_the_old_ones_in_force_and_admins_are_told(server, dial, home):
    alice, bob = dial(server, "alice"), dial(server, "bob")
    old = leaf(home)
    (home.certs / "server.pem").write_text("nonsense")
    server.reread("a test")
    alice.expect(r"^:securechat\.local NOTICE alice :.*server\.pem holds no certificate")
    assert shown(dial(server)).startswith(old)
    assert not [line for line in bob.barrier() if "NOTICE" in line]


def test_an_administrator_says_rehash(server, dial, home):
    alice = dial(server, "alice")
    certs.issue(home.certs)
    alice.send("REHASH")
    alice.expect(" 382 alice ")
    assert shown(dial(server)).startswith(leaf(home))


# From outside


@pytest.fixture
def public(tmp_path):
    return Authority(tmp_path / "public")


def config(home, leaf):
    return ServerConfig(home=home, port=0, certificate=leaf.pem, key=leaf.key)


def test_a_public_certificate_and_devices_of_our_own(home, public, tmp_path):
    laptop = enrol(home, tmp_path / "laptop.pem")
    with Server(config(home, public.leaf())) as server:
        wire = Wire(server.port, public.pem, device=laptop)
        assert prove(wire) == "903"
        wire.send("CA")
        wire.expect("FAIL CA NO_AUTHORITY ")
        wire.close()


def test_a_public_certificate_needs_no_authority(home, public):
    for path in list(home.certs.iterdir()):
        path.unlink()
    with Server(config(home, public.leaf())) as server:
        wire = Wire(server.port, public.pem)
        wire.login("alice", PASSWORDS["alice"])
        wire.send(f"ENROL laptop {'A' * 400}", "ENROL laptop +")
        wire.expect("FAIL ENROL INVALID_REQUEST laptop ")
        wire.close()


def test_files_that_are_none(home, public, tmp_path):
    good, other = public.leaf(), public.leaf(end=3)
    for pem, key, why in (
        (tmp_path / "x", good.key, f"There is no {tmp_path / 'x'}: put it there, or mend --cert and --key."),
        (good.pem, other.key, "do not belong together: put back the two that do."),
    ):
        with pytest.raises(ServerError) as caught:
            gather(ServerConfig(home=home, port=0, certificate=pem, key=key))
        assert why in str(caught.value)


def test_the_key_of_the_authority_never_serves(home):
    for kind in ("pem", "key"):
        (home.certs / f"server.{kind}").write_bytes((home.certs / f"ca.{kind}").read_bytes())
    with pytest.raises(ServerError, match="has the key of the authority"):
        gather(ServerConfig(home=home, port=0))


def test_one_option_without_the_other(home):
    assert "--cert and --key go together" in refused("serve", "--cert", "x", "--home", home.path)


# What needs a human


def test_admins_are_told_what_nears_its_end(serve, dial, home, tmp_path, caplog):
    certs.issue(home.certs, days=90, place=KeyPlace(offline=tmp_path))
    server = serve()
    alice = dial(server, "alice")
    server._issuer.look(datetime.now(UTC) + timedelta(days=80))
    alice.expect(
        r"NOTICE alice :The server certificate expires on \S+ \(in 9 days\); run 'securechat init-certs' where"
    )
    assert "The server certificate expires on" in caplog.text


@pytest.mark.parametrize(("days", "warns"), [(55, False), (74, False), (76, True), (91, True)])
def test_when_a_leaf_that_cannot_be_renewed_is_told_of(home, tmp_path, days, warns):
    certs.issue(home.certs, days=90, place=KeyPlace(offline=tmp_path), now=NOW)
    found = caretaker.look(ServerConfig(home=home), NOW + timedelta(days=days))
    assert not found.renewed
    assert bool(found.warnings) is warns


def test_the_authority_is_told_of_half_a_year_before(home):
    made = certs.issue(home.certs)
    config = ServerConfig(home=home)
    assert caretaker.look(config, made.ca_not_after - timedelta(days=181)).warnings == []
    (warning,) = caretaker.look(config, made.ca_not_after - timedelta(days=179)).warnings
    assert warning.startswith("The certificate authority expires on ")


def test_a_foreign_certificate_is_told_of(home, public):
    config_ = config(home, public.leaf(end=90))
    assert caretaker.look(config_, NOW + timedelta(days=60)).warnings == []
    (warning,) = caretaker.look(config_, NOW + timedelta(days=80)).warnings
    assert "have its issuer renew it, then send SIGHUP" in warning


def test_trouble_on_the_way_is_a_warning(home):
    made = certs.describe(home.certs)
    (home.certs / "ca.key").write_text("nonsense")
    (warning,) = caretaker.look(ServerConfig(home=home), made.not_after - timedelta(days=2)).warnings
    assert "it could not be renewed: " in warning
    assert "ca.key holds no EC private key" in warning
