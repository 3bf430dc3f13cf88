"""Links in what somebody said. Pure."""

from __future__ import annotations

import re
from typing import Final

_LINK: Final = re.compile(r"https?://[!-~]{1,2000}")
_TAIL: Final = ".,;:!?'\")]}>"


def links(text: str) -> list[tuple[int, int]]:
    """Return where the links are, without the punctuation that ends a sentence."""
    found = []
    for match in _LINK.finditer(text):
        end = match.end()
        while end > match.start() and text[end - 1] in _TAIL and not _paired(text[match.start() : end]):
            end -= 1
        found.append((match.start(), end))
    return found


def _paired(link: str) -> bool:
    """Whether the link ends with a bracket that was opened in it."""
    opened = {")": "(", "]": "["}.get(link[-1])
    return opened is not None and link.count(opened) >= link.count(link[-1])
