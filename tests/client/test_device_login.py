"""This machine as a device: from a password to a certificate, and what becomes of it, with the real server."""

from __future__ import annotations

import select
import stat
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from helpers.devices import STRANGE, enrol, revoke, strange
from helpers.here import until
from helpers.homes import PASSWORDS
from helpers.leaves import Authority
from helpers.peer import TIMEOUT, Listener
from helpers.relay import Relay

from securechat import Client
from securechat.certs import KeyPlace, issue, new_key
from securechat.client import devices
from securechat.client.api import MORE
from securechat.client.connection import Connection
from securechat.client.devices import Device
from securechat.client.dial import trust
from securechat.client.errors import DeviceError, LoginError, LostError
from securechat.client.events import Closed, Enrolled, Interrupted, LoggedIn, Received
from securechat.client.handshake import credentials
from securechat.client.link import Link
from securechat.client.settings import Endpoint
from securechat.storage.users import UserFile

REFUSED = "The server does not take this device's certificate any more"


class TestFirstTime:
    def test_from_a_password_to_a_certificate(self, here):
        news = here.enrolled()
        assert news == Enrolled(
            "laptop", "This device is called laptop and needs no password from now on: /devices lists yours."
        )
        (known,) = here.known()
        connection = here.connect(password=False)
        assert until(connection, LoggedIn).nick == "alice"
        here.leave(connection)
        assert here.known() == (known,)

    def test_the_key_is_for_its_owner_only(self, here):
        here.enrolled()
        path = here.device().path
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)] == [0o700] * 2
        assert [one.name for one in path.parent.iterdir()] == [path.name]
        assert PASSWORDS["alice"].encode() not in path.read_bytes()

    def test_a_name_that_another_machine_has_is_left_to_it(self, here, tmp_path):
        enrol(here.home, tmp_path / "other.pem", device="laptop")
        assert here.enrolled().name == "laptop-2"
        assert sorted(one.name for one in here.known()) == ["laptop", "laptop-2"]

    def test_where_nobody_wants_a_device_none_is_made(self, here):
        connection = here.connect(device=here.device(new=False))
        until(connection, Received)
        here.leave(connection)
        assert here.known() == ()
        assert not here.device().path.exists()

    def test_a_lost_answer_leaves_the_name_ours(self, here):
        """The server has signed, and nobody heard it: the next time it is the same device, not one more."""
        here.device().note("laptop")
        enrol(here.home, here.home.path / "lost.pem", device="laptop")
        assert here.enrolled().name == "laptop"
        assert {one.name for one in here.known()} == {"laptop"}
        assert not here.device().asked()

    def test_where_nothing_can_be_kept_nothing_is_asked_for(self, here):
        folder = here.device().path.parent
        folder.parent.mkdir(parents=True)
        folder.write_text("no folder")
        assert here.enrolled() == Enrolled()
        assert here.known() == ()

    def test_more_devices_than_the_server_takes(self, serve, start, tmp_path):
        here = start(serve(enrolled_devices=1))
        enrol(here.home, tmp_path / "other.pem", device="phone")
        news = here.enrolled()
        why = "alice has 1 devices, which is the limit; revoke one first."
        assert news == Enrolled("", f"This device goes on without a certificate: {why}")
        assert not here.device().asked()

    def test_a_server_that_cannot_sign_is_used_by_password(self, serve, start, home, tmp_path):
        issue(home.certs, place=KeyPlace(offline=tmp_path))
        here = start(serve())
        assert here.enrolled() == Enrolled()
        assert here.enrolled() == Enrolled()

    def test_a_server_without_external_is_used_by_password(self, tmp_path, start):
        authority = Authority(tmp_path / "pki")
        listener = Listener(authority.leaf())
        try:
            connection = Connection(
                place := Endpoint("localhost", listener.port),
                trust(authority.pem),
                credentials("alice", "secret of alice"),
                device=Device("alice", place, authority.pem, new=True),
            )
            connection.start()
            peer = listener.accept()
            peer.login()
            assert until(connection, Enrolled) == Enrolled()
            connection.close([b"QUIT\r\n"])
            peer.expect("QUIT")
            peer.goodbye()
            connection.join()
        finally:
            listener.close()


