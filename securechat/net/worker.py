"""A worker thread: TLS handshakes, reading, writing and deadlines of its connections (threaded-TLS rules).

Whatever other threads want of a connection they post here; the owner alone touches its socket.
"""

from __future__ import annotations

import logging
import math
import selectors
import ssl
import time
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE
from typing import Final

from securechat.net.connection import Connection, Stage
from securechat.net.inbox import Inbox
from securechat.net.jobs import Adopt, Handler, Job, Turn
from securechat.net.limits import NetLimits
from securechat.net.reasons import explain
from securechat.net.timers import Timers
from securechat.protocol.errors import Fault
from securechat.protocol.lines import read

log = logging.getLogger(__name__)

HANDSHAKES_PER_ROUND: Final = 8
"""Handshake steps before others get their turn: each costs about a millisecond, a line a few microseconds."""
THROTTLE_SECONDS: Final = 0.05
"""How often connections over their line rate are looked at."""


class Worker:
    """Serves its connections until told to stop. Owned by the thread that calls `run`; others only `post`.

    `ping` is the line sent to a silent peer.
    """

    def __init__(
        self,
        lane: int,
        context: Callable[[], ssl.SSLContext],
        limits: NetLimits,
        handler: Handler,
        ping: bytes = b"PING :keepalive\r\n",
    ) -> None:
        self._lane = lane
        self._context = context
        self._limits = limits
        self._handler = handler
        self._ping = ping
        self._selector = selectors.DefaultSelector()
        self._inbox = Inbox()
        self._selector.register(self._inbox.bell, EVENT_READ, None)
        self._connections: set[Connection] = set()
        self._timers: Timers[Connection] = Timers()
        self._throttled: set[Connection] = set()
        self._again: list[Connection] = []
        self._dirty: list[Connection] = []
        self._stopping = False

    def post(self, job: Job) -> None:
        """Hand over work, from any thread."""
        self._inbox.post(job)

    def run(self) -> None:
        """Serve until stopped and the last connection is closed."""
        try:
            while not (self._stopping and not self._connections):
                self._round()
        finally:
            for connection in list(self._connections):
                self._drop(connection, "server failed")
            self._handler.handover()
            self.close()

    def close(self) -> None:
        """Let go of what a worker has that never ran. Doing it again does nothing."""
        self._selector.close()
        self._inbox.close()

    def _round(self) -> None:
        again, self._again = self._again, []
        entering: list[tuple[Connection, int]] = []
        events = self._selector.select(self._patience(bool(again)))
        for connection in again:
            self._guard(connection, EVENT_READ)
        for key, mask in events:
            connection = key.data
            if connection is None:
                self._inbox.silence()
            elif connection.stage is Stage.HANDSHAKE:
                entering.append((connection, mask))
            else:
                self._guard(connection, mask)
        self._handler.handover()  # before the handshakes, each of which takes as long as hundreds of lines
        for connection, mask in entering[:HANDSHAKES_PER_ROUND]:
            self._guard(connection, mask)
        self._inbox.begin()
        while (job := self._inbox.take()) is not None:
            self._take(job)
        self._run_timers()
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            connection.dirty = False
            self._guard(connection, EVENT_WRITE)
        self._handler.handover()

    def _patience(self, busy: bool) -> float | None:
        if busy or self._dirty:
            return 0
        soon = THROTTLE_SECONDS if self._throttled else math.inf
        timeout = min(self._timers.next() - time.monotonic(), soon)
        return None if timeout == math.inf else max(0.0, timeout)

    def _guard(self, connection: Connection, mask: int) -> None:
        """Serve one connection; whatever goes wrong ends this connection and no other (law 6)."""
        try:
            self._serve(connection, mask)
        except Exception as error:
            self._failed(connection, error)

    def _failed(self, connection: Connection, error: Exception) -> None:
        if isinstance(error, OSError):
            self._drop(connection, explain(error, handshake=connection.stage is Stage.HANDSHAKE))
        else:
            log.error("connection %s failed", connection.address, exc_info=error)
            self._drop(connection, "internal error")

    def _serve(self, connection: Connection, mask: int) -> None:
        stage = connection.stage
        if stage is Stage.OPEN and mask == connection.write_wants == EVENT_WRITE:
            # The end of a turn, the way of nearly every byte: usually all leaves and nothing new is waited for.
            if not connection.flush() or connection.interest != EVENT_READ:
                self._watch(connection)
            return
        if stage is Stage.HANDSHAKE:
            self._handshake(connection)
        elif stage is Stage.LINGER:
            if connection.discard():
                self._drop(connection, connection.reason)
        elif stage is not Stage.CLOSED:
            if mask & connection.write_wants:
                self._write(connection)
            if stage is Stage.OPEN and mask & connection.read_wants and self._welcome(connection):
                self._read(connection)
        if connection.stage is not Stage.CLOSED:
            self._watch(connection)

    def _welcome(self, connection: Connection) -> bool:
        """Whether more input of this connection may come in."""
        return (
            connection.stage is Stage.OPEN
            and connection.held is None
            and connection.inflight < self._limits.inflight_bytes
        )

    def _watch(self, connection: Connection) -> None:
        """Tell the selector what this connection waits for."""
        mask = connection.wanted(reading=self._welcome(connection))
        if mask == connection.interest:
            return
        if not connection.interest:
            self._selector.register(connection.sock, mask, connection)
        elif mask:
            self._selector.modify(connection.sock, mask, connection)
        else:
            self._selector.unregister(connection.sock)
        connection.interest = mask

    def _handshake(self, connection: Connection) -> None:
        if not connection.handshake():
            return
        now = time.monotonic()
        connection.stage = Stage.OPEN
        connection.heard = connection.tokens_at = now
        connection.tokens = float(self._limits.lines_burst)
        self._timers.set(connection, now + self._limits.login_seconds)
        self._handler.opened(connection)

    def _read(self, connection: Connection) -> None:
        data = connection.receive()
        if not data:
            if data is not None:
                connection.say_goodbye()
                self._drop(connection, "connection closed")
            return
        connection.heard = time.monotonic()
        connection.pinged = False
        connection.inflight += len(data)
        self._submit(connection, connection.buffer.feed(data), len(data))
        if connection.sock.pending():
            self._again.append(connection)

    def _submit(self, connection: Connection, lines: list[bytes | Fault], size: int) -> None:
        """Hand over as many lines as the rate limit allows and hold the rest."""
        if self._limits.lines_per_second and lines:
            allowed = connection.allow(len(lines), self._limits, time.monotonic())
            if allowed < len(lines):
                connection.held = (lines[allowed:], size)
                self._throttled.add(connection)
                if allowed:
                    self._handler.received(connection, read(lines[:allowed]), 0)
                return
        if lines:
            self._handler.received(connection, read(lines), size)
        else:
            connection.inflight -= size

    def _write(self, connection: Connection) -> None:
        if connection.flush() and connection.stage is Stage.CLOSING and connection.say_goodbye():
            connection.stage = Stage.LINGER
            connection.read_wants = EVENT_READ

    def _take(self, job: Job) -> None:
        if isinstance(job, Turn):
            self._deliver(job)
        elif isinstance(job, Adopt):
            self._adopt(job)
        else:
            self._stopping = True
            for connection in list(self._connections):
                self._close(connection, "server stopped", job.farewell)

    def _deliver(self, turn: Turn) -> None:
        limit, dirty = self._limits.outbox_bytes, self._dirty
        for connections, pieces in turn.sends:
            size = sum(map(len, pieces))
            for connection in connections:
                if connection.stage is not Stage.OPEN:
                    continue
                connection.outbox += pieces
                connection.queued += size
                if not connection.dirty:
                    connection.dirty = True
                    dirty.append(connection)
                if connection.queued > limit:
                    self._drop(connection, "does not read: its outbox is full")
        now = time.monotonic()
        for connection in turn.admits:
            connection.admitted = True
            self._timers.set(connection, now + self._limits.idle_seconds)
        for connection, size in turn.credits:
            if connection.stage is Stage.OPEN:
                connection.inflight -= size
                self._watch(connection)
        for connection, reason in turn.closes:
            self._close(connection, reason)

    def _adopt(self, job: Adopt) -> None:
        """Wrap an accepted socket and begin its handshake."""
        try:
            job.sock.getpeername()  # wrapping a socket whose peer is gone would raise and not close it
            sock = self._context().wrap_socket(
                job.sock, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
            )
        except OSError as error:
            job.sock.close()
            self._handler.refused(job.host, explain(error, handshake=True))
            self._handler.released(job.host)
            return
        now = time.monotonic()
        connection = Connection(sock, job.host, job.port, self._lane, now)
        self._connections.add(connection)
        self._timers.set(connection, now + self._limits.handshake_seconds)
        self._watch(connection)

    def _close(self, connection: Connection, reason: str, farewell: bytes = b"") -> None:
        """End a connection once what it still has to read, the farewell last, has left."""
        if connection.stage is Stage.HANDSHAKE:
            self._drop(connection, reason)
        elif connection.stage is Stage.OPEN:
            if farewell:
                connection.queue(farewell)
            connection.stage = Stage.CLOSING
            connection.reason = reason
            self._throttled.discard(connection)
            self._timers.set(connection, time.monotonic() + self._limits.linger_seconds)
            self._guard(connection, connection.write_wants)

    def _drop(self, connection: Connection, reason: str) -> None:
        """Forget a connection now. Unregistered before it is closed: its number is used again at once."""
        if connection.stage is Stage.CLOSED:
            return
        opened, connection.stage = connection.stage is not Stage.HANDSHAKE, Stage.CLOSED
        if connection.interest:
            self._selector.unregister(connection.sock)
            connection.interest = 0
        connection.sock.close()
        connection.outbox.clear()
        connection.chunk = b""
        connection.held = None
        self._connections.discard(connection)
        self._throttled.discard(connection)
        self._timers.forget(connection)
        self._handler.released(connection.host)
        if opened:
            self._handler.closed(connection, reason)
        else:
            self._handler.refused(connection.address, reason)

    def _run_timers(self) -> None:
        now = time.monotonic()
        for connection in list(self._throttled):
            try:
                self._release(connection)
            except Exception as error:
                self._failed(connection, error)
        for connection in self._timers.expired(now):
            self._expire(connection, now)

    def _release(self, connection: Connection) -> None:
        """Hand over held lines that the rate allows by now."""
        assert connection.held is not None
        (lines, size), connection.held = connection.held, None
        self._throttled.discard(connection)
        self._submit(connection, lines, size)
        self._watch(connection)

    def _expire(self, connection: Connection, now: float) -> None:
        limits = self._limits
        if connection.stage is Stage.HANDSHAKE:
            self._drop(connection, f"no TLS handshake within {limits.handshake_seconds:g} s")
        elif connection.stage is not Stage.OPEN:
            self._drop(connection, connection.reason)
        elif not connection.admitted:
            reason = f"no login within {limits.login_seconds:g} s"
            self._close(connection, reason, b"ERROR :Login took too long\r\n")
        elif connection.held is not None or connection.inflight:
            # What it has said waits for us, and its PONG may be behind that.
            self._timers.set(connection, now + limits.idle_seconds)
        elif now < connection.heard + limits.idle_seconds:
            self._timers.set(connection, connection.heard + limits.idle_seconds)
        elif not connection.pinged:
            connection.pinged = True
            self._timers.set(connection, now + limits.pong_seconds)
            connection.queue(self._ping)
            self._guard(connection, connection.write_wants)
        else:
            self._close(connection, "ping timeout", b"ERROR :Ping timeout\r\n")
