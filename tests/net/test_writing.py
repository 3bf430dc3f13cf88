"""What goes out: byte-exact to slow readers, bounded for those who do not read, complete at the end."""

from __future__ import annotations

import random
from threading import Thread

import pytest
from helpers.faults import reset, talk_until_cut
from helpers.lane import FAREWELL

from securechat.net.jobs import Turn


def pieces(count: int, size: int, seed: int = 1) -> list[bytes]:
    """Random pieces: a byte lost, doubled or swapped shows."""
    made = random.Random(seed)
    return [made.randbytes(made.randint(1, size)) for _ in range(count)]


def test_who_does_not_read_is_dropped_and_nobody_else_notices(lane):
    here = lane(outbox_bytes=100_000)
    slow, good = here.dial(receive_buffer=4096), here.dial()
    block = b"x" * 16_000
    for _ in range(2000):
        here.send([slow.connection], block)
        good.round_trip()
        if here.recorder.ends:
            break
    assert here.recorder.ends == [(slow.connection, "does not read: its outbox is full")]
    good.round_trip()


def test_memory_for_who_does_not_read_is_bounded(lane):
    here = lane(outbox_bytes=100_000)
    slow = here.dial(receive_buffer=4096)
    for _ in range(1000):
        here.send([slow.connection], b"x" * 16_000)
    here.recorder.wait(lambda told: told.ends)
    assert (slow.connection.outbox, slow.connection.chunk) == ([], b"")


@pytest.mark.parametrize("size", [50, 3000, 16_384, 60_000])
def test_a_slow_reader_gets_every_byte(lane, size):
    """A retry after WANT_WRITE must offer the same bytes, whatever was queued meanwhile."""
    here = lane(sndbuf=8192, outbox_bytes=2**30)
    slow, other = here.dial(receive_buffer=4096), here.dial()
    data = pieces(6_000_000 // size // (1 if size > 50 else 20), size)
    sender = Thread(target=lambda: [here.send([slow.connection, other.connection], piece) for piece in data])
    sender.start()
    wanted = b"".join(data)
    got = bytearray()
    reader = Thread(target=lambda: got.extend(other.read(len(wanted))))
    reader.start()
    assert slow.read(len(wanted)) == wanted
    sender.join()
    reader.join()
    assert got == wanted


def test_reading_goes_on_while_writing_is_stuck(lane):
    here = lane(sndbuf=8192)
    client = here.dial(receive_buffer=4096)
    data = pieces(100, 16_384)
    here.send([client.connection], *data)
    client.send(b"SAY :still here\n")
    here.recorder.wait(lambda told: told.lines[client.connection])
    assert here.recorder.said(client.connection) == ["still here"]
    assert client.read(sum(map(len, data))) == b"".join(data)


@pytest.mark.parametrize("sndbuf", [0, 4608, 8192])
@pytest.mark.parametrize("amount", [0, 1, 20, 100])
def test_stop_waits_for_pending_output_and_says_goodbye(lane, sndbuf, amount):
    here = lane(sndbuf=sndbuf)
    clients = [here.dial(receive_buffer=4096) for _ in range(3)]
    data = pieces(amount, 16_384)
    here.send([client.connection for client in clients], *data)
    stopping = Thread(target=here.stop)
    stopping.start()
    for client in clients:
        assert client.rest() == b"".join(data) + FAREWELL  # up to a close_notify, or it raises
        client.sock.close()
    stopping.join()
    assert sorted(reason for _, reason in here.recorder.ends) == ["server stopped"] * 3


def test_a_closed_connection_gets_what_was_sent_before(lane):
    here = lane()
    client = here.dial()
    turn = [((client.connection,), [b"farewell\r\n"])]
    here.worker.post(Turn(turn, [], [], [(client.connection, "because")]))
    here.send([client.connection], b"too late\r\n")
    assert client.rest() == b"farewell\r\n"
    client.sock.close()
    here.recorder.wait(lambda told: told.ends)
    assert here.recorder.ends == [(client.connection, "because")]


def test_who_never_reads_its_farewell_is_let_go(lane):
    here = lane(linger_seconds=0.2, outbox_bytes=2**30)
    slow = here.dial(receive_buffer=4096)
    here.send([slow.connection], *pieces(1000, 16_384))
    here.close(slow.connection, "because")
    here.recorder.wait(lambda told: told.ends)
    assert here.recorder.ends == [(slow.connection, "because")]


def test_who_goes_on_talking_after_its_farewell_is_let_go(lane):
    here = lane(linger_seconds=0.2)
    client = here.dial()
    here.close(client.connection, "because")
    assert client.rest() == b""
    talk_until_cut(client)
    here.recorder.wait(lambda told: told.ends)
    assert here.recorder.ends == [(client.connection, "because")]
    assert here.recorder.lines[client.connection] == []


def test_posts_from_many_threads_lose_nothing(lane):
    here = lane()
    client = here.dial()
    threads = [
        Thread(
            target=lambda head=number: [here.send([client.connection], b"%d %d\n" % (head, n)) for n in range(500)]
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    heard, buffer = [], b""
    while len(heard) < 4000:
        buffer += client.sock.recv(16_384)
        *lines, buffer = buffer.split(b"\n")
        heard += lines
    for thread in threads:
        thread.join()
    for number in range(8):
        own = [line for line in heard if line.startswith(b"%d " % number)]
        assert own == [b"%d %d" % (number, n) for n in range(500)]


def test_a_peer_that_resets_while_output_waits(lane):
    here = lane()
    bad, good = here.dial(receive_buffer=4096), here.dial()
    here.send([bad.connection], *pieces(200, 16_384))
    bad.read(10)
    reset(bad.sock)
    here.send([bad.connection, good.connection], b"after\n")
    assert good.read(6) == b"after\n"
    here.recorder.wait(lambda told: told.ends)
    assert [connection for connection, _ in here.recorder.ends] == [bad.connection]


def test_a_connection_that_ends_is_told_once_and_last(lane):
    here = lane()
    client = here.dial()
    client.send(b"SAY :bye\n")
    client.sock.close()
    here.recorder.wait(lambda told: told.ends)
    for _ in range(3):
        here.send([client.connection], b"nobody there\n")
        here.close(client.connection)
    here.dial().round_trip()
    assert len(here.recorder.ends) == len(here.recorder.released_hosts) == 1
    assert here.recorder.said(client.connection) == ["bye"]