class TestReconnect:
    @pytest.fixture
    def relay(self, server):
        made = Relay(server.port)
        yield made
        made.stop()

    def test_the_next_connection_of_a_running_client_is_by_certificate(self, start, relay, caplog):
        here = start(relay)
        caplog.set_level("INFO")
        connection = Connection(
            here.place,
            trust(here.authority),
            credentials("alice", PASSWORDS["alice"]),
            more=MORE,
            device=here.device(),
        )
        here.opened.append(connection)
        connection.start()
        until(connection, Enrolled)
        assert connection._identity._secret.password
        with UserFile(here.home.users).edit() as users:
            users["alice"] = replace(users["alice"], hash="x")  # no password would do any more
        relay.cut()
        until(connection, Interrupted)
        assert until(connection, LoggedIn).nick == "alice"
        assert not connection._identity._secret.password, "it is not needed any more"
        here.leave(connection)

    def test_a_certificate_that_is_refused_then_ends_it_with_one_sentence(self, start, relay):
        here = start(relay)
        connection = Connection(
            here.place,
            trust(here.authority),
            credentials("alice", PASSWORDS["alice"]),
            more=MORE,
            device=here.device(),
        )
        here.opened.append(connection)
        connection.start()
        until(connection, Enrolled)
        revoke(here.home, "alice")
        relay.cut()
        until(connection, Interrupted)
        closed = until(connection, Closed)
        assert isinstance(closed.error, DeviceError)
        assert not here.device().path.exists()


class TestRefused:
    def closed(self, here):
        connection = here.connect(password=False)
        while not isinstance(event := connection.next_event(TIMEOUT), Closed):
            assert event is not None
        return event.error

    def test_revoked(self, here):
        here.enrolled()
        revoke(here.home, "alice")
        error = self.closed(here)
        assert isinstance(error, DeviceError)
        assert str(error).startswith(REFUSED)
        assert not here.device().path.exists()
        assert isinstance(self.closed(here), DeviceError), "there is no way in without one and a password"

    def test_revoked_while_connected(self, here):
        here.enrolled()
        connection = here.connect(password=False)
        until(connection, LoggedIn)
        revoke(here.home, "alice")
        error = until(connection, Closed).error
        assert isinstance(error, LostError)
        assert str(error) == (
            "The server closed the connection: This device's certificate was revoked: log in by password."
        )
        assert isinstance(self.closed(here), DeviceError)

    def test_the_account_is_disabled(self, here):
        here.enrolled()
        with UserFile(here.home.users).edit() as users:
            users["alice"] = replace(users["alice"], disabled=True)
        assert str(self.closed(here)).startswith(REFUSED)

    def test_that_of_another_account(self, here, tmp_path):
        here.put(enrol(here.home, tmp_path / "bob.pem", "bob"))
        assert str(self.closed(here)).startswith(REFUSED)
        assert not here.device().path.exists()

    @pytest.mark.parametrize("which", [one for one in STRANGE if one != "expired"])
    def test_what_tls_refuses_is_heard_in_the_first_read(self, here, tmp_path, which):
        file, _ = strange(here.home.certs, tmp_path)[which]
        for _ in range(3):
            here.put(file)
            error = self.closed(here)
            assert isinstance(error, DeviceError), error
            assert str(error).startswith(REFUSED)
            assert not here.device().path.exists()

    def test_what_tls_refuses_is_heard_when_writing_fails_first(self, here, tmp_path, monkeypatch):
        def broken(link):
            """Fail as a write does that comes after the server has said why and hung up."""
            poll = select.poll()
            poll.register(link.sock, select.POLLRDHUP)
            assert poll.poll(1000 * TIMEOUT)
            raise BrokenPipeError

        monkeypatch.setattr(Link, "write", broken)
        here.put(strange(here.home.certs, tmp_path)["another authority"][0])
        assert str(self.closed(here)).startswith(REFUSED)
        assert not here.device().path.exists()

    def test_one_that_has_expired_is_left_out(self, here, tmp_path):
        here.put(strange(here.home.certs, tmp_path)["expired"][0])
        device = here.device()
        assert (device.good, device.expired(), device.context()) == (False, True, None)
        assert here.enrolled().name == "laptop", "and another comes in its place"
        assert here.device().good

    @pytest.mark.parametrize("how", ["empty", "nonsense", "half", "other key"])
    def test_a_damaged_file_is_none(self, here, tmp_path, how):
        good = enrol(here.home, tmp_path / "a.pem").read_bytes()
        key, cert = good.split(b"-----BEGIN CERTIFICATE")
        other = enrol(here.home, tmp_path / "b.pem").read_bytes().partition(b"-----BEGIN CERTIFICATE")[0]
        cert = b"-----BEGIN CERTIFICATE" + cert
        (tmp_path / "c.pem").write_bytes(
            {"empty": b"", "nonsense": b"-----BEGIN x", "half": cert, "other key": other + cert}[how]
        )
        here.put(tmp_path / "c.pem")
        assert not here.device().good
        assert key
        connection = here.connect()
        assert until(connection, Enrolled).name == "laptop-2"  # this machine does not know that it was that one
        assert here.device().good

    def test_a_server_that_takes_none_any_more(self, here, authority, monkeypatch):
        here.enrolled()
        monkeypatch.setattr(
            "securechat.chat.registration.capabilities.advertise", lambda *, values: ["sasl=PLAIN", "batch"]
        )
        assert str(self.closed(here)) == (
            "The server takes no certificates of devices any more; log in by password."
        )


