"""What scripts/bench-history does: logs of three sizes, the same questions to each, and the table of their times.

The log is written as the server writes it, but with many messages in one commit; what is in it is always the same.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import median

from running import end_in_order

from securechat.chat.conversations import conversation
from securechat.protocol.names import fold
from securechat.records import Entry, Kind, Page, Place, Reader, Scope, Search, Targets
from securechat.storage.history import SqliteHistory
from securechat.storage.log import LogError, SqliteLog
from securechat.storage.search import SearchIndex

BATCH = 10_000
BYTES = 1024 * 1024
START = 1_700_000_000_000
PEOPLE = [f"user{number}" for number in range(20)]
CHANNELS = [f"#room{number}" for number in range(10)]
COMMON, RARE = "deployment", "xylophone"
"""One message in ten has the one, one in ten thousand the other."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one log needed: milliseconds, seconds for the index, bytes for the files."""

    messages: int
    latest: float
    before_msgid: float
    before_time: float
    targets: float
    common: float
    rare: float
    index_seconds: float
    log_bytes: int
    index_bytes: int


def entries(count: int) -> Iterator[Entry]:
    """Give that many messages: in channels, and one in ten from one person to another."""
    dice = random.Random(0)
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(2, 9))) for _ in range(3000)]
    numbers: Counter[str] = Counter()
    for seq in range(1, count + 1):
        sender = dice.choice(PEOPLE)
        target = dice.choice(PEOPLE if dice.random() < 0.1 else CHANNELS)
        text = " ".join(dice.choices(words, k=dice.randint(3, 15)))
        text += f" {COMMON}" * (seq % 10 == 0) + f" {RARE}" * (seq % 10_000 == 5_000)
        where = conversation(Kind.PRIVMSG, target, sender, text)
        numbers[where] += 1
        run, when = f"{START:x}", START + seq * 100
        yield Entry(seq, run, when, Kind.PRIVMSG, target, sender, text, "", "", where, numbers[where])


def write(path: Path, count: int) -> None:
    """Make a log of that many messages."""
    with closing(SqliteLog(path, conversation)) as log:
        source = entries(count)
        while batch := list(islice(source, BATCH)):
            log.append(batch)


def milliseconds(rounds: int, ask: Callable[[], object]) -> float:
    """Return the median time of an answer."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return median(took) * 1000


def measure(folder: Path, count: int, rounds: int) -> Result:
    """Make a log in `folder` and ask it everything."""
    path = folder / "chat.db"
    write(path, count)
    reader = Reader(PEOPLE[0], tuple(map(Scope, CHANNELS)), 0)
    room, half = Scope(CHANNELS[0]), Place(time=START + count * 50)
    with SqliteHistory(path, BYTES) as history, SearchIndex(path, fold, BYTES, 3600) as index:
        began = time.perf_counter()
        while index.step():
            pass
        indexed = time.perf_counter() - began
        middle = Place(history.page(Page(room, 1, after=half)).entries[0].msgid)
        asked: list[Callable[[], object]] = [
            lambda: history.page(Page(room, 100, newest=True)),
            lambda: history.page(Page(room, 100, before=middle, newest=True)),
            lambda: history.page(Page(room, 100, before=half, newest=True)),
            lambda: history.targets(Targets(reader, 0, 2**53, 100)),
            lambda: index.search(Search(reader, COMMON, 100)),
            lambda: index.search(Search(reader, RARE, 100)),
        ]
        latest, msgid, moment, targets, common, rare = (milliseconds(rounds, ask) for ask in asked)
    log, made = ((folder / name).stat().st_size for name in ("chat.db", "search.db"))
    return Result(count, latest, msgid, moment, targets, common, rare, indexed, log, made)


def table(results: list[Result]) -> str:
    """Return the figures as lines of text."""
    heads = ("messages", "LATEST 100", "BEFORE msgid", "BEFORE time", "TARGETS", "common word", "rare word",
             "index made", "chat.db", "search.db")  # fmt: skip
    rows: list[tuple[str, ...]] = [heads]
    for one in results:
        asked = (one.latest, one.before_msgid, one.before_time, one.targets, one.common, one.rare)
        cells = [f"{value:.2f} ms" for value in asked]
        sizes = [f"{size / 1e6:,.1f} MB" for size in (one.log_bytes, one.index_bytes)]
        rows.append((f"{one.messages:,}", *cells, f"{one.index_seconds:.1f} s", *sizes))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def arguments() -> argparse.Namespace:
    """Return what the command line asked for."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench-history", description="What a question to the log costs, however long the log is."
    )
    parser.add_argument(
        "--messages",
        type=int,
        default=1_000_000,
        help="in the largest log; the others have a tenth and a hundredth of it (default: %(default)s)",
    )
    parser.add_argument("--rounds", type=int, default=101, help="of each question (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE, too")
    chosen = parser.parse_args()
    if chosen.messages < 10_000 or chosen.rounds < 1:
        parser.error("--messages: at least 10000; --rounds: at least 1")
    return chosen


def main() -> int:
    """Measure, print, and return 0."""
    end_in_order()
    chosen = arguments()
    results = []
    with tempfile.TemporaryDirectory(prefix="securechat-bench-") as folder:
        for part in (100, 10, 1):
            count = chosen.messages // part
            place = Path(folder) / str(count)
            place.mkdir()
            try:
                results.append(measure(place, count, chosen.rounds))
            except (LogError, OSError) as problem:
                print(f"scripts/bench-history: {problem}", file=sys.stderr)
                return 1
    print(table(results))
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
