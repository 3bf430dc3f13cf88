"""Reading what was said before: page by page upwards, to a day, by its words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from securechat.client.desk.asking import PAGE, Page, Pages
from securechat.client.desk.conversation import Conversation
from securechat.client.desk.desk import Desk
from securechat.client.desk.reading import Said, said
from securechat.client.text import clean
from securechat.protocol.message import build, escape_tag
from securechat.protocol.names import fold

SEEK_PAGE: Final = 500
RESULTS: Final = 50


class Library:
    """Asks for pages of history and puts them where they belong. Owned by the talk, which sets `ready`.

    `jump` is where the front end should go: (key of the conversation, time).
    """

    def __init__(
        self, desk: Desk, pages: Pages, post: Callable[[Sequence[bytes]], bool], now: Callable[[], int]
    ) -> None:
        self.desk = desk
        self.ready = False
        self.jump: tuple[str, int] | None = None
        self._pages = pages
        self._post = post
        self._now = now

    def listed(self, page: Page) -> None:
        """Open the conversations of two that the server lists."""
        for message in page.messages:
            name = "".join(message.params[1:2])
            if message.command == "CHATHISTORY" and name and not name.startswith("#"):
                conversation = self.desk.open(clean(name))
                self._post([build("MARKREAD", conversation.name)])
                self.older(conversation)

    def older(self, conversation: Conversation, count: int = PAGE) -> bool:
        """Ask for what was said before; say whether that is under way."""
        if conversation.complete or not conversation.name or conversation is self.desk.conversations[""]:
            return False
        if conversation.asked or not self.ready:
            return conversation.asked
        first = next((one for one in conversation.entries if one.msgid), None)
        place = (
            ("BEFORE", conversation.name, f"msgid={first.msgid}") if first else ("LATEST", conversation.name, "*")
        )

        def take(page: Page) -> None:
            conversation.asked = False
            fresh = self.desk.page(conversation.name, page.messages, self._now())
            conversation.complete = page.end or not page.messages or not fresh or bool(page.failed)
            self._seek(conversation)

        lines = self._pages.ask(take, "CHATHISTORY", *place, str(count))
        conversation.asked = bool(lines) and self._post(lines)
        return conversation.asked

    def go_to(self, conversation: Conversation, time: int) -> None:
        """Go to a moment, however far back: pages are fetched until it is here, so that nothing is left out."""
        conversation.seek = time
        self._seek(conversation)

    def _seek(self, conversation: Conversation) -> None:
        if not conversation.seek:
            return
        first = conversation.entries[0].time if conversation.entries else None
        if (first is None or first > conversation.seek) and self.older(conversation, SEEK_PAGE):
            return
        self.jump, conversation.seek = (fold(conversation.name), conversation.seek), 0

    def search(self, text: str, where: str, then: Callable[[list[Said]], None]) -> None:
        """Ask the server for messages with all words of `text`, everywhere or in one conversation."""
        if not self.ready or not text.strip():
            then([])
            return

        def take(page: Page) -> None:
            found = [told for one in page.messages if (told := said(one, self.desk.nick, self._now()))]
            then(sorted(found, key=lambda told: told.entry.order, reverse=True))

        wanted = f"text={escape_tag(text)};limit=50" + (f";in={escape_tag(where)}" if where else "")
        self._post(self._pages.ask(take, "SEARCH", wanted))
