"""What we said and have not heard back: not on our screen yet, and perhaps on no disk. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from securechat.client.items import Item, What
from securechat.protocol.errors import Fault
from securechat.protocol.message import Message

MAX_UNKEPT: Final = 1000
"""Lines remembered; the oldest is forgotten first."""
_REFUSED: Final = frozenset({"401", "403", "404"})
"""Numerics by which a server refuses a message to the target that they name (modern-irc)."""


class Unkept:
    """The lines that wait for their echo, each with its target. Owned by the session."""

    def __init__(self) -> None:
        self._lines: deque[tuple[str, str]] = deque(maxlen=MAX_UNKEPT)

    def said(self, lines: Iterable[tuple[str, str]]) -> None:
        """Note what was sent, as (target, text)."""
        self._lines.extend(lines)

    def answered(self, message: Message | Fault, items: Sequence[Item]) -> None:
        """Forget the line that this message echoes or refuses; `items` are what the model made of it."""
        texts = {item.text for item in items if item.own and item.what in (What.MESSAGE, What.ACTION)}
        refused = ""
        if isinstance(message, Message) and message.command in _REFUSED and len(message.params) > 1:
            refused = message.params[1]
        if not (texts or refused):
            return
        for line in self._lines:
            if line[1] in texts or line[0] == refused:
                self._lines.remove(line)
                return

    def take(self) -> list[str]:
        """Give the texts that were not heard back, and forget them."""
        texts = [text for _, text in self._lines]
        self._lines.clear()
        return texts