class TestPrograms:
    def test_a_client_without_a_password_logs_in_by_the_device(self, here):
        here.enrolled()
        with Client("localhost", here.port, user="alice", ca=here.authority) as chat:
            assert chat.nick == "alice"
            assert chat.say("#lobby", "hello").kept

    def test_where_there_is_none_it_says_so(self, here):
        with pytest.raises(LoginError, match="no certificate that is still good"):
            Client("localhost", here.port, user="alice", ca=here.authority).__enter__()

    def test_a_password_that_is_given_is_what_counts(self, here):
        here.enrolled()
        with pytest.raises(LoginError, match="the name or the password is wrong"):
            Client("localhost", here.port, user="alice", password="wrong", ca=here.authority).__enter__()
        assert here.device().good

    def test_a_profile_uses_the_device(self, here, monkeypatch):
        from securechat.client.profiles import Profile, Profiles

        monkeypatch.delenv("SECURECHAT_PASSWORD", raising=False)
        Profiles().remember(Profile("home", "localhost", here.port, "alice", here.authority))
        here.enrolled()
        with Client.from_profile() as chat:
            assert chat.nick == "alice"


def test_a_certificate_for_another_key_is_not_kept(here):
    device = here.device()
    made = enrol(here.home, here.home.path / "a.pem").read_bytes()
    der = x509.load_pem_x509_certificate(made).public_bytes(Encoding.DER)
    with pytest.raises(ValueError, match="another key"):
        device.store(new_key(), der)
    assert not device.path.exists()


def test_each_account_on_each_server_has_its_own(here, monkeypatch):
    place = here.place
    paths = {
        Device(account, where, None).path
        for account in ("alice", "bob")
        for where in (place, Endpoint("localhost", 1), Endpoint("127.0.0.1", place.port))
    }
    assert len(paths) == 6
    assert Device("ALICE", place, None).path == Device("alice", place, None).path
    monkeypatch.setattr("socket.gethostname", lambda: "")
    assert devices.machine() == "device"
