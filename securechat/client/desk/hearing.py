"""What the server says, put on the desk: the half of `Talk` that listens. Pure.

Each line is shown once and in order over any number of connections (`Engine`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from securechat.client.desk.desk import Desk
from securechat.client.desk.entries import Entry, Kind
from securechat.client.desk.library import Library
from securechat.client.desk.reading import Said, moment, said
from securechat.client.desk.showing import event, missing
from securechat.client.desk.waiting import Waiting
from securechat.client.engine import Engine, Sender, Told, Unanswered
from securechat.client.errors import ClientError, ConnectError
from securechat.client.events import Closed, Enrolled, Event, Interrupted, LoggedIn
from securechat.client.items import Item, What
from securechat.client.model import Model
from securechat.client.places import Gap
from securechat.client.questions import Answered
from securechat.client.resume import NEEDED, Resumed
from securechat.client.text import clean
from securechat.client.unacknowledged import Kept, Refused
from securechat.client.words import _
from securechat.protocol.message import Message
from securechat.protocol.names import fold

LAG: Final = "securechat-lag-"
_MARKS: Final = frozenset({"TAGMSG", "REDACT"})


class Hearing:
    """One person's talk with a server. Owned by the front end's thread. `now` gives milliseconds since 1970.

    `link` says in a word how the connection is: "connecting", "connected", "waiting" (lost, tried again), "over".
    `waiting` has what we said and the server has not confirmed, by key.
    """

    def __init__(self, sender: Sender, desk: Desk, now: Callable[[], int], token: str = "") -> None:
        self.desk = desk
        self.model: Model | None = None
        self.link = "connecting"
        self.tls = ""
        self.lag: int | None = None
        self.error: ClientError | None = None
        self.unkept = False  # whether it was told that nothing can be kept
        self.waiting: dict[str, Waiting] = {}
        self.parting: set[str] = set()  # channels that this client asked to leave
        self._sender = sender
        self._now = now
        self._engine = Engine(sender, token)
        self.library = Library(desk, self._engine, now)
        self._known = False  # the first login is over
        self._lag_asked = self._last_lag = 0
        self._refusal: Message | None = None  # told already, beside what was refused

    @property
    def ready(self) -> bool:
        """Whether all that was missed is here and what is typed is sent at once."""
        return self._engine.up

    def receive(self, happened: Event) -> None:
        """Take the next event of the connection."""
        for told in self._engine.receive(happened):
            self._take(told)

    def _take(self, told: Told) -> None:
        if isinstance(told, Message):
            if told is not self._refusal:
                self._message(told)
        elif isinstance(told, Kept | Refused):
            self._settle(told)
        elif isinstance(told, Answered):
            self.library.answered(told)
        elif isinstance(told, Unanswered):
            text = _("The connection was lost before the server answered: look whether that was done.")
            self.desk.say(Kind.PROBLEM, text, self._now())
        elif isinstance(told, LoggedIn):
            self._logged_in(told)
        elif isinstance(told, Enrolled):
            if told.text:
                self.desk.say(Kind.INFO, told.text, self._now(), "")
        elif isinstance(told, Resumed):
            self._resumed()
        elif isinstance(told, Interrupted):
            self._interrupted()
        elif isinstance(told, Closed):
            self._closed(told)
        elif isinstance(told, Gap):
            count = told.last - told.first + 1
            text = missing(count)
            self.desk.say(Kind.PROBLEM, text, self._now(), told.target)

    # --- the connection ---

    def _closed(self, closed: Closed) -> None:
        self.link, self.error = "over", self.error or closed.error
        if self.error is not None:
            self.desk.say(Kind.PROBLEM, str(self.error), self._now())

    def _interrupted(self) -> None:
        self.link, self.lag, self._lag_asked = "waiting", None, 0
        for conversation in self.desk.conversations.values():
            conversation.typing.clear()

    def _logged_in(self, login: LoggedIn) -> None:
        self.link, self.tls = "connected", login.tls.replace("TLSv", "TLS ")
        self.desk.nick = login.nick
        if not login.capabilities >= NEEDED:
            self.error = ConnectError(
                _("{} is no securechat server of our time: --plain talks with it.").format(login.endpoint)
            )
            self._sender.close()
        elif self.model is None:
            self.model = Model(login.nick, login.capabilities)

    def _resumed(self) -> None:
        """At the first login ask what there is to read."""
        if self._known:
            return
        self._known = True
        self.library.list_people()
        for conversation in list(self.desk.conversations.values()):
            if conversation.joined:
                self.library.older(conversation)

    def _settle(self, told: Kept | Refused) -> None:
        waiting = self.waiting.pop(told.key, None)
        if waiting is None:
            return
        conversation = self.desk.open(waiting.target)
        if isinstance(told, Refused):
            self._refusal = told.message
            conversation.settle(told.key, clean("".join(told.message.params[-1:])) or _("refused"))
            return
        conversation.settle(told.key)
        kept = said(told.message, self.desk.nick, self._now())
        if kept is not None:
            self.desk.put(Said(waiting.target, kept.entry))

    # --- what is said and done ---

    @property
    def _capabilities(self) -> frozenset[str]:
        return self.model.capabilities if self.model is not None else frozenset()

    def _message(self, message: Message) -> None:
        """Take a message, which comes once and in order."""
        if self.model is None:
            return
        if message.command == "PONG":
            self._pong(message)
            return
        now = self._now()
        if message.command == "MARKREAD" and len(message.params) > 1:
            when = message.params[1].removeprefix("timestamp=")
            conversation = self.desk.conversations.get(fold(message.params[0]))
            if conversation is not None and when != "*":
                conversation.mark(moment(when, 0))
            return
        if message.command in _MARKS:
            self.desk.mark_up(message, now)
            return
        items = self.model.feed(message, now)
        told = said(message, self.desk.nick, now)
        if told is not None:
            self.desk.put(told)
            return
        for item in items:
            self._item(item)

    def _item(self, item: Item) -> None:
        """Show what is no message where it belongs."""
        now, desk = self._now(), self.desk
        if item.what is What.JOINED and item.own:
            self._entered(item.channel)
            return
        if item.own and item.what in (What.LEFT, What.REMOVED):
            self._left(item)
            return
        if not self.ready and item.what in (What.TOPIC, What.NAMES, What.TALKING):
            return
        if item.what in (What.NAMES, What.TALKING):
            return
        kind = Kind.PROBLEM if item.what is What.PROBLEM else Kind.INFO if item.what is What.INFO else Kind.EVENT
        if item.channel:
            desk.open(item.channel).add(Entry(kind, item.time, event(item)))
        else:
            desk.say(kind, event(item), now, None if self.ready else "")

    def _entered(self, channel: str) -> None:
        """Note that we are in a channel, and show it where it was this client that asked for that."""
        conversation = self.desk.open(channel)
        known, conversation.joined = conversation.joined, True
        assert self.model is not None
        here = self.model.target == fold(channel)
        if here and not known and (self.ready or not self.desk.current):
            self.desk.look(fold(channel))
        if self.ready and not known:
            self.library.older(conversation)

    def _left(self, item: Item) -> None:
        """Take a channel off the list where this client asked for that; else what is typed there stays."""
        conversation = self.desk.open(item.channel)
        conversation.joined = False
        key = fold(item.channel)
        if key in self.parting and item.what is What.LEFT:
            self.parting.discard(key)
            self.desk.close(item.channel)
            return
        kind = Kind.PROBLEM if item.what is What.REMOVED else Kind.EVENT
        conversation.add(Entry(kind, item.time, event(item)))

    def _pong(self, message: Message) -> None:
        token = message.params[-1] if message.params else ""
        if token.startswith(LAG) and self._lag_asked:
            self.lag, self._lag_asked = self._now() - self._lag_asked, 0
            self._last_lag = self._now()
