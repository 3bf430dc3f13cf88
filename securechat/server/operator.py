"""What whoever runs the server may ask of the log: everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from securechat.chat.conversations import conversation
from securechat.protocol.names import fold
from securechat.records import Entry, Search
from securechat.storage.reading import connect
from securechat.storage.search import CHUNK, SearchIndex

__all__ = ["conversation", "fold", "search"]

SECONDS: Final = 600.0
"""How long a search may take: whoever waits for it can end it."""
_EVERYTHING: Final = 2**62


def search(
    path: Path,
    words: Sequence[str],
    *,
    channel: str = "",
    sender: str = "",
    since: int = 0,
    limit: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Sequence[Entry]:
    """Return messages of the log in `path` that have all words in them, oldest first.

    At most `limit` (0: all), the newest; with `since` (ms) the first from there on. Names are as somebody types
    them. `progress` is told how much of the index is made, if that takes long. Raises LogError and TooSlow.
    """
    with closing(connect(path)) as log:
        (entries,) = log.execute("SELECT count(*) FROM entries").fetchone()
    wanted = Search(None, " ".join(words), limit or _EVERYTHING, fold(channel), fold(sender), since or None)
    with SearchIndex(path, fold, _EVERYTHING, SECONDS) as index:
        done = CHUNK
        while index.step():
            done += CHUNK
            progress(min(done, entries), entries)
        return index.search(wanted).entries
