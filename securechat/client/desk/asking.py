"""Questions to the server whose answers are pages: history, search, the list of conversations. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from securechat.protocol.message import Message, build, parse_tags

PAGE: Final = 100
MAX_ASKED: Final = 200
MAX_ANSWER: Final = 2000


@dataclass(slots=True)
class Page:
    """An answer: its messages in order. `end` says that there is nothing beyond; `failed` why there is none."""

    messages: list[Message] = field(default_factory=list)
    end: bool = False
    failed: str = ""


@dataclass(slots=True)
class _Asked:
    then: Callable[[Page], None]
    page: Page
    outer: str = ""


class Pages:
    """Takes answers out of what the server sends, and hands each over whole. Owned by the talk."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}
        self._batches: dict[str, str] = {}  # reference to label
        self._count = 0

    def ask(self, then: Callable[[Page], None], command: str, *params: str) -> list[bytes]:
        """Return the lines that ask; `then` is called with the answer, or never where the connection is lost."""
        if len(self._asked) >= MAX_ASKED:
            return []
        self._count += 1
        label = f"desk-{self._count}"
        line = build(command, *params, tags=f"label={label}")
        self._asked[label] = _Asked(then, Page())
        return [line]

    def lost(self) -> None:
        """Forget what was asked: it will not be answered."""
        self._asked.clear()
        self._batches.clear()

    def feed(self, message: Message) -> bool:
        """Take a message; say whether it was part of an answer."""
        if not message.tags and message.command != "BATCH":
            return False
        tags = parse_tags(message.tags) if message.tags else {}
        if message.command == "BATCH" and message.params:
            return self._batch(message, tags)
        label = self._batches.get(tags.get("batch", "")) or tags.get("label", "")
        asked = self._asked.get(label)
        if asked is None:
            return False
        if message.command in ("FAIL", "ACK") or "400" <= message.command <= "599":
            asked.page.failed = message.params[-1] if message.params else "?"
            self._finish(label)
        elif len(asked.page.messages) < MAX_ANSWER:
            asked.page.messages.append(message)
        return True

    def _batch(self, message: Message, tags: dict[str, str]) -> bool:
        sign, reference = message.params[0][:1], message.params[0][1:]
        if sign == "+":
            label = tags.get("label", "") or self._batches.get(tags.get("batch", ""), "")
            asked = self._asked.get(label)
            if asked is None:
                return False
            asked.outer = asked.outer or reference
            asked.page.end = asked.page.end or "draft/chathistory-end" in tags
            self._batches[reference] = label
            return True
        found = self._batches.pop(reference, None)
        if found is None:
            return False
        if found in self._asked and self._asked[found].outer == reference:
            self._finish(found)
        return True

    def _finish(self, label: str) -> None:
        asked = self._asked.pop(label)
        asked.then(asked.page)
