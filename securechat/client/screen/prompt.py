"""The input: Enter sends, Tab completes, the arrow keys go through what was sent before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from textual import events
from textual.widgets import TextArea


class Prompt(TextArea):
    """Some lines of text. What is pasted stays one message, however many lines it has.

    `enter` takes it, `tab` completes (True: backwards), `walk` goes to an earlier (-1) or a later (1) input.
    Enter, Tab and the arrows do their work before the next key is looked at: whoever types fast, or into a screen
    that is busy, must not find that in another line.
    """

    def __init__(
        self,
        *,
        enter: Callable[[], None],
        tab: Callable[[bool], None],
        walk: Callable[[int], None],
        **how: Any,
    ) -> None:
        super().__init__(**how)
        self._enter = enter
        self._tab = tab
        self._walk = walk

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            self._do(event, self._enter)
        elif event.key in ("shift+enter", "alt+enter", "ctrl+j"):
            event.prevent_default().stop()
            self.insert("\n")
        elif event.key in ("tab", "shift+tab"):
            self._do(event, partial(self._tab, event.key != "tab"))
        elif event.key == "up" and self.cursor_location[0] == 0:
            self._do(event, partial(self._walk, -1))
        elif event.key == "down" and self.cursor_location[0] == self.document.line_count - 1:
            self._do(event, partial(self._walk, 1))
        else:
            await super()._on_key(event)

    @staticmethod
    def _do(event: events.Key, what: Callable[[], None]) -> None:
        event.prevent_default().stop()
        what()

    @property
    def before(self) -> str:
        """The text up to the cursor."""
        return self.get_text_range((0, 0), self.cursor_location)

    def put(self, text: str) -> None:
        """Let other text stand here, with the cursor at its end."""
        self.load_text(text)
        self.move_cursor(self.document.end)
