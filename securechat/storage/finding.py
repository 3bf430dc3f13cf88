"""Where an entry stands in the log: found by its msgid, or by a moment."""

from __future__ import annotations

import sqlite3
from typing import Final

from securechat.records import FOREIGN, run_of

BY_MSGID: Final = f"((seq = ? AND run = ?) OR (run = ? AND run >= '{FOREIGN}'))"
"""A condition with the values of `by_msgid`. Its second half is for msgids from elsewhere, which have an index."""

# Time grows with seq: it is enough that an index has some of the entries, the others are near.
_SINCE: Final = """
SELECT seq FROM entries WHERE time >= ?1 AND seq > coalesce((
    SELECT seq FROM entries WHERE time < ?1 AND seq % 64 = 0 ORDER BY time DESC, seq DESC LIMIT 1
), 0) ORDER BY seq LIMIT 1
"""
_MOST: Final = 2**63 - 1
"""SQLite's largest number."""


def by_msgid(msgid: str) -> tuple[int, str, str]:
    """Return the values of BY_MSGID."""
    run, _, number = msgid.rpartition("-")
    try:
        seq = int(number[:16], 16)
    except ValueError:
        seq = 0
    own = seq <= _MOST and run_of(msgid, seq) == run  # or its end only looks like the number of an entry
    return seq if own else 0, run, FOREIGN + msgid


def since(database: sqlite3.Connection, time: int) -> int | None:
    """Return the first entry from this moment (ms) on."""
    row = database.execute(_SINCE, (time,)).fetchone()
    return int(row[0]) if row else None
