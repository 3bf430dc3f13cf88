"""The command palette: every command of the one table, and every conversation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.widgets import Input

from securechat.client.commands import COMMANDS
from securechat.client.screen.sides import named
from securechat.client.words import _

if TYPE_CHECKING:
    from securechat.client.screen.app import ChatApp


class Commands(Provider):
    """Gives what can be done. A command with blanks to fill in goes to the input."""

    @property
    def _chat(self) -> ChatApp:
        return cast("ChatApp", self.app)

    async def startup(self) -> None:
        """Ask in the person's language what to look for: Textual asks in English."""
        for words in self.app.screen.query(Input):
            words.placeholder = _("Find a command or a conversation")

    def _all(self) -> list[tuple[str, str, partial[None]]]:
        chat = self._chat
        rows = [
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
            yield DiscoveryHit(text, run, help=help_)

    async def search(self, query: str) -> Hits:
        """Give what fits."""
        matcher = self.matcher(query)
        for text, help_, run in self._all():
            score = max(matcher.match(text), matcher.match(help_) / 2)
            if score > 0:
                yield Hit(score, matcher.highlight(text), run, help=help_)
