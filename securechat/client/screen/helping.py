"""The page of F1: the keys, and every command of the one table."""

from __future__ import annotations

from typing import Final

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from securechat.client.commands import COMMANDS
from securechat.client.screen.look import Look
from securechat.client.screen.over import Over
from securechat.client.words import N_, _

KEYS: Final = (
    (N_("Enter"), N_("say it")),
    ("Ctrl+J, Alt+Enter", N_("a new line in the same message")),
    ("Tab", N_("complete a name, a channel or a command")),
    ("↑ ↓", N_("what was typed before")),
    ("Alt+↑ Alt+↓, Ctrl+B Ctrl+N", N_("the conversation above or below")),
    ("Alt+A, Ctrl+T", N_("to what is new")),
    ("PgUp PgDn", N_("read back; Esc goes to the newest")),
    ("Ctrl+↑, Alt+K", N_("pick a message: answer, react, take back, open its link")),
    ("Ctrl+F", N_("search as you type")),
    ("Alt+D, Ctrl+G", N_("go to a day")),
    ("Ctrl+P", N_("commands and conversations by a word of their names")),
    ("F2, F3", N_("fold the conversations, the members")),
    ("Ctrl+Q", N_("leave; so does the word выход")),
)
WIDE: Final = 64
"""Cells from which on there is room for two columns."""


class Helping(Over[None]):
    """Shows what keys and commands there are."""

    def __init__(self, look: Look, width: int) -> None:
        super().__init__()
        self._look = look
        self._wide = width >= WIDE

    def compose(self) -> ComposeResult:
        """Put it together."""
        with VerticalScroll(id="helping"):
            yield Static(self._page())

    def _page(self) -> Text:
        strong = Style(color=self._look.accent, bold=True)
        dim = Style(color=self._look.dim)
        rows = [(_(keys), _(text)) for keys, text in KEYS]
        rows += [(_(row.usage), _(row.help)) for row in COMMANDS.values()]
        width = max(len(first) for first, _second in rows) + 2
        page = Text(_("Esc closes this; PgDn shows more") + "\n\n", dim)
        for index, (first, second) in enumerate(rows):
            if index == len(KEYS):
                page.append("\n")
            page.append(first.ljust(width) if self._wide else first, strong)
            page.append(f"{second}\n" if self._wide else f"\n  {second}\n")
        return page

    def on_key(self, event: events.Key) -> None:
        """Close, or scroll."""
        if event.key in ("escape", "f1", "enter", "q"):
            event.stop()
            self.dismiss(None)
        elif event.key in ("pageup", "pagedown"):
            self.turn(1 if event.key == "pageup" else -1)

    def turn(self, up: int) -> None:
        """Scroll by a page."""
        scroll = self.query_one(VerticalScroll)
        if up > 0:
            scroll.scroll_page_up(animate=False)
        else:
            scroll.scroll_page_down(animate=False)
