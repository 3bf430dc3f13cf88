"""The input: Enter sends, Tab completes, the arrow keys go through what was sent before."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import TextArea


class Prompt(TextArea):
    """Some lines of text. What is pasted stays one message, however many lines it has."""

    class Sent(Message):
        """Somebody pressed Enter."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Completed(Message):
        """Somebody pressed Tab."""

        def __init__(self, *, back: bool) -> None:
            super().__init__()
            self.back = back

    class Walked(Message):
        """Somebody wants an earlier (-1) or a later (1) input."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            self._take(event, self.Sent(self.text))
        elif event.key in ("shift+enter", "alt+enter", "ctrl+j"):
            event.prevent_default().stop()
            self.insert("\n")
        elif event.key in ("tab", "shift+tab"):
            self._take(event, self.Completed(back=event.key != "tab"))
        elif event.key == "up" and self.cursor_location[0] == 0:
            self._take(event, self.Walked(-1))
        elif event.key == "down" and self.cursor_location[0] == self.document.line_count - 1:
            self._take(event, self.Walked(1))
        else:
            await super()._on_key(event)

    def _take(self, event: events.Key, message: Message) -> None:
        event.prevent_default().stop()
        self.post_message(message)

    @property
    def before(self) -> str:
        """The text up to the cursor."""
        return self.get_text_range((0, 0), self.cursor_location)

    def put(self, text: str) -> None:
        """Let other text stand here, with the cursor at its end."""
        self.load_text(text)
        self.move_cursor(self.document.end)
