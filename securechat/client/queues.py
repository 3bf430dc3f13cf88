"""How threads hand things to a connection: a bell, and an outbox with an end."""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from collections.abc import Sequence
from threading import Lock
from typing import Final

CHUNK: Final = 16 * 1024
"""Bytes in one TLS record: lines that wait together leave together (threaded-tls 10)."""


class Wake:
    """Gets a selector out of its wait. `ring` is for any thread, the rest for the one that waits."""

    def __init__(self) -> None:
        self.reader, self.writer = socket.socketpair()
        self.reader.setblocking(False)
        self.writer.setblocking(False)

    def ring(self) -> None:
        """End the wait. A bell that rings already or is gone needs no ring."""
        with contextlib.suppress(OSError):
            self.writer.send(b"\0")

    def drain(self) -> None:
        """Silence the bell."""
        with contextlib.suppress(BlockingIOError):
            while self.reader.recv(4096):
                pass

    def close(self) -> None:
        """Give the sockets back."""
        self.reader.close()
        self.writer.close()


class Outbox:
    """Lines that wait to be sent, up to `limit` bytes. `put` is for any thread, `take` for the socket's owner."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._lock = Lock()  # around list work only, never around a socket

    def put(self, lines: Sequence[bytes]) -> bool:
        """Append all of `lines` and say True, or none of them and say False where they do not fit."""
        size = sum(map(len, lines))
        with self._lock:
            if self._size + size > self._limit:
                return False
            self._lines.extend(lines)
            self._size += size
        return True

    def take(self) -> bytes:
        """Give the next whole lines, joined up to CHUNK bytes (at least one line); empty where none waits."""
        taken: list[bytes] = []
        size = 0
        with self._lock:
            while self._lines and (not taken or size + len(self._lines[0]) <= CHUNK):
                taken.append(self._lines.popleft())
                size += len(taken[-1])
            self._size -= size
        return b"".join(taken)

    @property
    def roomy(self) -> bool:
        """Whether half of the limit or more is free: who can wait, waits until then."""
        return self._size <= self._limit // 2

    def __bool__(self) -> bool:
        return bool(self._lines)
