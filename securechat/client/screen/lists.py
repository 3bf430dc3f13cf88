"""Lists at the sides: conversations and members. One row each, no widget for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from securechat.client.screen.wrap import clip, pad

_PLAIN: Final = Style.null()


@dataclass(frozen=True, slots=True)
class Line:
    """A row: what it is called, a count at its right, its key (None: a heading), and its style."""

    text: str
    count: str = ""
    key: str | None = None
    style: Style = _PLAIN
    chosen: bool = False


class Lines(Widget):
    """Rows from the top; the chosen one is kept in sight."""

    class Picked(Message):
        """Somebody clicked on a row."""

        def __init__(self, source: Lines, key: str) -> None:
            super().__init__()
            self.source = source
            self.key = key

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.lines: Sequence[Line] = ()
        self._top = 0

    def set(self, lines: Sequence[Line]) -> None:
        """Show other rows, if they are others."""
        if list(lines) == list(self.lines):
            return
        self.lines = list(lines)
        self.on_resize()

    def on_resize(self) -> None:
        """Keep the chosen row in sight."""
        height = self.size.height
        if not height:
            return
        chosen = next((index for index, line in enumerate(self.lines) if line.chosen), None)
        if chosen is not None and not self._top <= chosen < self._top + height:
            self._top = max(0, chosen - height // 2)
        self._top = min(self._top, max(0, len(self.lines) - height))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one row (see Widget)."""
        width, index = self.size.width, self._top + y
        if index >= len(self.lines):
            return Strip.blank(width, self.rich_style)
        line = self.lines[index]
        room = width - len(line.count) - (3 if line.count else 2)
        text = f" {pad(clip(line.text, room), max(0, room))}" + (f" {line.count} " if line.count else " ")
        return Strip([Segment(text, line.style)]).adjust_cell_length(width).apply_style(self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Tell which row was meant."""
        index = self._top + event.y
        key = self.lines[index].key if index < len(self.lines) else None
        if key is not None:
            self.post_message(self.Picked(self, key))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll."""
        event.stop()
        self._top = max(0, self._top - 1)
        self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll."""
        event.stop()
        self._top = min(self._top + 1, max(0, len(self.lines) - self.size.height))
        self.refresh()


class Bar(Widget):
    """One row of styled pieces."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.pieces: list[Segment] = []

    def set(self, *pieces: Segment) -> None:
        """Show other pieces, if they are others."""
        if list(pieces) != self.pieces:
            self.pieces = list(pieces)
            self.refresh()

    @property
    def plain(self) -> str:
        """What it says."""
        return "".join(piece.text for piece in self.pieces)

    def render_line(self, y: int) -> Strip:
        """Draw it (see Widget)."""
        width = self.size.width
        row = Strip(self.pieces) if y == 0 else Strip([])
        return row.adjust_cell_length(width).apply_style(self.rich_style)
