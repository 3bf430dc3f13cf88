"""What comes in: lines as they were cut by the wire, flow control, the rate limit, ends of all kinds."""

from __future__ import annotations

import os

import pytest
from helpers.faults import bid_farewell, cut, reset

from securechat.net import worker
from securechat.net.jobs import Turn
from securechat.protocol.errors import Fault
from securechat.protocol.framing import MAX_DISCARDED


def test_a_line_fed_byte_by_byte_is_one_line(lane):
    here = lane()
    client = here.dial()
    for byte in "SAY :привет\r\n".encode():
        client.send(bytes([byte]))
    here.recorder.wait(lambda told: told.lines[client.connection])
    assert here.recorder.said(client.connection) == ["привет"]


def test_lines_across_records_and_records_with_many_lines(lane):
    here = lane(lines_per_second=0)
    client = here.dial()
    data = "".join(f"SAY {number} {'x' * 300}\r\n" for number in range(2000)).encode()
    for start in range(0, len(data), 16_001):
        client.send(data[start : start + 16_001])
    here.recorder.wait(lambda told: len(told.lines[client.connection]) == 2000)
    assert [int(line.params[0]) for line in here.recorder.lines[client.connection]] == list(range(2000))


def test_faults_are_told_in_their_place(lane):
    here = lane()
    client = here.dial()
    client.send(b"SAY one\nSAY \xff\nSAY two\nSAY " + b"x" * 600 + b"\nSAY a\0b\n")
    client.send(b"@tags-alone\n:only-source\n\r\n\nSAY three\n")
    here.recorder.wait(lambda told: len(told.lines[client.connection]) == 8)
    assert here.recorder.said(client.connection) == [
        "one",
        Fault.BAD_UTF8,
        "two",
        Fault.TOO_LONG,
        Fault.BAD_BYTES,
        Fault.BAD_SHAPE,
        Fault.BAD_SHAPE,
        "three",
    ]


def test_a_megabyte_without_a_line_end_costs_no_memory(lane):
    here = lane()
    client = here.dial()
    try:
        for _ in range(64):
            client.send(b"x" * 16_384)
    except OSError:
        pass
    here.recorder.wait(lambda told: Fault.ENDLESS in told.lines[client.connection])
    assert here.recorder.lines[client.connection][:2] == [Fault.TOO_LONG, Fault.ENDLESS]
    assert len(client.connection.buffer._partial) <= MAX_DISCARDED
    here.close(client.connection)
    here.recorder.wait(lambda told: told.ends or client.sock.close())


@pytest.mark.parametrize("end", [cut, reset, bid_farewell])
def test_half_a_line_at_the_end_is_never_a_line(lane, end):
    here = lane()
    client, other = here.dial(), here.dial()
    client.round_trip("whole")
    client.send(b"SAY :ha")
    end(client.sock)
    here.recorder.wait(lambda told: told.ends)
    assert here.recorder.said(client.connection) == ["whole"]
    assert [connection for connection, _ in here.recorder.ends] == [client.connection]
    other.round_trip()


def test_garbage_in_the_tls_stream_ends_the_connection(lane):
    here = lane()
    client, other = here.dial(), here.dial()
    client.round_trip()
    raw = client.sock.detach()
    os.write(raw, b"this is not a record")
    here.recorder.wait(lambda told: told.ends)
    os.close(raw)
    (told,) = here.recorder.ends
    assert told[0] is client.connection
    other.round_trip()


def test_reading_stops_at_the_inflight_limit_and_nothing_is_lost(lane):
    here = lane(credit=False, inflight_bytes=1000, lines_per_second=0)
    client, other = here.dial(), here.dial()
    lines = [f"{number:05}" + "x" * 95 for number in range(300)]
    for line in lines:  # a record each
        client.send(f"SAY {line}\n".encode())
    recorder, connection = here.recorder, client.connection
    recorder.wait(lambda told: told.sizes[connection] >= 1000)
    for _ in range(5):
        other.round_trip()
        recorder.give_back(other.connection)
    assert recorder.sizes[connection] < 1000 + 105  # the record that reached the limit is the last one read
    while (already := len(recorder.lines[connection])) < len(lines):  # one look: more may come meanwhile
        recorder.give_back(connection)
        recorder.wait(lambda told, already=already: len(told.lines[connection]) > already)
    assert recorder.said(connection) == lines


