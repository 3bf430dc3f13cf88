"""Reading what was said before: page by page upwards, to a day, by its words. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from securechat.client.desk.conversation import Conversation
from securechat.client.desk.desk import Desk
from securechat.client.desk.reading import Said, said
from securechat.client.engine import Engine
from securechat.client.errors import ClientError
from securechat.client.questions import Answered
from securechat.client.text import clean
from securechat.protocol.message import build, escape_tag
from securechat.protocol.names import fold

PAGE: Final = 100
SEEK_PAGE: Final = 500
RESULTS: Final = 50
_FAR: Final = "timestamp=9999-12-31T23:59:59.999Z"
_START: Final = "timestamp=1970-01-01T00:00:00.000Z"


class Library:
    """Asks for pages of history and puts them where they belong. Owned by the talk.

    `jump` is where the front end should go: (key of the conversation, time).
    """

    def __init__(self, desk: Desk, engine: Engine, now: Callable[[], int]) -> None:
        self.desk = desk
        self.jump: tuple[str, int] | None = None
        self._engine = engine
        self._then: dict[str, Callable[[Answered], None]] = {}
        self._now = now

    def _ask(self, then: Callable[[Answered], None], command: str, *params: str) -> bool:
        """Ask for a page; `then` is called with the answer. Say whether that is under way."""
        try:
            label = self._engine.ask(build(command, *params), private=True, again=True)
        except ClientError:  # too much is under way; whoever scrolls on asks again
            return False
        self._then[label] = then
        return True

    def answered(self, answer: Answered) -> None:
        """Take an answer of the server."""
        then = self._then.pop(answer.label, None)
        if then is not None:
            then(answer)

    def list_people(self) -> None:
        """Ask which conversations of two there are, and open them."""
        self._ask(self._listed, "CHATHISTORY", "TARGETS", _START, _FAR, "200")

    def _listed(self, answer: Answered) -> None:
        for message in answer.messages:
            name = "".join(message.params[1:2])
            if message.command == "CHATHISTORY" and name and not name.startswith("#"):
                conversation = self.desk.open(clean(name))
                self._engine.send(build("MARKREAD", conversation.name))
                self.older(conversation)

    def older(self, conversation: Conversation, count: int = PAGE) -> bool:
        """Ask for what was said before; say whether that is under way."""
        if conversation.complete or not conversation.name or conversation is self.desk.conversations[""]:
            return False
        if conversation.asked or not self._engine.up:
            return conversation.asked
        first = next((one for one in conversation.entries if one.msgid), None)
        place = (
            ("BEFORE", conversation.name, f"msgid={first.msgid}") if first else ("LATEST", conversation.name, "*")
        )

        def take(answer: Answered) -> None:
            conversation.asked = False
            fresh = self.desk.page(conversation.name, answer.messages, self._now())
            conversation.complete = answer.end or not fresh
            self._seek(conversation)

        conversation.asked = self._ask(take, "CHATHISTORY", *place, str(count))
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
        if not self._engine.up or not text.strip():
            then([])
            return

        def take(answer: Answered) -> None:
            found = [told for one in answer.messages if (told := said(one, self.desk.nick, self._now()))]
            then(sorted(found, key=lambda told: told.entry.order, reverse=True))

        wanted = f"text={escape_tag(text)};limit={RESULTS}" + (f";in={escape_tag(where)}" if where else "")
        if not self._ask(take, "SEARCH", wanted):
            then([])
