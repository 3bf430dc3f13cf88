"""All conversations of a person, and which one they look at. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from securechat.client.desk.conversation import TYPING_MS, Conversation
from securechat.client.desk.entries import Entry, Kind
from securechat.client.desk.reading import Said, said, tame
from securechat.client.desk.typed import Completion, History
from securechat.client.words import N_
from securechat.protocol.message import Message, parse_tags
from securechat.protocol.names import fold

HOME: Final = N_("server")
"""The conversation of what the server and the client say. No channel and no account has a key that is empty."""
MAX_CONVERSATIONS: Final = 2000
MAX_TYPISTS: Final = 50


class Notice(NamedTuple):
    """Something that a person who looks elsewhere is told of."""

    where: str
    entry: Entry


class Desk:
    """Conversations by casefolded name. Owned by the front end's thread.

    `current` is the key of the one that is shown; `watched` says that somebody looks at its end.
    """

    def __init__(self) -> None:
        self.nick = ""
        self.conversations: dict[str, Conversation] = {"": Conversation(HOME)}
        self.current = ""
        self.watched = True
        self.notices: list[Notice] = []
        self.moved: set[str] = set()
        self.history = History()
        self.completion = Completion()

    @property
    def here(self) -> Conversation:
        """The conversation that is shown."""
        return self.conversations[self.current]

    def listed(self) -> list[tuple[str, Conversation]]:
        """Return keys and conversations as they are listed: the server's, channels, people."""

        def place(row: tuple[str, Conversation]) -> tuple[int, str]:
            return (0 if not row[0] else 1 if row[1].channel else 2), row[0]

        return sorted(self.conversations.items(), key=place)

    def open(self, name: str) -> Conversation:
        """Return a conversation, a new one where there is none; the server's where there are too many."""
        key = fold(name)
        if key not in self.conversations:
            if len(self.conversations) >= MAX_CONVERSATIONS:
                return self.conversations[""]
            self.conversations[key] = Conversation(name)
        return self.conversations[key]

    def close(self, name: str) -> None:
        """Forget a conversation, except the server's."""
        key = fold(name)
        if not key or key not in self.conversations:
            return
        if self.current == key:
            keys = [one for one, _ in self.listed()]
            self.look(keys[max(0, keys.index(key) - 1)])
        del self.conversations[key]

    def look(self, key: str) -> None:
        """Show another conversation: the "new" line stands where reading stopped."""
        if key != self.current:
            self.here.line = 0
        self.current = key
        here = self.here
        if here.unread:
            here.line = here.read
        if self.watched:
            self.seen()

    def seen(self) -> None:
        """Take it that somebody has read the conversation that is shown up to its end."""
        here = self.here
        if here.entries and here.entries[-1].time > here.read:
            here.read = here.entries[-1].time
            self.moved.add(self.current)
        here.unread = here.mentions = 0

    def next_unread(self, *, mentions: bool = False) -> str | None:
        """Return the key of the next conversation with something new, those with mentions first."""
        rows = self.listed()
        at = [key for key, _ in rows].index(self.current)
        turned = rows[at + 1 :] + rows[:at]
        called = [key for key, one in turned if one.mentions and not one.muted]
        new = [key for key, one in turned if one.unread and not one.muted]
        found = called if mentions else called or new
        return found[0] if found else None

    # --- what comes ---

    def say(self, kind: Kind, text: str, now: int, where: str | None = None) -> None:
        """Put a sentence of the server or the client where the person looks."""
        conversation = self.here if where is None else self.open(where)
        conversation.add(Entry(kind, now, tame(text)))

    def put(self, told: Said) -> None:
        """Take what somebody said just now."""
        conversation = self.open(told.where)
        if conversation is self.conversations[""]:
            return
        last = conversation.entries[-1] if conversation.entries else None
        entry = told.entry
        if not entry.msgid and entry.number and last and last.number == entry.number and last.msgid:
            last.text += f"\n{entry.text}"  # a further line of a message, from a server that sends them one by one
            last.version += 1
            conversation.generation += 1
            return
        if not conversation.add(entry) or entry.own:
            if entry.own and fold(told.where) == self.current:
                self.seen()
            return
        looking = fold(told.where) == self.current and self.watched
        if looking:
            self.seen()
            return
        if fold(told.where) == self.current and not conversation.line and not conversation.unread:
            conversation.line = max(conversation.read, last.time if last else 0)
        conversation.count(entry, direct=not conversation.channel)
        if (
            (entry.mention or not conversation.channel)
            and not conversation.muted
            and entry.time > conversation.read
        ):
            self.notices = [*self.notices, Notice(conversation.name, entry)][-20:]

    def page(self, name: str, messages: Iterable[Message], now: int) -> int:
        """Take a page of history; give how many entries were new."""
        conversation = self.open(name)
        entries = []
        for message in messages:
            told = said(message, self.nick, now)
            if told is not None:
                entries.append(told.entry)
            elif message.command in ("TAGMSG", "REDACT"):
                self.mark_up(message, now, live=False, where=name)
        fresh = conversation.prepend(entries)
        if fresh:
            conversation.recount()
            if conversation is self.here and self.watched:
                if conversation.unread and not conversation.line:
                    conversation.line = conversation.read
                self.seen()
        return fresh

    def mark_up(self, message: Message, now: int, *, live: bool = True, where: str = "") -> None:
        """Take a reaction, a typing notice or that something was taken back."""
        sender = (message.source or "").partition("!")[0]
        if not message.params:
            return
        target = message.params[0]
        name = where or (target if target.startswith("#") or fold(sender) == fold(self.nick) else sender)
        conversation = self.conversations.get(fold(name))
        if conversation is None:
            return
        if message.command == "REDACT":
            conversation.redact("".join(message.params[1:2]))
            return
        tags = parse_tags(message.tags)
        about = tags.get("+draft/reply", tags.get("+reply", ""))
        for tag, on in (("+draft/react", True), ("+draft/unreact", False)):
            if tags.get(tag) and about:
                conversation.react(about, tame(sender), tame(tags[tag])[:32].replace("\n", " "), on=on)
        typing = tags.get("+typing", "")
        if live and typing and fold(sender) != fold(self.nick):
            until = now + TYPING_MS
            if typing == "active" and len(conversation.typing) < MAX_TYPISTS:
                conversation.typing[tame(sender).casefold()] = until
            elif typing != "active":
                conversation.typing.pop(tame(sender).casefold(), None)
