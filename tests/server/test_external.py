"""Login by certificate over real TLS: ours while it is known, and nothing else."""

from __future__ import annotations

import ssl
from dataclasses import replace

import pytest
from helpers.devices import STRANGE, enrol, forge, prove, strange
from helpers.homes import PASSWORDS
from helpers.wire import Wire, connect

from securechat.chat.devices import REVOKED
from securechat.server import accounts, devices
from securechat.server.checker import Checker
from securechat.storage.users import UserFile


@pytest.fixture
def laptop(home, tmp_path):
    return enrol(home, tmp_path / "laptop.pem")


def test_a_known_certificate_logs_in_without_a_password_check(server, dial, laptop, monkeypatch, caplog):
    monkeypatch.setattr(Checker, "_check", lambda *_: pytest.fail("argon2 was run"))
    caplog.set_level("INFO")
    wire = dial(server, device=laptop)
    assert prove(wire) == "903"
    assert "by the certificate of laptop" in caplog.text
    wire.send("PRIVMSG #lobby :it is me", "WHOIS alice")
    wire.expect(" 330 alice alice alice ")


def test_one_without_a_certificate_and_one_with_an_unknown_one_are_told_the_same(
    server, dial, home, tmp_path, laptop, caplog
):
    unknown = [
        None,
        forge(home.certs, tmp_path / "unknown.pem"),
        forge(home.certs, tmp_path / "no-use.pem", use=None),
        forge(home.certs, tmp_path / "nobody.pem", name="nobody"),
    ]
    told = set()
    caplog.set_level("INFO")
    for file in unknown:
        wire = dial(server, device=file)
        assert prove(wire) == "904"
        told.add(wire.seen[-1])
    assert len(told) == 1
    assert caplog.text.count("login refused: certificate ") == len(unknown)


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_strange_is_refused_before_a_word(server, dial, home, tmp_path, kind):
    file, _ = strange(home.certs, tmp_path)[kind]
    with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
        prove(dial(server, device=file))
    assert dial(server, "bob").barrier() == []


def test_a_certificate_beside_a_password(server, dial, laptop):
    dial(server, "alice").close()
    wire = dial(server, device=laptop)
    wire.login("bob", PASSWORDS["bob"])
    wire.send("DEVICES")
    wire.expect("NOTE DEVICES END bob :0 certificates$")


def test_revoking_acts_at_once_on_who_is_connected(server, dial, home, tmp_path, laptop):
    phone = enrol(home, tmp_path / "phone.pem", device="phone")
    wires = [dial(server, device=laptop), dial(server, device=laptop), dial(server, device=phone)]
    assert [prove(wire) for wire in wires] == ["903"] * 3
    typed = dial(server, "alice")
    devices.revoke(UserFile(home.users), "alice", "laptop")
    assert wires[0].rest()[-1] == wires[1].rest()[-1] == f"ERROR :{REVOKED}"
    wires[2].barrier()
    typed.barrier()
    assert prove(dial(server, device=laptop)) == "904"
    assert prove(dial(server, device=phone)) == "903"


def test_an_account_that_is_disabled_is_out_with_all_its_devices(server, dial, home, laptop):
    wire = dial(server, device=laptop)
    assert prove(wire) == "903"
    accounts.disable(UserFile(home.users), "alice")
    assert wire.rest()[-1] == "ERROR :Your account is disabled"
    assert prove(dial(server, device=laptop)) == "904"
    accounts.disable(UserFile(home.users), "alice", disabled=False)
    assert prove(dial(server, device=laptop)) == "903"


def test_an_account_made_anew_has_no_devices(server, dial, home, laptop):
    users = UserFile(home.users)
    accounts.delete_account(users, "alice")
    accounts.add_account(users, "alice", PASSWORDS["alice"])
    assert prove(dial(server, device=laptop)) == "904"


def test_one_that_ran_out_by_our_books_is_refused(server, dial, home, laptop):
    with UserFile(home.users).edit() as users:
        (device,) = users["alice"].devices
        users["alice"] = replace(users["alice"], devices=(replace(device, not_after=1),))
    assert prove(dial(server, device=laptop)) == "904"


class _Resuming(Wire):
    """A wire that goes on with a session of TLS."""

    def __init__(self, context, port, session=None):
        self.sock = connect(context, ("127.0.0.1", port), session)
        self.seen, self._buffer, self._marks = [], b"", 0


def test_a_session_of_tls12_does_not_outlive_a_revocation(home, laptop, serve):
    server = serve(tls12=True)
    context = ssl.create_default_context(cafile=str(home.certs / "ca.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(laptop)
    first = _Resuming(context, server.port)
    assert prove(first) == "903"
    devices.revoke(UserFile(home.users), "alice")
    second = _Resuming(context, server.port, first.sock.session)
    assert second.sock.session_reused
    assert prove(second) == "904"
    for wire in (first, second):
        wire.close()
