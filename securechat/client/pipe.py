"""The line client in a pipe: one loop over standard input, standard output and the connection's bell."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from securechat.client.connection import Connection
from securechat.client.errors import ClientError, LoginError, reason
from securechat.client.queues import Wake
from securechat.client.render import Renderer
from securechat.client.session import Session
from securechat.client.words import _
from securechat.protocol.errors import Fault
from securechat.protocol.framing import LineBuffer

Connect = Callable[[Callable[[], None]], Connection]
"""Makes the connection, given its `notify`."""

MAX_LINE: Final = 64 * 1024
"""Longest line read from standard input, in bytes."""
MAX_OUTPUT: Final = 64 * 1024
"""Printed text that may wait for the reader of standard output before we stop taking more."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def first_line(descriptor: int, most: int) -> tuple[bytes, bytes]:
    """Read up to the first line end; give that line without its end, and what was read beyond it.

    Raises LoginError where no line end comes within `most` bytes (an end of file counts as one).
    """
    data = b""
    while b"\n" not in data:
        piece = os.read(descriptor, 4096)
        if not piece:
            break
        data += piece
        if len(data) > most and b"\n" not in data[:most]:
            raise LoginError(
                _("The first line of standard input is no password: it is longer than {} bytes.").format(most)
            )
    line, _end, rest = data.partition(b"\n")
    return line.removesuffix(b"\r"), rest


class PipeClient:
    """Says each line of standard input, prints each line of the conversation. Owned by the main thread."""

    def __init__(self, connect: Connect, leftover: bytes = b"") -> None:
        self._wake = Wake()
        self._connection = connect(self._wake.ring)
        self._session = Session(self._connection, Renderer(), barrier=True)
        # None where the process was started without: the numbers 0 and 1 may be anything then.
        self._stdin = sys.stdin.fileno() if sys.stdin is not None else None
        self._stdout = sys.stdout.fileno() if sys.stdout is not None else None
        self._encoding = sys.stdout.encoding if sys.stdout is not None else "utf-8"
        self._lines = LineBuffer(MAX_LINE)
        self._typed: deque[bytes | Fault] = deque(self._lines.feed(leftover))
        self._output = b""
        self._stopped = False  # by a signal
        self._failure: ClientError | None = None

    def run(self) -> None:
        """Talk until standard input ends, somebody quits or the connection is lost; raise ClientError for that."""
        with self._signals():
            self._connection.start()
            try:
                while not self._done:
                    self._turn()
            finally:
                self._connection.abort()
                self._connection.join()
                self._wake.close()
        failure = self._failure or self._session.error
        if failure is not None:
            raise failure

    @property
    def _done(self) -> bool:
        """Whether the connection is gone and all is printed; after a signal the rest is not waited for."""
        return self._session.over and (self._stopped or not self._output)

    def _turn(self) -> None:
        if self._stopped:
            self._session.leave(at_once=True)
        while len(self._output) < MAX_OUTPUT or self._stopped:
            event = self._connection.next_event(0)
            if event is None:
                break
            self._print(self._session.receive(event))
        self._say()
        if self._done:
            return
        readable, writable, _ = select.select(*self._interest(), [])
        self._wake.drain()
        if self._stdin in readable:
            self._read()
        if writable:
            self._write()

    def _interest(self) -> tuple[list[int], list[int]]:
        readers = [self._wake.reader.fileno()]
        busy = self._typed or self._session.leaving or len(self._output) >= MAX_OUTPUT
        if self._stdin is not None and self._session.ready and not busy:
            readers.append(self._stdin)
        return readers, [self._stdout] if self._output and self._stdout is not None else []

    def _say(self) -> None:
        """Say what was read, as fast as the server takes it: whatever feeds the pipe waits with us."""
        while self._typed and self._session.ready and self._session.roomy and self._connection.roomy:
            line = self._typed.popleft()
            if not self._session.leaving:
                self._print(self._say_line(line))
        if self._stdin is None and not self._typed and self._session.ready and not self._session.leaving:
            self._session.leave()

    def _say_line(self, line: bytes | Fault) -> list[str]:
        if line is Fault.ENDLESS:
            return []  # told already, when it was too long
        if isinstance(line, Fault):
            return self._session.problem(_("A line over {} bytes was not sent.").format(MAX_LINE))
        try:
            return self._session.typed(line.decode())
        except UnicodeDecodeError:
            return self._session.problem(_("A line that is not valid UTF-8 was not sent."))

    def _read(self) -> None:
        assert self._stdin is not None
        try:
            data = os.read(self._stdin, MAX_LINE)
        except BlockingIOError:
            return
        except OSError:  # the terminal behind it is gone
            data = b""
        if data:
            self._typed.extend(self._lines.feed(data))
        else:
            self._stdin = None
            self._typed.extend(self._lines.feed(b"\n"))  # a last line without an end was meant as well

    def _print(self, lines: list[str]) -> None:
        if lines and self._stdout is not None:
            self._output += "".join(f"{line}\n" for line in lines).encode(self._encoding, "backslashreplace")

    def _write(self) -> None:
        """Write a piece that does not block, so that a stopped reader cannot keep us from leaving."""
        assert self._stdout is not None
        try:
            self._output = self._output[os.write(self._stdout, self._output[: select.PIPE_BUF]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # nobody reads any more (`| head`), which is no failure
            self._deaf()
        except OSError as failure:
            self._failure = ClientError(_("Standard output cannot be written: {}.").format(reason(failure)))
            self._deaf()

    def _deaf(self) -> None:
        self._stdout, self._output = None, b""
        self._session.leave(at_once=True)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Let the signals that ask us to go do so, whatever the loop waits for."""

        def stop(_signal: int, _frame: object) -> None:
            self._stopped = True  # no more than that: it may have interrupted anything

        descriptor = signal.set_wakeup_fd(self._wake.writer.fileno(), warn_on_full_buffer=False)
        before = {number: signal.signal(number, stop) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(descriptor)
