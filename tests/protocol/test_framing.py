from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.protocol.errors import Fault
from securechat.protocol.framing import MAX_DISCARDED, LineBuffer

LIMIT = 20
TABLE = [
    (b"", []),
    (b"PING\r\n", [b"PING"]),
    (b"PING\n", [b"PING"]),
    (b"a\r\nb\nc", [b"a", b"b"]),
    (b"\r\n\n\r\n", []),
    (b"a\rb\r\n", [b"a\rb"]),
    (b"a\r\r\n", [b"a\r"]),
    (b"x" * LIMIT + b"\r\n", [b"x" * LIMIT]),
    (b"x" * LIMIT + b"\n", [b"x" * LIMIT]),
    (b"x" * (LIMIT + 1) + b"\r\nok\r\n", [Fault.TOO_LONG, b"ok"]),
    (b"x" * (LIMIT + 2) + b"\nok\n", [Fault.TOO_LONG, b"ok"]),
    (b"x" * 500 + b"\r\nok\r\n", [Fault.TOO_LONG, b"ok"]),
    (b"ok\r\n" + b"x" * 500 + b"\r\n", [b"ok", Fault.TOO_LONG]),
]


def whole(data: bytes) -> list:
    return LineBuffer(LIMIT).feed(data)


def pieces(data: bytes, size: int) -> list:
    buffer, given_back = LineBuffer(LIMIT), []
    for start in range(0, len(data), size):
        given_back += buffer.feed(data[start : start + size])
    return given_back


@pytest.mark.parametrize(("data", "lines"), TABLE)
def test_lines_whole_and_byte_by_byte(data, lines):
    assert whole(data) == lines
    assert pieces(data, 1) == lines


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line)), st.integers(1, 9))
def test_how_it_was_cut_does_not_matter(lines, size):
    data = b"".join(line + b"\n" for line in lines)
    assert pieces(data, size) == whole(data)


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_memory_is_bounded(chunks):
    buffer = LineBuffer(LIMIT)
    for chunk in chunks:
        buffer.feed(chunk)
        assert len(buffer._partial) <= LIMIT + 1


def test_a_line_without_end_is_given_up():
    buffer = LineBuffer(LIMIT)
    assert buffer.feed(b"x" * 100) == [Fault.TOO_LONG]
    faults = []
    for _ in range(MAX_DISCARDED // 1000 + 2):
        faults += buffer.feed(b"x" * 1000)
    assert faults
    assert set(faults) == {Fault.ENDLESS}
    assert LineBuffer(LIMIT).feed(b"x" * (MAX_DISCARDED + 1)) == [Fault.TOO_LONG, Fault.ENDLESS]
