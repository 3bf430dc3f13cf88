"""Search as you type, and picking a reaction: small screens over the big one."""

from __future__ import annotations

from typing import Final

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from securechat.client.desk.reading import Said
from securechat.client.desk.talk import Talk
from securechat.client.screen.lists import Line, Lines
from securechat.client.screen.look import Look
from securechat.client.screen.over import Over
from securechat.client.words import _

REACTIONS: Final = ("👍", "❤️", "😂", "🎉", "😮", "😢", "✅", "👀", "🙏")
PAUSE_SECONDS: Final = 0.15
"""How long typing may pause before the server is asked."""


class Finding(Over[Said | None]):
    """Asks the server while somebody types; gives the message that they pick."""

    def __init__(self, talk: Talk, look: Look, words: str = "") -> None:
        super().__init__()
        self._talk = talk
        self._look = look
        self._words = words
        self._found: list[Said] = []
        self._at = 0
        self._asked = 0

    def compose(self) -> ComposeResult:
        """Put it together."""
        with Vertical(id="finding"):
            yield Input(self._words, placeholder=_("Words to find; #channel looks only there"), id="words")
            yield Lines(id="found")
            yield Static(_("Enter goes there, Esc closes"), id="found-help")

    def on_mount(self) -> None:
        """Look for what is there already."""
        self.query_one(Input).focus()
        if self._words:
            self._ask()

    def on_input_changed(self) -> None:
        """Ask once typing pauses."""
        self._asked += 1
        asked = self._asked
        self.set_timer(PAUSE_SECONDS, lambda: self._ask() if asked == self._asked else None)

    def _ask(self) -> None:
        words = self.query_one(Input).value.split()
        where = next((word for word in words if word.startswith("#") and len(word) > 1), "")
        asked = self._asked

        def take(found: list[Said]) -> None:
            if self.is_attached and asked == self._asked:
                self._found, self._at = found, 0
                self._show(nothing=bool(words))

        self._talk.library.search(" ".join(word for word in words if word != where), where, take)

    def _show(self, *, nothing: bool) -> None:
        lines = [
            Line(
                f"{one.where}  {one.entry.sender}: {one.entry.text}",
                key=str(index),
                chosen=index == self._at,
                style=Style(bgcolor=self._look.selected) if index == self._at else Style(),
            )
            for index, one in enumerate(self._found)
        ]
        empty = [Line(_("Nothing found"), style=Style(color=self._look.dim))] if nothing else []
        self.query_one(Lines).set(lines or empty)

    def on_key(self, event: events.Key) -> None:
        """Move and pick."""
        if event.key in ("up", "down") and self._found:
            event.stop()
            self._at = (self._at + (1 if event.key == "down" else -1)) % len(self._found)
            self._show(nothing=True)
        elif event.key == "escape":
            event.stop()
            self.dismiss(None)

    def on_input_submitted(self) -> None:
        """Go to what is picked."""
        self.dismiss(self._found[self._at] if self._found else None)

    def on_lines_picked(self, message: Lines.Picked) -> None:
        """Go to what was clicked."""
        self.dismiss(self._found[int(message.key)])


class Reacting(Over[str | None]):
    """A row of reactions: a digit or the mouse picks one."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look

    def compose(self) -> ComposeResult:
        """Put it together."""
        with Vertical(id="reacting"):
            yield Lines(id="reactions")

    def on_mount(self) -> None:
        """Show them."""
        head = Line(_("React with (Esc: not at all)"), style=Style(color=self._look.dim))
        rows = [Line(f"{number}  {one}", key=one) for number, one in enumerate(REACTIONS, 1)]
        self.query_one(Lines).set([head, *rows])

    def on_key(self, event: events.Key) -> None:
        """Pick by number."""
        event.stop()
        if event.key == "escape":
            self.dismiss(None)
        elif event.key.isdecimal() and 0 < int(event.key) <= len(REACTIONS):
            self.dismiss(REACTIONS[int(event.key) - 1])

    def on_lines_picked(self, message: Lines.Picked) -> None:
        """Pick by mouse."""
        self.dismiss(message.key)
