"""The connection to a server: one thread that owns the socket, from the first look-up to the end.

threaded-tls.md, rows 1, 2, 5 to 8, 12 to 14, says why it is shaped like this.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import random
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence

from securechat.client.devices import Device
from securechat.client.dial import dial
from securechat.client.dialogue import Dialogue
from securechat.client.errors import ClientError, ConnectError, DeviceError, LostError
from securechat.client.events import Closed, Event, Interrupted, LoggedIn
from securechat.client.identity import Identity
from securechat.client.link import Link
from securechat.client.queues import Outbox, Wake
from securechat.client.resume import NEEDED
from securechat.client.settings import ClientLimits, Endpoint
from securechat.client.words import _
from securechat.protocol.sasl import Credentials

log = logging.getLogger(__name__)

MAX_PAUSE_SECONDS = 30.0
"""Longest pause between two tries to connect again."""


class _Aborted(Exception):  # noqa: N818  # not an error: we were told to stop
    """Somebody called abort, or close before there was anything to close."""


def _nothing() -> None:
    """Be the `notify` of a front end that waits in `next_event`."""


class Connection:
    """A login on a server, and the handle by which other threads use it. Its own thread owns the socket.

    Any thread may call `post`, `close`, `abort`; one of them calls `start` and `join` and takes the events.
    `notify` is called in the connection's thread when an event has come or room for output has come back; it
    must not block.

    `more` are capabilities that its user knows what to do with besides handshake.WANTED. With `device` it logs in
    by that one's certificate, for which `secret` needs no password, or gets it one; with `token` it makes the
    account first.
    A connection to a server with what `resume` needs is tried again when it is lost, for `reconnect_seconds`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        context: ssl.SSLContext,
        secret: Credentials,
        *,
        limits: ClientLimits | None = None,
        notify: Callable[[], None] = _nothing,
        more: frozenset[str] = NEEDED,
        device: Device | None = None,
        token: str = "",
    ) -> None:
        self.endpoint = endpoint
        self.limits = limits or ClientLimits()
        self._notify = notify
        lasting = self.limits.reconnect_seconds > 0
        self._identity = Identity(context, secret, more, device=device, token=token, lasting=lasting)
        self._outbox = Outbox(self.limits.outbox_bytes)
        self._wake = Wake()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._given = 0  # written by the connection's thread
        self._taken = 0  # written by the thread that takes the events
        self._paused = False  # written by the connection's thread
        self._logins = 0  # written by the connection's thread: how often it was let in, and whether it still is
        self._up = True
        self._seen = 0  # written by the thread that takes the events: how many of those it knows of
        self._lasting = False  # written by the connection's thread: whether a lost connection is tried again
        self._closing = False  # these two are only ever set
        self._aborting = False
        self._thread = threading.Thread(target=self._run, name="connection")

    def start(self) -> None:
        """Begin to connect. The first event says how that went."""
        self._thread.start()

    def post(self, lines: Sequence[bytes]) -> bool:
        """Send whole lines, in order: all of them (True), or none where too much waits already (False).

        What is meant for a connection that is lost is dropped: the next one must not begin with it.
        """
        outbox = self._outbox  # first: it is replaced when the connection is lost
        if not self._up or 1 < self._logins != self._seen:
            return True
        accepted = outbox.put(lines)
        if accepted:
            self._wake.ring()
        return accepted

    @property
    def roomy(self) -> bool:
        """Whether the outbox is less than half full. Who reads from a pipe stops reading while it is not."""
        return self._outbox.roomy

    def close(self, lines: Sequence[bytes] = ()) -> None:
        """Send what waits and `lines` (the QUIT), give the server a moment to end its side, and end ours.

        A connect in progress stops.
        """
        self._closing = True  # first: the answer to QUIT must find us leaving
        self._outbox.put(lines)
        self._wake.ring()

    def abort(self) -> None:
        """End at once, whatever waits."""
        self._aborting = True
        self._wake.ring()

    def join(self) -> None:
        """Wait until the thread is gone. Closed has been given by then."""
        if self._thread.ident is not None:
            self._thread.join()
        self._wake.close()

    def next_event(self, timeout: float | None = None) -> Event | None:
        """Take the next event; wait for it up to `timeout` seconds (None: for ever). None where none came."""
        try:
            event = self._events.get(timeout=timeout) if timeout != 0 else self._events.get_nowait()
        except queue.Empty:
            return None
        self._taken += 1
        if isinstance(event, LoggedIn):
            self._seen += 1
        # The connection sets its flag first and looks at the count then: one of us sees the other.
        if self._paused:
            self._wake.ring()
        return event

    # From here on: the connection's thread.

    def _run(self) -> None:
        error: ClientError | None = None
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._wake.reader, selectors.EVENT_READ)
                self._persist(selector)
        except _Aborted:
            pass
        except ClientError as failure:
            error = failure
        except Exception:
            log.exception("the connection's thread failed")
            error = ClientError(_("The client made a mistake; the connection is closed."))
        finally:
            self._identity.drop()
            self._give(Closed(error))

    def _persist(self, selector: selectors.BaseSelector) -> None:
        """Connect and talk; where the connection is lost, again, as long as that may take."""
        lost: LostError | None = None
        until = pause = 0.0
        while True:
            try:
                return self._connect_and_talk(selector)
            except LostError as failure:
                if not (failure.again and self._lasting):
                    raise
                lost, self._lasting = failure, False
                self._up, self._outbox = False, Outbox(self.limits.outbox_bytes)
                pause, until = 1.0, time.monotonic() + self.limits.reconnect_seconds
                self._give(Interrupted(failure, self.limits.reconnect_seconds))
            except ConnectError:
                if lost is None:
                    raise
            if time.monotonic() >= until:
                raise lost
            # Not all clients of a server that comes back at the same moment.
            self._rest(selector, min(until, time.monotonic() + pause * random.uniform(0.5, 1)))  # noqa: S311
            pause = min(2 * pause, MAX_PAUSE_SECONDS)

    def _rest(self, selector: selectors.BaseSelector, until: float) -> None:
        """Do nothing until a moment (time.monotonic), unless somebody wants to leave."""
        while (left := until - time.monotonic()) > 0:
            if self._aborting or self._closing:
                raise _Aborted
            selector.select(left)
            self._wake.drain()

    def _connect_and_talk(self, selector: selectors.BaseSelector) -> None:
        def wait(raw: socket.socket, mask: int, deadline: float) -> None:
            self._wait(selector, raw, mask, deadline)

        attempt = self._identity.attempt()
        link = None
        try:
            sock = dial(self.endpoint, attempt.context, time.monotonic() + self.limits.connect_seconds, wait)
            link = Link(sock, self._outbox)
            now = time.monotonic()
            dialogue = Dialogue(self.endpoint, link.version, attempt.login, self.limits, now, attempt.errand)
            del attempt
            self._talk(selector, link, dialogue)
        except DeviceError:
            self._identity.refused()
            raise
        finally:
            if link is not None:
                link.close()

    def _wait(self, selector: selectors.BaseSelector, raw: socket.socket, mask: int, deadline: float) -> None:
        """Wait for a socket that is being connected (see dial.Wait)."""
        selector.register(raw, mask)
        try:
            while not (self._aborting or self._closing):
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                self._wake.drain()
                if any(key.fileobj is raw for key, _ in ready):
                    return
                if time.monotonic() >= deadline:
                    raise TimeoutError
            raise _Aborted
        finally:
            selector.unregister(raw)

    def _talk(self, selector: selectors.BaseSelector, link: Link, dialogue: Dialogue) -> None:
        """Take turns until the stream ends or somebody wants to leave."""
        self._answer(dialogue.begin())
        while not self._closing:
            self._turn(selector, link, dialogue)
        if not dialogue.logged_in:
            raise _Aborted
        leave_at = time.monotonic() + self.limits.linger_seconds
        try:
            while (left := leave_at - time.monotonic()) > 0:
                self._turn(selector, link, dialogue, left)
        except ClientError:
            if link.idle:
                return  # all was sent, and the server has ended its side: that is what we waited for
            raise
        if not link.idle:
            raise LostError(_("The server did not take the last lines; they may be lost."))

    def _turn(
        self, selector: selectors.BaseSelector, link: Link, dialogue: Dialogue, patience: float | None = None
    ) -> None:
        """Read, write and wait once; for as long as the dialogue allows where no `patience` is given."""
        if self._aborting:
            raise _Aborted
        link.mask = 0
        more = self._read(link, dialogue)
        if link.ended:
            raise dialogue.ended(None)
        if patience is None:
            lines, patience = dialogue.tick(time.monotonic())
            self._answer(lines)
        self._write(link, dialogue)
        self._sleep(selector, link, 0.0 if more else patience)

    def _read(self, link: Link, dialogue: Dialogue) -> bool:
        """Read and hand on, unless the front end is behind. Say whether to come again without waiting."""
        room = self._room()
        if room <= 0:
            self._paused = True
            room = self._room()  # some may have been taken before the flag could be seen
        self._paused = room <= 0
        if self._paused:
            dialogue.excuse(time.monotonic())
            return False
        try:
            pieces, more = link.read(room)
        except OSError as failure:
            raise dialogue.ended(failure) from None
        for piece in pieces:
            answers, events = dialogue.feed(piece, time.monotonic())
            self._answer(answers)
            for event in events:
                self._give(event)
        return more

    def _room(self) -> int:
        return self.limits.batches - (self._given - self._taken)

    def _write(self, link: Link, dialogue: Dialogue) -> None:
        crowded = not self._outbox.roomy
        try:
            link.write()
        except OSError as failure:
            # The server's last words may say why, and are perhaps here already. That it is lost is known, and an
            # answer that finds no room in the outbox must not keep us from coming back.
            with contextlib.suppress(LostError):
                self._read(link, dialogue)
            raise dialogue.ended(failure) from None
        if crowded and self._outbox.roomy:
            self._notify()

    def _sleep(self, selector: selectors.BaseSelector, link: Link, patience: float) -> None:
        """Wait for what TLS asked for, or for the bell; for the bell alone while reading is paused."""
        # A paused reader that waits for TLS to write would spin on what it does not read.
        mask = link.mask & ~selectors.EVENT_READ if self._paused else link.mask
        if mask:
            selector.register(link.sock, mask)
        try:
            selector.select(patience)
        finally:
            if mask:
                selector.unregister(link.sock)
        self._wake.drain()

    def _answer(self, lines: Sequence[bytes]) -> None:
        if lines and not self._outbox.put(lines):
            raise LostError(_("The connection was given up: the server asks more than it listens."))

    def _give(self, event: Event) -> None:
        if isinstance(event, LoggedIn):
            self._lasting = self.limits.reconnect_seconds > 0 and event.capabilities >= NEEDED
            self._logins += 1
            self._up = True  # last: post looks at both
        self._given += 1
        self._events.put(event)
        self._notify()
