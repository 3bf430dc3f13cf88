"""The TLS socket after its handshake: what can be read is read, what can be written is written, nothing waits."""

from __future__ import annotations

import contextlib
import selectors
import ssl
from typing import Final

from securechat.client.queues import CHUNK, Outbox

_READS: Final = 8  # in one turn, so that a flood does not keep us from writing


class Link:
    """Owns one non-blocking SSLSocket. Owned by the connection's thread, which alone may touch it.

    `mask` says what to wait for after a turn of `read` and `write`: what TLS asked for, which is not always
    what we want to do (threaded-tls 6).
    """

    def __init__(self, sock: ssl.SSLSocket, outbox: Outbox) -> None:
        self.sock = sock
        self.mask = 0
        self.ended = False
        self._outbox = outbox
        self._chunk = b""  # frozen: what was offered to TLS is offered again, unchanged, until it is taken

    @property
    def version(self) -> str:
        """The version of TLS in use, such as "TLSv1.3"."""
        return self.sock.version() or "TLS"

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be written."""
        return not (self._chunk or self._outbox)

    def read(self, most: int) -> tuple[list[bytes], bool]:
        """Give what is there, in up to `most` pieces, and whether more may be there that a selector cannot see.

        Sets `ended` at the end of the stream. Raises OSError where the connection broke; what came before
        is given first.
        """
        pieces: list[bytes] = []
        for _ in range(min(most, _READS)):
            try:
                data = self.sock.recv(CHUNK)
            except ssl.SSLWantReadError:
                self.mask |= selectors.EVENT_READ
                return pieces, False
            except ssl.SSLWantWriteError:
                self.mask |= selectors.EVENT_WRITE
                return pieces, False
            except OSError:
                if pieces:
                    return pieces, True  # it will break again, once these are dealt with
                raise
            if not data:
                self.ended = True
                return pieces, False
            pieces.append(data)
        return pieces, True

    def write(self) -> None:
        """Send what waits, as far as the socket takes it. Raises OSError where the connection broke."""
        while self._chunk or self._outbox:
            self._chunk = self._chunk or self._outbox.take()
            try:
                sent = self.sock.send(self._chunk)
            except ssl.SSLWantWriteError:
                self.mask |= selectors.EVENT_WRITE
                return
            except ssl.SSLWantReadError:
                self.mask |= selectors.EVENT_READ
                return
            self._chunk = self._chunk[sent:]

    def close(self) -> None:
        """Say goodbye in TLS, without waiting for an answer, and give the socket back."""
        with contextlib.suppress(OSError, ValueError):
            self.sock.unwrap()
        self.sock.close()
