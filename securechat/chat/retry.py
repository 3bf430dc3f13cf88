"""Safe retry: a message with an idempotency key is one message, however often it is sent.

A client that lost its connection does not know which of its last lines arrived. With `+securechat/key` on each it
sends them again, and those that had arrived are answered by their first echo, with its msgid, and shown to nobody.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Ask, Effects, Reply
from securechat.chat.messages import say_to
from securechat.chat.people import Session
from securechat.chat.playback import entry_line
from securechat.protocol.capabilities import KEY_TAG
from securechat.protocol.message import unescape_tag
from securechat.protocol.names import fold
from securechat.records import Draft, Entry, Lookup, Unanswered

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

MAX_KEY: Final = 64
"""Longest key, in bytes."""
_PREFIX: Final = KEY_TAG + "="


class Keys:
    """The newest `most` keys, by account. Owned by the hub. The log has them all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.whole = True
        """A key that is not known here is new: nothing of the last day had to be left out."""

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._known

    def add(self, account: str, key: str) -> None:
        """Note a key; the oldest makes room."""
        self._known[account, key] = None
        if len(self._known) > self._most:
            self._known.popitem(last=False)
            self.whole = False

    def forget(self, account: str) -> None:
        """Drop the keys of an account that is gone."""
        for known in [known for known in self._known if known[0] == account]:
            del self._known[known]

    def restore(self, entries: Iterable[Entry]) -> None:
        """Begin anew with what the log has of the last day."""
        self._known.clear()
        self.whole = True
        for entry in entries:
            self.add(fold(entry.sender), entry.key)
        self.whole = len(self._known) < self._most


def take_key(tags: str) -> tuple[str, str]:
    """Return client-only tags without the key, and the key: others never see it."""
    kept, key = [], ""
    for tag in tags.split(";"):
        if tag.startswith(_PREFIX):
            key = unescape_tag(tag.removeprefix(_PREFIX))
        elif tag != KEY_TAG:
            kept.append(tag)
    return ";".join(kept), key


def say_once(hub: Hub, session: Session, draft: Draft) -> Effects:
    """Say a message with a key, unless it has been said: then answer with what was said."""
    assert session.account is not None
    if len(draft.key.encode()) > MAX_KEY or "," in draft.target:
        text = f"A key has at most {MAX_KEY} bytes, and a message with one has one target"
        yield hub.fail(session, draft.kind.name, "INVALID_KEY", text=text)
    elif draft.key and ((session.account.key, draft.key) in hub.keys or not hub.keys.whole):
        question = Lookup(sender=session.account.name, key=draft.key)
        yield Ask(session, question, partial(_found, hub, session, draft))
    else:
        yield from _say(hub, session, draft)


def _say(hub: Hub, session: Session, draft: Draft) -> Effects:
    return say_to(hub, session, draft.kind, draft.target, draft.text, draft.tags, draft.key)


def _found(hub: Hub, session: Session, draft: Draft, answer: Entry | Unanswered | None) -> Effects:
    assert session.account is not None
    if isinstance(answer, Unanswered):
        yield hub.fail(session, draft.kind.name, "NOT_STORED", text=f"Not accepted: {answer.text}")
    elif answer is not None and answer.time >= session.account.created:
        yield Reply(session, entry_line(hub, session, answer))
    elif (session.account.key, draft.key) in hub.keys:
        # Said on another connection after the log was asked: ask again.
        yield from say_once(hub, session, draft)
    else:
        yield from _say(hub, session, draft)