def test_what_was_not_read_before_the_end_still_arrives(lane):
    """Flow control holds the end of the stream back too: lines said before it count."""
    here = lane(credit=False, inflight_bytes=100, lines_per_second=0)
    client = here.dial()
    for number in range(20):
        client.send(f"SAY {number} {'x' * 100}\n".encode())
    cut(client.sock)
    recorder, connection = here.recorder, client.connection
    for number in range(20):
        recorder.wait(lambda told, number=number: len(told.lines[connection]) > number)
        assert not recorder.ends
        recorder.give_back(connection)
    recorder.wait(lambda told: told.ends)
    assert [line.params[0] for line in recorder.lines[connection]] == [str(number) for number in range(20)]


def test_the_rate_limit_delays_and_loses_nothing(lane):
    here = lane(lines_per_second=200, lines_burst=5)
    client, other = here.dial(), here.dial()
    client.send(b"".join(b"SAY %d\n" % number for number in range(60)))
    other.round_trip()
    cut(client.sock)
    here.recorder.wait(lambda told: told.ends)
    assert here.recorder.said(client.connection) == [str(number) for number in range(60)]


def test_the_rate_limit_holds_input_back_as_well(lane):
    """A flood waits in the sender's own buffers, not in ours."""
    here = lane(lines_per_second=0.001, lines_burst=3)
    client, other = here.dial(), here.dial()
    client.send(b"SAY x\n" * 2000)
    here.recorder.wait(lambda told: len(told.lines[client.connection]) == 3)
    client.send(b"SAY x\n" * 2000)
    for _ in range(3):
        other.round_trip()
    assert len(here.recorder.lines[client.connection]) == 3
    assert len(client.connection.held[0]) < 2731  # lines of one record at most


def test_a_mistake_with_held_lines_costs_one_connection(lane, monkeypatch, caplog):
    here = lane(lines_per_second=20, lines_burst=1)
    client, other = here.dial(), here.dial()
    real = worker.read
    monkeypatch.setattr(worker, "read", lambda lines: 1 / 0 if b"SAY bad" in lines else real(lines))
    client.send(b"SAY good\nSAY bad\n")
    here.recorder.wait(lambda told: told.ends)
    assert here.recorder.ends == [(client.connection, "internal error")]
    assert "ZeroDivisionError" in caplog.text
    other.round_trip()


def test_waiting_for_the_rate_limit_is_not_silence(lane):
    """Somebody whose lines we hold back is not idle: it cannot answer our PING before they went."""
    here = lane(lines_per_second=10, lines_burst=1, idle_seconds=0.2, pong_seconds=0.2, linger_seconds=0.2)
    client = here.dial()
    client.send(b"".join(b"SAY %d\n" % number for number in range(15)))
    here.recorder.wait(lambda told: told.lines[client.connection])
    here.worker.post(Turn([], [], [client.connection], []))  # not before: until they are there it is silence
    here.recorder.wait(lambda told: told.ends or len(told.lines[client.connection]) == 15)
    assert here.recorder.said(client.connection) == [str(number) for number in range(15)]


def test_idle_then_ping_then_goodbye(lane):
    here = lane(idle_seconds=0.1, pong_seconds=0.1)
    client = here.dial()
    here.worker.post(Turn([], [], [client.connection], []))
    assert client.rest() == b"PING :x\r\nERROR :Ping timeout\r\n"
    client.sock.close()
    here.recorder.wait(lambda told: told.ends)
    assert here.recorder.ends == [(client.connection, "ping timeout")]


def test_an_answered_ping_keeps_the_connection(lane):
    here = lane(idle_seconds=0.1, pong_seconds=2)
    client = here.dial()
    here.worker.post(Turn([], [], [client.connection], []))
    for _ in range(3):
        assert client.read(9) == b"PING :x\r\n"
        client.send(b"PONG :x\r\n")
    assert not here.recorder.ends


def test_empty_records_and_empty_lines_are_nothing(lane):
    here = lane()
    client = here.dial()
    client.send(b"\n\r\n\n\n")
    client.round_trip()
    assert here.recorder.said(client.connection) == ["hello"]
    assert client.connection.inflight == 0
