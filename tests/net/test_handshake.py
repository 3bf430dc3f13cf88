"""Peers that never become a connection: each ends alone, with one reason, and the others go on."""

from __future__ import annotations

import ssl

import pytest
from helpers.faults import NOT_TLS, client_hello, reset, talk_until_cut
from helpers.lane import TIMEOUT

# ssl.wrap_socket, meeting a reset, leaves its socket to be closed by the last reference; descriptors are counted.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")


def refusal(lane):
    """The one refusal there was, once everything that was opened has been let go."""
    lane.recorder.wait(lambda told: told.refusals and told.released_hosts)
    return lane.recorder.refusals


def test_a_mute_peer_is_closed_at_the_handshake_limit(lane):
    here = lane()
    good = here.dial()
    here.limit(handshake_seconds=0.2)  # not before: a slow machine takes longer to shake hands
    mute = here.tcp()
    good.round_trip()
    assert mute.recv(100) == b""
    assert refusal(here) == ["no TLS handshake within 0.2 s"]
    good.round_trip()


@pytest.mark.parametrize("data", NOT_TLS.values(), ids=NOT_TLS.keys())
def test_what_is_not_tls_is_closed(lane, data):
    here = lane()
    good = here.dial()
    here.limit(handshake_seconds=1)
    bad = here.tcp()
    bad.sendall(data)
    try:
        while bad.recv(1000):
            pass
    except ConnectionError:
        pass
    assert len(refusal(here)) == 1
    assert here.recorder.connections == [good.connection]
    good.round_trip()


def test_the_reason_for_plain_text_says_so(lane):
    here = lane()
    here.tcp().sendall(NOT_TLS["plain text IRC"])
    assert refusal(here) == ["not TLS: plain text or garbage"]


@pytest.mark.parametrize("size", [1, 5, 6, 100])
def test_half_a_client_hello_is_closed_at_the_handshake_limit(lane, size):
    here = lane()
    good = here.dial()
    here.limit(handshake_seconds=0.2)
    bad = here.tcp()
    bad.sendall(client_hello()[:size])
    good.round_trip()
    assert bad.recv(100) == b""
    assert refusal(here) == ["no TLS handshake within 0.2 s"]


def test_a_client_hello_that_comes_byte_by_byte_is_no_more_than_slow(lane):
    here = lane()
    good = here.dial()
    here.limit(handshake_seconds=0.5)
    bad = here.tcp()
    for byte in client_hello():
        bad.sendall(bytes([byte]))
    good.round_trip()
    while bad.recv(10_000):  # the server's flight, which is never answered
        pass
    assert refusal(here) == ["no TLS handshake within 0.5 s"]


def test_a_peer_that_hangs_up_in_the_handshake(lane):
    here = lane()
    bad = here.tcp()
    bad.sendall(client_hello()[:50])
    bad.close()
    assert refusal(here) == ["closed during the TLS handshake"]


def test_a_peer_that_resets_in_the_handshake(lane):
    here = lane()
    good = here.dial()
    for _ in range(20):
        reset(here.tcp())
    here.recorder.wait(lambda told: len(told.refusals) == len(told.released_hosts) == 20)
    assert set(here.recorder.refusals) == {"closed during the TLS handshake"}
    good.round_trip()


def test_tls_1_2_is_refused_unless_asked_for(lane):
    here = lane()
    here.trust.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        here.trust.wrap_socket(here.tcp(), server_hostname="localhost")
    assert refusal(here) == ["the client's TLS is too old"]


def test_tls_1_2_is_served_where_asked_for(lane):
    here = lane(tls12=True)
    here.trust.maximum_version = ssl.TLSVersion.TLSv1_2
    client = here.dial()
    assert client.sock.version() == "TLSv1.2"
    client.round_trip()


def test_a_client_that_does_not_trust_the_server(lane):
    here = lane()
    stranger = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.wrap_socket(here.tcp(), server_hostname="localhost")
    assert refusal(here) == ["the client does not trust this server's CA: give it certs/ca.pem"]


def test_many_mute_peers_hold_nobody_up(lane):
    here = lane(handshake_seconds=TIMEOUT)
    hello = client_hello()[:200]
    mute = [here.tcp() for _ in range(100)]
    for sock in mute[:50]:
        sock.sendall(hello)
    for _ in range(10):
        here.dial().round_trip()
    assert not here.recorder.refusals


def test_silence_after_the_handshake_ends_at_the_login_limit(lane):
    here = lane(login_seconds=0.2)
    client = here.dial()
    assert client.rest() == b"ERROR :Login took too long\r\n"
    client.sock.close()
    here.recorder.wait(lambda told: told.ends)
    assert here.recorder.ends == [(client.connection, "no login within 0.2 s")]


def test_talking_does_not_lengthen_the_login_limit(lane):
    here = lane(login_seconds=0.3, linger_seconds=0.2, lines_per_second=0)
    client = here.dial()
    talk_until_cut(client)
    here.recorder.wait(lambda told: told.ends)
    assert here.recorder.ends == [(client.connection, "no login within 0.3 s")]
