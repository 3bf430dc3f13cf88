"""Tables and days, as commands print them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

DAY_MS = 86_400_000


def show(rows: Iterable[Sequence[str]]) -> None:
    """Print rows, the first of which is the head; columns stand, for names of any width."""
    table = [list(map(str, row)) for row in rows]
    widths = [max(map(columns, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (f"{cell}{' ' * (width - columns(cell))}" for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def columns(text: str) -> int:
    """Return how many columns a terminal gives to a name (UAX #11)."""
    marks = sum(unicodedata.combining(char) != 0 for char in text)
    return len(text) - marks + sum(unicodedata.east_asian_width(char) in "WF" for char in text)


def day(milliseconds: int) -> str:
    """Return the day of a moment (ms since 1970), here."""
    return f"{datetime.fromtimestamp(milliseconds / 1000).astimezone():%Y-%m-%d}"


def days_left(end: datetime) -> str:
    """Return how long something is still good: "90 days", "47 hours" or "expired"."""
    left = end - datetime.now(UTC)
    if left.total_seconds() <= 0:
        return "expired"
    if left.days > 1:
        return f"{left.days} days"
    hours = int(left.total_seconds() // 3600)
    return f"{hours} {'hour' if hours == 1 else 'hours'}" if hours else "less than an hour"


def moment(milliseconds: int) -> datetime:
    """Return a moment (ms since 1970) in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
