"""Text on a grid of cells: where its lines break."""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len, get_character_cell_size, set_cell_size

COLUMN: Final = 24
"""Cells that a second column must have to stand beside the first."""
_GAP: Final = re.compile(r"\S( {2,})(?=\S)")


def wrap(text: str, width: int) -> list[tuple[int, int]]:
    """Return the pieces of `text` that fit lines of `width` cells, as (start, end): at spaces where possible."""
    pieces = []
    start = 0
    for line in text.split("\n"):
        pieces += _line(text, start, start + len(line), max(2, width))
        start += len(line) + 1
    return pieces


def _line(text: str, start: int, stop: int, width: int) -> list[tuple[int, int]]:
    plain = text.isascii()
    if plain and stop - start <= width:
        return [(start, stop)]
    out = []
    while start < stop:
        end = min(stop, start + width) if plain else _fit(text, start, stop, width)
        if end < stop:
            space = text.rfind(" ", start + 1, end + 1)
            if space > start + (end - start) // 3:
                out.append((start, space))
                start = space + 1
                continue
        out.append((start, end))
        start = end
    return out or [(start, stop)]


def _fit(text: str, start: int, stop: int, width: int) -> int:
    used, end = 0, start
    while end < stop:
        used += get_character_cell_size(text[end])
        if used > width:
            return max(end, start + 1)
        end += 1
    return end


def in_columns(text: str, width: int) -> list[str]:
    """Return text as lines of `width` cells. What follows two spaces or more is a column of its own.

    Its lines stand below each other, or below what is before it where there is little room.
    """
    gap = _GAP.search(text)
    before = cell_len(text[: gap.end(1)]) if gap else 0
    if gap is None or "\n" in text or (cell_len(text) <= width and width - before >= COLUMN):
        return [text[start:end] for start, end in wrap(text, width)]
    first, second = text[: gap.start(1)], text[gap.end(1) :]
    if width - before >= COLUMN:
        lines = [second[start:end] for start, end in wrap(second, width - before)]
        return [text[: gap.end(1)] + lines[0], *(" " * before + line for line in lines[1:])]
    lines = [second[start:end] for start, end in wrap(second, width - 2)]
    return [*(first[start:end] for start, end in wrap(first, width)), *(f"  {line}" for line in lines)]


def clip(text: str, width: int) -> str:
    """Return text that takes `width` cells at most, with a sign where something was cut off."""
    text = text.replace("\n", " ")
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)) + "…"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return text that takes exactly `width` cells, at the right or at the left of them."""
    text = clip(text, width)
    space = " " * (width - cell_len(text))
    return space + text if right else text + space
