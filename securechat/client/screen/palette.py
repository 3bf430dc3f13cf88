"""The command palette: every command of the one table, and every conversation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.markup import escape
from textual.widgets import Input

from securechat.client.commands import COMMANDS
from securechat.client.screen.sides import named
from securechat.client.words import _

if TYPE_CHECKING:
    from securechat.client.screen.app import ChatApp


class Commands(Provider):
    """Gives what can be done. A command with blanks to fill in goes to the input.

    Names of conversations are strangers' words: they are given as texts, never as Textual's markup.
    """

    @property
    def _chat(self) -> ChatApp:
        return cast("ChatApp", self.app)

    async def startup(self) -> None:
        """Ask in the person's language what to look for: Textual asks in English."""
        for words in self.app.screen.query(Input):
            words.placeholder = _("Find a command or a conversation")

    def _all(self) -> list[tuple[str, str, Callable[[], None]]]:
        chat = self._chat
        rows: list[tuple[str, str, Callable[[], None]]] = [
            (_(row.usage), _(row.help), partial(chat.command, f"/{name}", ask=" " in row.usage))
            for name, row in COMMANDS.items()
        ]
        return rows + [
            (named(key, one.name), _("Show this conversation"), partial(chat.show, key))
            for key, one in chat.desk.listed()
        ]

    async def discover(self) -> Hits:
        """Give all of it."""
        for text, help_, run in self._all():
            yield DiscoveryHit(Text(text), _Single(run), help=escape(help_))

    async def search(self, query: str) -> Hits:
        """Give what fits."""
        matcher = self.matcher(query)
        for text, help_, run in self._all():
            score = max(matcher.match(text), matcher.match(help_) / 2)
            if score > 0:
                yield Hit(score, Text(text), _Single(run), help=escape(help_))


class _Single:
    """Something that is done once, however often Enter is pressed until the palette is gone."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._run: Callable[[], None] | None = run

    def __call__(self) -> None:
        """Do it, the first time."""
        run, self._run = self._run, None
        if run is not None:
            run()
