"""Reading the log beside its writer: pages of a conversation, what somebody missed, single entries.

What somebody may read is part of each query. No query looks at more rows than it gives out, whatever the size
of the log; tests assert the plans.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from securechat.records import Entry, Lookup, Missed, Page, Place, Reader, Scope, Stretch, Targets
from securechat.storage.finding import BY_MSGID, by_msgid, since
from securechat.storage.log import LogError, entry_of

NOBODY_KNOWS: Final = "No message with that id is kept in this conversation"

_SAID: Final = (
    "SELECT * FROM entries WHERE conversation = ? AND number > 0 AND seq BETWEEN ? AND ? AND kind IN ({})"
)
_EVENTS: Final = (
    "SELECT * FROM entries WHERE conversation = ? AND number = 0 AND conversation <> '' AND seq BETWEEN ? AND ?"
)
"""These have the conditions of their indexes to the letter."""
_NEWEST: Final = (
    "SELECT time FROM entries WHERE conversation = ? AND number > 0 AND seq >= ? AND kind < 4 "
    "ORDER BY seq DESC LIMIT 1"
)
_LAST: Final = 2**63 - 1


class UnknownPlace(Exception):  # noqa: N818  # it is an answer to somebody, not a failure of ours
    """A message that a question starts from is not kept in that conversation."""


class History(Protocol):
    """What the reader needs of a store. Owned by the thread that uses it. All raise LogError."""

    def page(self, page: Page) -> Stretch:
        """See `records.Page`. Raises UnknownPlace."""

    def targets(self, targets: Targets) -> list[tuple[str, int]]:
        """See `records.Targets`."""

    def missed(self, missed: Missed) -> Stretch:
        """See `records.Missed`."""

    def lookup(self, lookup: Lookup) -> Entry | None:
        """See `records.Lookup`."""

    def close(self) -> None:
        """Let go of the file."""


class SqliteHistory(AbstractContextManager["SqliteHistory"]):
    """Reads the log in `path`, which a SqliteLog has made. Implements `History`. Usable in any one thread.

    `most_bytes` bounds the text in one answer. Raises LogError where the file cannot be opened.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        self._path = path
        self._most_bytes = most_bytes
        try:
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def page(self, page: Page) -> Stretch:
        """See History."""
        try:
            floor = self._floor(page.scope)
            if page.around is not None:
                return self._around(page, floor)
            low = floor - 1 if page.after is None else self._after(page.scope, page.after, floor)
            high = _LAST if page.before is None else self._before(page.scope, page.before, floor)
            newest = page.newest
            if page.after is not None and page.before is not None:
                low, high, newest = self._between(page, floor)
            return self._stretch(page, max(low + 1, floor), high - 1, page.limit, newest=newest)
        except (sqlite3.Error, ValueError) as error:
            raise self._failed(error) from None

    def targets(self, targets: Targets) -> list[tuple[str, int]]:
        """See History."""
        low, high = sorted((targets.first, targets.last))
        found = []
        try:
            for scope in self._scopes(targets.reader):
                time = self._one(_NEWEST, scope.conversation, self._floor(scope))
                if time is not None and low < time < high:
                    found.append((scope.conversation, time))
        except sqlite3.Error as error:
            raise self._failed(error) from None
        found.sort(key=lambda pair: pair[1])
        return found[: targets.limit] if targets.first <= targets.last else found[-targets.limit :]

    def missed(self, missed: Missed) -> Stretch:
        """See History. Each conversation gives its newest; the newest of all of them remain."""
        try:
            scopes = self._scopes(missed.reader)
            lows = [(scope.conversation, max(missed.seq + 1, self._floor(scope))) for scope in scopes]
            streams = [self._rows(*low, _LAST, missed.kinds, newest=True) for low in lows]
            merged = heapq.merge(*streams, key=lambda entry: -entry.seq)
            entries, complete = self._take(merged, missed.limit)
        except (sqlite3.Error, ValueError) as error:
            raise self._failed(error) from None
        return Stretch(entries[::-1], complete)

    def lookup(self, lookup: Lookup) -> Entry | None:
        """See History."""
        try:
            if lookup.msgid:
                query = f"SELECT * FROM entries WHERE {BY_MSGID}"
                return next(self._entries(query, *by_msgid(lookup.msgid)), None)
            query = "SELECT * FROM entries WHERE key = ? AND key <> '' AND sender = ? ORDER BY seq DESC"
            return next(self._entries(query, lookup.key, lookup.sender), None)
        except (sqlite3.Error, ValueError) as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """See History."""
        self._database.close()

    def _scopes(self, reader: Reader) -> list[Scope]:
        query = "SELECT conversation FROM correspondence WHERE account = ?"
        pairs = self._database.execute(query, (reader.account,)).fetchall()
        return [*reader.channels, *(Scope(pair, 0, reader.since) for (pair,) in pairs)]

    def _floor(self, scope: Scope) -> int:
        """Return the number of the first entry that may be read."""
        if not scope.time:
            return scope.seq
        return max(scope.seq, self._since(scope.time))

    def _after(self, scope: Scope, place: Place, floor: int) -> int:
        """Return the entry after which something begins."""
        if place.msgid:
            return self._seq(scope, place.msgid, floor)
        return self._since(place.time + 1) - 1

    def _before(self, scope: Scope, place: Place, floor: int) -> int:
        """Return the entry before which something ends."""
        if place.msgid:
            return self._seq(scope, place.msgid, floor)
        return self._since(place.time)

    def _since(self, time: int) -> int:
        """Return the first entry from a moment on, one beyond all where there is none."""
        found = since(self._database, time)
        return _LAST if found is None else found

    def _between(self, page: Page, floor: int) -> tuple[int, int, bool]:
        """Return both ends and which is counted from; places in the wrong order are exchanged."""
        assert page.after is not None
        assert page.before is not None
        low, high = self._after(page.scope, page.after, floor), self._before(page.scope, page.before, floor)
        first = self._before(page.scope, page.after, floor)
        if first <= high:
            return low, high, page.newest
        return self._after(page.scope, page.before, floor), first, not page.newest

    def _seq(self, scope: Scope, msgid: str, floor: int) -> int:
        query = f"SELECT seq FROM entries WHERE {BY_MSGID} AND conversation = ? AND seq >= ?"
        found = self._one(query, *by_msgid(msgid), scope.conversation, floor)
        if found is None:
            raise UnknownPlace(NOBODY_KNOWS)
        return int(found)

    def _around(self, page: Page, floor: int) -> Stretch:
        """Half of it before the place, and the rest from the place on."""
        assert page.around is not None
        middle = self._before(page.scope, page.around, floor)
        older = self._stretch(page, floor, middle - 1, page.limit // 2, newest=True)
        newer = self._stretch(page, max(middle, floor), _LAST, page.limit - len(older.entries), newest=False)
        return Stretch([*older.entries, *newer.entries], older.complete and newer.complete)

    def _stretch(self, page: Page, low: int, high: int, limit: int, *, newest: bool) -> Stretch:
        kinds = (1, 2, 3, 4, 5) if page.redacted else (1, 2, 3) if page.events else (1, 2)
        rows = self._rows(page.scope.conversation, low, high, kinds, newest=newest, events=page.events)
        entries, complete = self._take(rows, limit)
        return Stretch(entries[::-1] if newest else entries, complete)

    def _rows(
        self, conversation: str, low: int, high: int, kinds: Iterable[int], *, newest: bool, events: bool = False
    ) -> Iterator[Entry]:
        """Give entries from one end on; how far is up to whoever takes them."""
        values = [conversation, low, high]
        query = _SAID.format(", ".join(map(str, kinds)))
        if events:
            query, values = f"{query} UNION ALL {_EVENTS}", values * 2
        return self._entries(f"{query} ORDER BY seq {'DESC' if newest else 'ASC'}", *values)

    def _take(self, rows: Iterator[Entry], limit: int) -> tuple[list[Entry], bool]:
        """Return up to `limit` entries and `most_bytes`, at least one, and whether that is all there is."""
        taken: list[Entry] = []
        size = 0
        for entry in rows:
            size += len(entry.text.encode()) + len(entry.tags.encode())
            if len(taken) >= limit or (taken and size > self._most_bytes):
                return taken, False
            taken.append(entry)
        return taken, True

    def _entries(self, query: str, *values: object) -> Iterator[Entry]:
        # A query that was not read to its end must not hold a snapshot: the write-ahead log would grow.
        with closing(self._database.cursor()) as cursor:
            yield from map(entry_of, cursor.execute(query, values))

    def _one(self, query: str, *values: object) -> Any:
        row = self._database.execute(query, values).fetchone()
        return row[0] if row else None

    def _failed(self, error: Exception) -> LogError:
        return LogError(f"{self._path} cannot be read: {error}. Check its disk, its owner and its mode.")
