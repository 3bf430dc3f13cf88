"""One accepted TLS connection: its buffers and what OpenSSL wants next. Used by its worker's thread alone."""

from __future__ import annotations

import hashlib
import math
import socket
import ssl
from enum import IntEnum
from selectors import EVENT_READ, EVENT_WRITE
from socket import IPPROTO_TCP, SHUT_WR
from typing import Final

from securechat.net.limits import NetLimits
from securechat.protocol.errors import Fault
from securechat.protocol.framing import LineBuffer

RECORD: Final = 16 * 1024
"""Most plain text in one TLS record (RFC 8446, 5.1): reading as much leaves nothing that select cannot see."""

CORK: Final[int | None] = getattr(socket, "TCP_CORK", None)
"""Linux's option by which TCP waits for more (tcp(7))."""


class Stage(IntEnum):
    """Where a connection is in its life; it only goes forward."""

    HANDSHAKE = 0
    OPEN = 1
    CLOSING = 2
    """Nothing is read any more; what waits in the outbox still leaves."""
    LINGER = 3
    """All is said; waiting for the peer to have read it, or a reset would take it away."""
    CLOSED = 4


class Connection:
    """A TLS socket, the line buffer before it and the outbox behind it. Owned by one worker thread.

    `address` ("192.0.2.1:50000") names it in the log. `certificate` is the SHA-256 of the client certificate that
    it proved to have (hex, or empty), from the end of the handshake on. Everything else is the worker's.
    """

    __slots__ = (
        "address",
        "admitted",
        "buffer",
        "certificate",
        "chunk",
        "dirty",
        "due",
        "heard",
        "held",
        "host",
        "inflight",
        "interest",
        "lane",
        "outbox",
        "pinged",
        "queued",
        "read_wants",
        "reason",
        "sock",
        "stage",
        "timer",
        "tokens",
        "tokens_at",
        "write_wants",
    )

    def __init__(self, sock: ssl.SSLSocket, host: str, port: int, lane: int, now: float) -> None:
        self.sock = sock
        self.host = host
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.lane = lane
        self.certificate = ""
        self.stage = Stage.HANDSHAKE
        self.buffer: LineBuffer = LineBuffer()
        self.outbox: list[bytes] = []
        self.chunk = b""
        """Handed to OpenSSL and not yet taken: must be offered again unchanged."""
        self.queued = 0
        self.inflight = 0
        self.held: tuple[list[bytes | Fault], int] | None = None
        """Lines that wait for the rate limit, and the bytes they came in."""
        self.tokens = 0.0
        self.tokens_at = now
        self.admitted = False
        self.heard = now
        self.pinged = False
        self.due = math.inf
        self.timer = math.inf
        self.dirty = False
        self.interest = 0
        # KeyUpdate can make a read wait for writing and the reverse: what each wants is what its last try said.
        self.read_wants = EVENT_READ
        self.write_wants = EVENT_WRITE
        self.reason = ""

    def handshake(self) -> bool:
        """Go on with the handshake; True when it is finished. Raises OSError when it failed."""
        try:
            self.sock.do_handshake()
        except ssl.SSLWantReadError:
            self.read_wants = EVENT_READ
            return False
        except ssl.SSLWantWriteError:
            self.read_wants = EVENT_WRITE
            return False
        self.read_wants = EVENT_READ
        shown = self.sock.getpeercert(binary_form=True)
        if shown is not None:
            self.certificate = hashlib.sha256(shown).hexdigest()
        return True

    def receive(self) -> bytes | None:
        """Return what one record brought, None when there is nothing yet, b"" at the end of the stream."""
        try:
            data = self.sock.recv(RECORD)
        except ssl.SSLWantReadError:
            self.read_wants = EVENT_READ
            return None
        except ssl.SSLWantWriteError:
            self.read_wants = EVENT_WRITE
            return None
        self.read_wants = EVENT_READ
        return data

    def allow(self, wanted: int, limits: NetLimits, now: float) -> int:
        """Return how many of `wanted` lines may go on now, and count them (a token bucket)."""
        earned = (now - self.tokens_at) * limits.lines_per_second
        tokens = min(self.tokens + earned, float(limits.lines_burst))
        allowed = min(wanted, int(tokens))
        self.tokens, self.tokens_at = tokens - allowed, now
        return allowed

    def queue(self, data: bytes) -> None:
        """Add output of the worker's own."""
        self.outbox.append(data)
        self.queued += len(data)

    def flush(self) -> bool:
        """Offer queued bytes to OpenSSL, one frozen chunk at a time; True when all have left.

        Raises OSError when the connection is gone.
        """
        if self.queued <= RECORD or CORK is None:
            return self._send()
        # Several records leave as one piece of TCP: a fifth less work for the kernel.
        self.sock.setsockopt(IPPROTO_TCP, CORK, 1)
        try:
            return self._send()
        finally:
            self.sock.setsockopt(IPPROTO_TCP, CORK, 0)

    def _send(self) -> bool:
        sock = self.sock
        while self.chunk or self.outbox:
            if not self.chunk:
                self.chunk = self._next_chunk()
            try:
                sent = sock.send(self.chunk)
            except ssl.SSLWantWriteError:
                self.write_wants = EVENT_WRITE
                return False
            except ssl.SSLWantReadError:
                self.write_wants = EVENT_READ
                return False
            self.queued -= sent
            self.chunk = self.chunk[sent:]
        self.write_wants = EVENT_WRITE
        return True

    def _next_chunk(self) -> bytes:
        """Take as many queued pieces as fit one record; a lone piece goes as it is, shared with others."""
        outbox = self.outbox
        if len(outbox) == 1:
            return outbox.pop()
        size = count = 0
        for piece in outbox:
            size += len(piece)
            if size > RECORD and count:
                break
            count += 1
        chunk = b"".join(outbox[:count]) if count > 1 else outbox[0]
        del outbox[:count]
        return chunk

    def say_goodbye(self) -> bool:
        """Send close_notify and FIN; False while there is no room to write the first.

        The peer's close_notify is not waited for, and need not come. What still comes in afterwards is raw and
        to be thrown away.
        """
        try:
            self.sock.unwrap()
        except ssl.SSLWantWriteError:
            self.write_wants = EVENT_WRITE
            return False
        except (OSError, ValueError):
            pass  # sent, and its answer is not here yet; or the peer is gone
        try:
            self.sock.shutdown(SHUT_WR)
        except OSError:
            pass  # gone already
        return True

    def discard(self) -> bool:
        """Throw away input that comes in after the goodbye; True at its end."""
        try:
            return not self.sock.recv(65536)
        except BlockingIOError:
            return False

    def wanted(self, *, reading: bool) -> int:
        """Return the selector mask for the next operations; `reading` says whether input is welcome."""
        if self.stage in (Stage.HANDSHAKE, Stage.LINGER):
            return self.read_wants
        if self.stage is Stage.CLOSING:
            return self.write_wants
        mask = self.write_wants if self.chunk or self.outbox else 0
        return mask | self.read_wants if reading else mask
