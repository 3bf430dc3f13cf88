"""Cut a byte stream into lines with a hard bound on memory (modern-irc, "Message Format")."""

from __future__ import annotations

from typing import Final

from securechat.protocol.errors import Fault

MAX_BODY: Final = 512
"""Longest line without its tags, CR LF included (RFC 1459 section 2.3)."""
MAX_CLIENT_TAGS: Final = 4096
"""Longest tag section that a client may send, '@' and the space included (IRCv3 message-tags, "Size limit")."""
MAX_SERVER_TAGS: Final = 8191
"""The same for what a server may send."""
MAX_DISCARDED: Final = 64 * 1024
"""How much of one overlong line is skipped before its sender is given up."""


class LineBuffer:
    """Collects received bytes and gives whole lines. Owned by whoever feeds it.

    `limit` is the longest line kept, in bytes without its line end. A line ends with LF; one CR before it
    belongs to the end. What is left at the end of a stream was never a line and is never given.
    """

    __slots__ = ("_discarded", "_limit", "_partial")

    def __init__(self, limit: int = MAX_CLIENT_TAGS + MAX_BODY) -> None:
        self._limit = limit
        self._partial = b""
        self._discarded = 0

    def feed(self, data: bytes) -> list[bytes | Fault]:
        """Take any number of bytes; give the lines they complete, without line ends, and faults in place.

        A line over the limit gives Fault.TOO_LONG once, as soon as it is known, and is skipped up to its end;
        Fault.ENDLESS says that no end came for MAX_DISCARDED bytes. Empty lines are skipped (RFC 1459, 2.3.1).
        """
        *whole, last = data.split(b"\n")
        if not whole:
            return self._grow(last)
        if self._discarded:
            self._discarded = 0
            del whole[0]
        else:
            whole[0], self._partial = self._partial + whole[0], b""
        limit = self._limit
        given = [
            line if len(line) <= limit else Fault.TOO_LONG
            for ended in whole
            if (line := ended.removesuffix(b"\r"))
        ]
        return given + self._grow(last)

    def _grow(self, piece: bytes) -> list[bytes | Fault]:
        """Keep the start of a line that is not complete, within the limit (one byte more: it may be the CR)."""
        if self._discarded:
            self._discarded += len(piece)
            return [Fault.ENDLESS] if self._discarded > MAX_DISCARDED else []
        self._partial += piece
        if len(self._partial) <= self._limit + 1:
            return []
        self._discarded, self._partial = len(self._partial), b""
        return [Fault.TOO_LONG, Fault.ENDLESS] if self._discarded > MAX_DISCARDED else [Fault.TOO_LONG]
