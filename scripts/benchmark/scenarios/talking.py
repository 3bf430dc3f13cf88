"""What the scenarios share in which many clients talk: rounds in turns, the median, the floor beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from running import Failed

from benchmark.contenders import Contender
from benchmark.floor import Floor
from benchmark.scenarios import Column, five, progress
from benchmark.stage import Pair, left_out

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Talked:
    """The round with the median cost, and the cost (us) of all rounds.

    `us` is the server's CPU per delivered line; `floor_full` and `floor_record` are what such a line costs at
    least in 16 KiB records and in records of the mean size that arrived, `floor_load` in the latter under the same
    load. `driver` is the driver's share of a core.
    """

    contender: str
    recipients: int
    window: int
    lines: int
    us: float
    all_us: list[float]
    floor_full: float
    floor_record: float
    floor_load: float
    of_floor: float
    of_load: float
    deliveries_per_second: float
    messages_per_second: float
    driver: float
    record_bytes: float
    line_bytes: float


COLUMNS = (
    Column("us/line", "us", five),
    Column("16 KiB", "floor_full", five),
    Column("floor", "floor_record", five),
    Column("of it", "of_floor", "{:.1f}"),
    Column("loaded", "floor_load", five),
    Column("of it", "of_load", "{:.1f}"),
    Column("lines/s", "deliveries_per_second"),
    Column("said/s", "messages_per_second"),
    Column("driver", "driver", "{:.0%}"),
    Column("record", "record_bytes"),
)
NOTES = """\
us/line: CPU of the server per delivered line, the median round. Floor: what bare SSLSocket.send needs for such a
line in records of the size that arrived here (column record, in bytes), to as many clients, poured out as fast as
they go; loaded: where no more is on its way than the load allows; 16 KiB: poured out in full records to a hundred.
Lines/s arrive, said/s are sent. Driver: its share of a core; from 90% on it is the driver that limits both."""


def cost(figures: Figures) -> float:
    """Return the server's CPU per delivered line, in microseconds."""
    return float(figures["cpu"] / figures["deliveries"] * 1e6)


def fewer(contender: Contender, lines: int) -> int:
    """Return how many lines to say to a contender: to a slow one a tenth, or it would be measured all day."""
    return lines if contender.fast else lines // 10


def talk(
    pairs: list[Pair], rounds: int, lines: Callable[[Contender], int], **load: int
) -> list[tuple[Pair, list[Figures]]]:
    """Let the crowds talk, one after the other, round by round; return the figures of each.

    One that fails has what it has; it is taken out of `pairs`, for its clients are gone.
    """
    results: list[tuple[Pair, list[Figures]]] = [(pair, []) for pair in pairs]
    for number in range(rounds):
        for pair, figures in results:
            if pair not in pairs:
                continue
            try:
                found = pair.driver.ask("talk", lines=lines(pair.contender), **load)
            except Failed as problem:
                left_out(pair.contender, problem)
                pairs.remove(pair)
                continue
            figures.append(found)
            progress(f"{pair.name}, round {number + 1} of {rounds}: {cost(found):.3f} us per delivered line")
    return [(pair, figures) for pair, figures in results if figures]


def talked(
    name: str, found: list[Figures], floor: Floor, recipients: int, window: int, heard: int, clients: int = 0
) -> Talked:
    """Return one row.

    `heard` senders with such a window speak to each client; `clients` are there in all, if that is more than the
    recipients of a line.
    """
    middle = sorted(found, key=cost)[len(found) // 2]
    least = floor.line(middle["line"], middle["record"], clients or recipients)
    loaded = floor.under_load(middle["line"], middle["record"], heard * window, clients or recipients)
    return Talked(
        contender=name,
        recipients=recipients,
        window=window,
        lines=middle["lines"],
        us=cost(middle),
        all_us=[cost(figures) for figures in found],
        floor_full=floor.line(middle["line"]),
        floor_record=least,
        floor_load=loaded,
        of_floor=cost(middle) / least,
        of_load=cost(middle) / loaded,
        deliveries_per_second=middle["deliveries"] / middle["seconds"],
        messages_per_second=middle["lines"] / middle["seconds"],
        driver=middle["driver"],
        record_bytes=middle["record"],
        line_bytes=middle["line"],
    )


def check_kept(pair: Pair, lines: int) -> None:
    """Raise Failed unless a server that keeps what is said has kept all of it."""
    kept = pair.contender.kept(pair.place)
    if kept is not None and kept != lines:
        raise Failed(f"{kept} of {lines} lines are on the disk of {pair.name}.")
