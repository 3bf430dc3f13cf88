"""Text on a grid of cells: where its lines break and where its links are."""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len, get_character_cell_size, set_cell_size

LINK: Final = re.compile(r"https?://[!-~]{1,2000}")
_TAIL: Final = ".,;:!?'\")]}>"


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


def links(text: str) -> list[tuple[int, int]]:
    """Return where the links are, without the punctuation that ends a sentence."""
    found = []
    for match in LINK.finditer(text):
        end = match.end()
        while end > match.start() and text[end - 1] in _TAIL and not _paired(text[match.start() : end]):
            end -= 1
        found.append((match.start(), end))
    return found


def _paired(link: str) -> bool:
    return link.endswith(")") and link.count("(") >= link.count(")")


def clip(text: str, width: int) -> str:
    """Return text that takes `width` cells at most, with a sign where something was cut off."""
    text = text.replace("\n", " ")
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)) + "…"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return text that takes exactly `width` cells, at the right or at the left of them."""
    text = clip(text, width)
    space = " " * (width - cell_len(text))
    return space + text if right else text + space
