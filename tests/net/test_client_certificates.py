"""Client certificates in the handshake: ours are known afterwards, and nobody gets through with another's."""

from __future__ import annotations

import hashlib
import ssl

import pytest
from helpers.devices import STRANGE, forge, strange


def test_whoever_shows_none_is_welcome(lane):
    here = lane()
    client = here.dial()
    client.round_trip()
    assert client.connection.certificate == ""


@pytest.mark.parametrize("tls12", [False, True])
def test_ours_is_known_by_its_fingerprint(lane, model_home, tmp_path, tls12):
    here = lane(tls12=tls12)
    if tls12:
        here.trust.maximum_version = ssl.TLSVersion.TLSv1_2
    file = forge(model_home.certs, tmp_path / "alice.pem")
    here.trust.load_cert_chain(file)
    client = here.dial()
    client.round_trip()
    der = ssl.PEM_cert_to_DER_cert(file.read_text().partition("-----END PRIVATE KEY-----\n")[2])
    assert client.connection.certificate == hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize("kind", STRANGE)
def test_another_ends_the_handshake(lane, model_home, tmp_path, kind):
    file, why = strange(model_home.certs, tmp_path)[kind]
    here = lane()
    good = here.dial()
    here.trust.load_cert_chain(file)
    raw = here.tcp()
    # In TLS 1.3 the client believes that all is well, and learns in its first read that it is not.
    with (
        pytest.raises((ssl.SSLError, ConnectionError)),
        here.trust.wrap_socket(raw, server_hostname="localhost") as sock,
    ):
        sock.recv(1)
    here.recorder.wait(lambda told: told.refusals)
    assert why in here.recorder.refusals[0]
    assert here.recorder.connections == [good.connection]
    good.round_trip()


def test_there_is_no_session_to_resume(lane):
    client = lane().dial()
    client.round_trip()
    assert not client.sock.session.has_ticket
