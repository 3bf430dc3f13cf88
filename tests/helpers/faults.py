"""Peers that misbehave on the wire, and ways to count what the process holds."""

from __future__ import annotations

import os
import socket
import ssl
import struct
from pathlib import Path

NOT_TLS = {
    "plain text IRC": b"NICK alice\r\nUSER a 0 * :a\r\nJOIN #lobby\r\n",
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "zeroes": b"\0" * 1000,
    "ones": b"\xff" * 1000,
    "an empty handshake record": b"\x16\x03\x01\x00\x00",
    "an alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "application data first": b"\x17\x03\x03\x00\x10" + b"x" * 16,
    "a record longer than allowed": b"\x16\x03\x01\xff\xff" + b"\x01" * 5000,
}
"""What a peer may say instead of a ClientHello."""


def client_hello() -> bytes:
    """A real ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def reset(sock: socket.socket) -> None:
    """Close a socket so that its peer gets RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.socket.close(sock)


def cut(sock: ssl.SSLSocket) -> None:
    """End the TCP stream without a TLS close_notify, as a cable or an attacker does."""
    raw = socket.socket(fileno=os.dup(sock.fileno()))
    raw.shutdown(socket.SHUT_WR)
    raw.close()


def bid_farewell(sock: ssl.SSLSocket) -> None:
    """Send close_notify without waiting for an answer."""
    sock.setblocking(False)
    try:
        sock.unwrap()
    except ssl.SSLWantReadError:
        pass


def talk_until_cut(client) -> None:
    """Say lines until the connection is closed under it."""
    try:
        while True:
            client.send(b"SAY :hello\n" * 10)
    except OSError:
        pass


def open_files() -> int:
    """How many file descriptors this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))
