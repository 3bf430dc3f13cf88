"""What every front end does with a connection: go on where one was, say again, ask and be answered. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from securechat.client.errors import ClientError
from securechat.client.events import Closed, Event, Interrupted, LoggedIn
from securechat.client.multiline import Joiner
from securechat.client.places import Gap
from securechat.client.questions import Answered, Questions
from securechat.client.resume import Resume, Resumed
from securechat.client.unacknowledged import Kept, Refused
from securechat.client.words import _
from securechat.protocol.errors import Fault
from securechat.protocol.message import Message


class Sender(Protocol):
    """What an engine needs of a connection."""

    def post(self, lines: Sequence[bytes]) -> bool: ...  # noqa: D102  # see Connection
    def close(self, lines: Sequence[bytes] = ()) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody knows what became of question `label`: the connection was lost."""

    label: str


Told: TypeAlias = (
    LoggedIn | Interrupted | Closed | Message | Fault | Gap | Kept | Refused | Resumed | Answered | Unanswered
)


class Engine:
    """One person's conversations over any number of connections. Owned by the front end's thread.

    `up` says that the connection is there and has caught up, `interrupted` that it is being made anew.
    """

    def __init__(self, sender: Sender, token: str = "") -> None:
        token = token or secrets.token_hex(8)
        self.resume = Resume(token)
        self.interrupted = False
        self._over = False
        self._sender = sender
        self._questions = Questions(token)
        self._joiner = Joiner()

    @property
    def up(self) -> bool:
        """Whether the connection is there and has caught up."""
        return self.resume.ready and not self.interrupted and not self._over

    @property
    def settled(self) -> bool:
        """Whether all that we said is confirmed and all that we asked is answered."""
        return not self.resume.unacknowledged and not self._questions

    def receive(self, event: Event) -> Iterator[Told]:
        """Take the next event of the connection; give what it leads to, in order, and send what that takes."""
        if isinstance(event, Closed):
            self._over = True
            yield event
        elif isinstance(event, Interrupted):
            self.interrupted = True
            self.resume.lost()
            self._joiner.clear()
            yield event
            for label in self._questions.lost():
                yield Unanswered(label)
        elif isinstance(event, LoggedIn):
            self._sender.post(self.resume.connected(event.nick, event.capabilities))
            yield event
        else:
            for message in event.messages:
                yield from (message,) if isinstance(message, Fault) else self._message(message)

    def _message(self, message: Message) -> Iterator[Told]:
        whole = self._joiner.feed(message) if self.resume.able else message
        if whole is None:
            return
        answer, private = self._questions.feed(whole)
        if not private:
            step = self.resume.feed(whole)
            self._sender.post(step.lines)
            for given in step.given:
                if isinstance(given, Resumed):
                    self.interrupted = False
                    self._sender.post(self._questions.repeat())
                yield given
        if answer is not None:
            yield answer

    def say(self, target: str, text: str, *, tags: str = "", room: int = 0, key: str = "") -> str:
        """Say something now, or once the connection is there; return the key of its Kept or Refused.

        `tags` are escaped client-only tags; what has line feeds or more than `room` bytes goes as one message of
        several lines. With `key` it is a message that a program before this one began. Raises ValueError where
        it fits no message, ClientError where too much waits already.
        """
        try:
            lines = self.resume.say(target, text, tags, room, key)
        except OverflowError:
            raise ClientError(_("Too much of what you said waits for the server; try again later.")) from None
        if lines and not self._sender.post(lines):
            self.resume.unacknowledged.withdraw(1)
            raise ClientError(_("The server is behind with reading what you said; try again in a moment."))
        return self.resume.unacknowledged.newest

    def withdraw(self, key: str) -> bool:
        """Say a message no more; tell whether it never left, so that nobody can have it."""
        return self.resume.unacknowledged.take_back(key)

    def ask(self, line: bytes, *, private: bool = False, again: bool = False) -> str:
        """Ask now, or once the connection is there; return the label of its Answered or Unanswered.

        Raises ClientError where too much waits already.
        """
        label, labelled = self._questions.ask(line, private=private, again=again)
        if self.up and not self._sender.post([labelled]):
            self._questions.forget(label)
            raise ClientError(_("The server is behind with reading what you said; try again in a moment."))
        return label

    def send(self, line: bytes) -> None:
        """Send a line that may be lost."""
        self._sender.post([line])

    @staticmethod
    def new_key() -> str:
        """Return an idempotency key that nothing else has."""
        return secrets.token_hex(12)
