"""Accepting: addresses and ports, the limits on connections, and nothing left behind."""

from __future__ import annotations

import socket

import pytest
from helpers.faults import client_hello, open_files, reset
from helpers.lane import FAREWELL, TIMEOUT

from securechat.net.listener import listen

# ssl.wrap_socket, meeting a reset, leaves its socket to be closed by the last reference; descriptors are counted.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")


def refused(here) -> bool:
    """Whether a new TCP connection is closed at once."""
    sock = here.tcp()
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


def test_port_zero_takes_one_port_for_every_address(monkeypatch):
    """A name with several addresses gets the same free port on each."""
    real = socket.getaddrinfo

    def several(host, port, **how):
        assert host == "localhost"
        return real("127.0.0.1", port, **how) + real("127.0.0.2", port, **how)

    monkeypatch.setattr(socket, "getaddrinfo", several)
    sockets = listen("localhost", 0)
    names = [sock.getsockname() for sock in sockets]
    for sock in sockets:
        sock.close()
    assert [host for host, _ in names] == ["127.0.0.1", "127.0.0.2"]
    assert names[0][1] == names[1][1] != 0


def test_localhost_listens_on_all_its_addresses():
    sockets = listen("localhost", 0)
    names = [sock.getsockname() for sock in sockets]
    for sock in sockets:
        sock.close()
    assert len({name[1] for name in names}) == 1
    assert "127.0.0.1" in {name[0] for name in names}


def test_an_address_family_that_this_machine_lacks_is_passed_over(monkeypatch):
    """A hosts file often names ::1 for localhost where the machine has no IPv6."""
    real = socket.getaddrinfo

    def several(host, port, **how):
        missing = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", port, 0, 0))
        return [*real("127.0.0.1", port, **how), missing]

    monkeypatch.setattr(socket, "getaddrinfo", several)
    sockets = listen("localhost", 0)
    for sock in sockets:
        sock.close()
    assert len(sockets) == 1


def test_a_port_in_use_leaves_nothing_open(monkeypatch):
    (first,) = listen("127.0.0.1", 0)
    before = open_files()
    with pytest.raises(OSError):
        listen("127.0.0.1", first.getsockname()[1])
    assert open_files() == before
    first.close()


def test_too_many_connections_are_refused_and_room_is_found_again(lane):
    here = lane(connections=3, connections_per_address=0)
    clients = [here.dial() for _ in range(3)]
    assert refused(here)
    for client in clients:
        client.round_trip()
    clients[0].sock.close()
    here.recorder.wait(lambda told: told.released_hosts)
    here.dial().round_trip()
    assert refused(here)


def test_one_address_gets_its_share(lane):
    here = lane(connections_per_address=2)
    first, second = here.dial(), here.dial()
    assert refused(here)
    first.sock.close()
    here.recorder.wait(lambda told: told.released_hosts)
    third = here.dial()
    assert refused(here)
    for client in (second, third):
        client.round_trip()


def test_the_count_returns_to_zero_whatever_ended_a_connection(lane):
    here = lane(connections_per_address=4, outbox_bytes=1000)
    clients = [here.dial() for _ in range(4)]
    clients[0].sock.close()
    reset(clients[1].sock)
    here.send([clients[2].connection], b"x" * 2000)  # over its outbox limit at once
    here.close(clients[3].connection)
    clients[3].rest()
    clients[3].sock.close()
    here.recorder.wait(lambda told: len(told.released_hosts) == 4)
    here.limit(handshake_seconds=0.2)  # for these: on a slow machine a real handshake takes longer
    here.tcp()  # mute
    here.tcp().sendall(b"not TLS at all")
    here.tcp().sendall(client_hello()[:20])
    reset(here.tcp())
    here.recorder.wait(lambda told: len(told.released_hosts) == 8)
    here.limit(handshake_seconds=TIMEOUT)
    four = [here.dial() for _ in range(4)]
    assert refused(here)
    for client in four:
        client.sock.close()
    here.recorder.wait(lambda told: len(told.released_hosts) == 12)
    last = here.dial()
    assert (here.listener._open, dict(here.listener._by_host)) == (1, {"127.0.0.1": 1})
    last.round_trip()


def test_no_descriptor_is_left_behind(lane):
    before = open_files()
    here = lane(connections=20)
    for number in range(5):
        clients = [here.dial() for _ in range(3)]
        here.limit(handshake_seconds=0.2)
        here.tcp().sendall(b"garbage")
        here.tcp()
        reset(here.tcp())
        clients[0].round_trip(f"round {number}")
        reset(clients[0].sock)
        here.close(clients[1].connection)
        clients[1].rest()
        clients[1].sock.close()
        clients[2].sock.close()
        here.recorder.wait(lambda told, number=number: len(told.released_hosts) == 6 * (number + 1))
        here.limit(handshake_seconds=TIMEOUT)
    open_still = [here.dial(), here.dial()]
    here.hang_up()
    here.stop()
    assert len(open_still) == 2
    assert open_files() == before


def test_stopping_with_clients_in_every_stage(lane):
    here = lane(linger_seconds=0.2)
    here.tcp()
    here.tcp().sendall(client_hello()[:100])
    done, reading = here.dial(), here.dial()
    done.send(b"SAY :half a li")
    here.stop()
    assert reading.rest() == FAREWELL
    assert len(here.recorder.ends) == 2
    assert here.recorder.refusals == ["server stopped"] * 2


def test_out_of_descriptors_the_listener_waits_and_goes_on(lane, monkeypatch, caplog):
    here = lane()
    listening = here.listener._sockets[0]
    real, failing = socket.socket.accept, [True, True]

    def accept(sock):
        if sock is listening and failing:
            failing.pop()
            raise OSError(24, "Too many open files")
        return real(sock)

    monkeypatch.setattr("securechat.net.listener.PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(socket.socket, "accept", accept)
    here.dial().round_trip()
    assert [record.message for record in caplog.records if "cannot accept" in record.message] == [
        "cannot accept connections: Too many open files; pausing"
    ] * 2
