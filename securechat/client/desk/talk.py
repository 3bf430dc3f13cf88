"""The full-screen client's side of the protocol: events and typed text in, a changed desk and lines out. Pure.

Each line is shown once and in order over any number of connections (`Resume`); what we say is sent once
(`Outbox`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from securechat.client.commands import Outcome, interpret
from securechat.client.desk.asking import Pages
from securechat.client.desk.conversation import Conversation
from securechat.client.desk.desk import Desk
from securechat.client.desk.entries import Entry, Kind
from securechat.client.desk.library import Library
from securechat.client.desk.multiline import Joiner
from securechat.client.desk.outbox import Outbox, Waiting, shown, wire
from securechat.client.desk.reading import Said, moment, said, sendable_lines, stamp
from securechat.client.desk.showing import event
from securechat.client.errors import ClientError
from securechat.client.events import Closed, Event, Interrupted, LoggedIn
from securechat.client.items import Item, What
from securechat.client.model import Model
from securechat.client.places import Gap
from securechat.client.resume import Resume, Resumed
from securechat.client.words import _
from securechat.protocol.message import Message, build, escape_tag, parse, parse_tags
from securechat.protocol.names import fold

WANTED: Final = frozenset({"draft/chathistory", "draft/multiline", "draft/read-marker", "soju.im/search"})
"""Capabilities beyond those of the line client."""
LAG_MS: Final = 15_000
TYPING_EVERY_MS: Final = 3000
_LAG: Final = "securechat-lag-"
_SETTLED: Final = "securechat-desk"
_FAR: Final = "timestamp=9999-12-31T23:59:59.999Z"
_START: Final = "timestamp=1970-01-01T00:00:00.000Z"
_MARKS: Final = frozenset({"TAGMSG", "REDACT"})


class Sender(Protocol):
    """What a talk needs of a connection."""

    def post(self, lines: Sequence[bytes]) -> bool: ...  # noqa: D102  # see Connection
    def close(self, lines: Sequence[bytes] = ()) -> None: ...  # noqa: D102


class Talk:
    """One person's talk with a server. Owned by the front end's thread. `now` gives milliseconds since 1970.

    `link` says in a word how the connection is: "connecting", "connected", "waiting" (lost, tried again), "over".
    """

    def __init__(self, sender: Sender, desk: Desk, now: Callable[[], int], fresh: Callable[[], str]) -> None:
        self.desk = desk
        self.model: Model | None = None
        self.link = "connecting"
        self.tls = ""
        self.lag: int | None = None
        self.error: ClientError | None = None
        self.leaving = False
        self.unkept = False  # whether it was told that nothing can be kept
        self.outbox = Outbox(fresh)
        self._sender = sender
        self._now = now
        self._resume = Resume(fresh())
        self._joiner = Joiner()
        self._pages = Pages()
        self.library = Library(desk, self._pages, sender.post, now)
        self._known = False  # the first login is over
        self._lag_asked = self._last_lag = 0
        self._typed_at = 0
        self._typing_in = ""

    @property
    def ready(self) -> bool:
        """Whether all that was missed is here and what is typed is sent at once."""
        return self.library.ready

    # --- events of the connection ---

    def receive(self, happened: Event) -> None:
        """Take the next event."""
        if isinstance(happened, Closed):
            self.link, self.library.ready, self.error = "over", False, happened.error
            if happened.error is not None:
                self.desk.say(Kind.PROBLEM, str(happened.error), self._now())
        elif isinstance(happened, Interrupted):
            self._lost()
        elif isinstance(happened, LoggedIn):
            self._logged_in(happened)
        else:
            for message in happened.messages:
                if isinstance(message, Message):
                    self._message(message)

    def _lost(self) -> None:
        self.link, self.library.ready, self.lag, self._lag_asked = "waiting", False, None, 0
        self._resume.lost()
        self._pages.lost()
        self._joiner = Joiner()
        for conversation in self.desk.conversations.values():
            conversation.asked = False
            conversation.typing.clear()

    def _logged_in(self, event_: LoggedIn) -> None:
        self.link, self.tls = "connected", event_.tls.replace("TLSv", "TLS ")
        self.desk.nick = event_.nick
        if self.model is None:
            self.model = Model(event_.nick, event_.capabilities)
        first = self._resume.connected(event_.nick, event_.capabilities)
        self._sender.post([*first, build("PING", _SETTLED)])

    def _message(self, message: Message) -> None:
        whole = self._joiner.feed(message)
        if whole is None:
            return
        label = parse_tags(whole.tags).get("label", "") if "label=" in whole.tags else ""
        settled = self.outbox.answered(label, whole) if label else None
        if settled is not None:
            self._settle(settled.waiting, settled.why, whole)
            if settled.why:
                return
        if self._pages.feed(whole):
            return
        step = self._resume.feed(whole)
        if step.lines:
            self._sender.post(step.lines)
        for given in step.given:
            if isinstance(given, Message):
                self._given(given)
            elif isinstance(given, Gap):
                count = given.last - given.first + 1
                text = _("{} lines are missing here: the server does not have them.").format(count)
                self.desk.say(Kind.PROBLEM, text, self._now(), given.target)
            elif isinstance(given, Resumed):
                self._go_on()

    def _settle(self, waiting: Waiting, why: str, message: Message) -> None:
        self.desk.open(waiting.target).settle(waiting.key, why)
        told = None if why else said(message, self.desk.nick, self._now())
        if told is not None:
            self.desk.put(Said(waiting.target, told.entry))

    def _go_on(self) -> None:
        """Say what waits; at the first login ask what there is to read."""
        if self.ready:
            return
        self.library.ready = True
        for waiting in self.outbox.all():
            self._sender.post(wire(waiting, self._room(waiting.target)))
        if not self._known:
            self._known = True
            if "soju.im/search" in self._capabilities or "draft/chathistory" in self._capabilities:
                ask = ("CHATHISTORY", "TARGETS", _START, _FAR, "200")
                self._sender.post(self._pages.ask(self.library.listed, *ask))
            for conversation in list(self.desk.conversations.values()):
                if conversation.joined:
                    self.library.older(conversation)

    @property
    def _capabilities(self) -> frozenset[str]:
        return self.model.capabilities if self.model is not None else frozenset()

    def _given(self, message: Message) -> None:
        """Take a message that came once and in order."""
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
            conversation = desk.open(item.channel)
            known, conversation.joined = conversation.joined, True
            assert self.model is not None
            if self.ready and not known:
                desk.look(fold(item.channel))
                self.library.older(conversation)
            elif self.model.target == fold(item.channel) and not desk.current:
                desk.look(fold(item.channel))
            return
        if item.own and item.what in (What.LEFT, What.REMOVED):
            if item.what is What.REMOVED:
                desk.say(Kind.PROBLEM, event(item), now, "")
            desk.close(item.channel)
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

    def _pong(self, message: Message) -> None:
        token = message.params[-1] if message.params else ""
        if token.startswith(_LAG) and self._lag_asked:
            self.lag, self._lag_asked = self._now() - self._lag_asked, 0
            self._last_lag = self._now()
        elif token == _SETTLED and not self._resume.able:
            self._go_on()

    # --- what a person does ---

    def submit(self, text: str, reply: str = "") -> Outcome | None:
        """Take what was typed, as one message or one command. None: it was not taken and stays in the input."""
        text = sendable_lines(text)
        if not text.strip():
            return Outcome()
        line = text.strip()
        command = "\n" not in line and (line.startswith("/") and not line.startswith("//"))
        if command or line.casefold() == "выход":
            return self._command(line)
        return self._say(self.desk.here, text.removeprefix("/") if text.startswith("//") else text, reply)

    def _say(self, conversation: Conversation, text: str, reply: str = "") -> Outcome | None:
        now = self._now()
        if not conversation.name or conversation is self.desk.conversations[""]:
            self.desk.say(
                Kind.PROBLEM, _("Nobody is here: /join #name enters a channel, /msg NAME text writes."), now
            )
            return None
        try:
            waiting = self.outbox.add(conversation.name, text, now, reply, self._room(conversation.name))
        except OverflowError:
            self.desk.say(Kind.PROBLEM, _("Not sent: too much waits already; try again once connected."), now)
            return None
        except ValueError:
            self.desk.say(Kind.PROBLEM, _("Not sent: that is too long for one message; send it in parts."), now)
            return None
        conversation.wait(shown(waiting, self.desk.nick))
        conversation.line = 0
        if self.ready and not self._sender.post(wire(waiting, self._room(waiting.target))):
            self.desk.say(Kind.PROBLEM, _("The server is behind; what you said is sent once it is back."), now)
        return Outcome(said=((conversation.name, text),))

    def _command(self, line: str) -> Outcome:
        model = self.model or Model(self.desk.nick)
        outcome = interpret(model, line, self._now(), where=self.desk.here.name if self.desk.current else "")
        if outcome.quit:
            self.leave(outcome.lines)
            return outcome
        others = []
        for raw in outcome.lines:
            message = parse(raw.removesuffix(b"\r\n"))
            if message.command == "PRIVMSG":
                self._say(self.desk.open(message.params[0]), message.params[1])
                self.desk.look(fold(message.params[0]))
            else:
                others.append(raw)
        if others and not self.ready:
            self.desk.say(Kind.PROBLEM, _("Not connected: try that again in a moment."), self._now())
        elif others:
            self._sender.post(others)
        for item in outcome.items:
            self._item(item)
        return outcome

    def leave(self, lines: tuple[bytes, ...] = ()) -> None:
        """Say goodbye. What waits is kept for the next time."""
        self.leaving = True
        self._sender.close((lines or (build("QUIT"),)) if self.model is not None else ())

    def _room(self, target: str) -> int:
        return (self.model or Model(self.desk.nick or "x" * 32)).room(target)

    def look(self, key: str) -> None:
        """Show another conversation; typed text goes there."""
        self.desk.look(key)
        if self.model is not None and key in self.model.channels:
            self.model.target = key
        if key and not self.desk.here.entries:
            self.library.older(self.desk.here)

    # --- about messages ---

    def react(self, entry: Entry, reaction: str) -> None:
        """React to a message; the same again takes it back."""
        mine = self.desk.nick in entry.reactions.get(reaction, ())
        tag = "+draft/unreact" if mine else "+draft/react"
        self._about(entry, f"{tag}={escape_tag(reaction)};+draft/reply={entry.msgid}")

    def redact(self, entry: Entry) -> None:
        """Take a message back, as far as the server lets us."""
        if entry.msgid and self.ready:
            self._sender.post([build("REDACT", self.desk.here.name, entry.msgid)])

    def _about(self, entry: Entry, tags: str) -> None:
        if not self.ready:
            self.desk.say(Kind.PROBLEM, _("Not connected: try that again in a moment."), self._now())
        elif entry.msgid:
            self._sender.post([build("TAGMSG", self.desk.here.name, tags=tags)])

    # --- time passes ---

    def typing(self, text: str) -> None:
        """Note what is in the input: others are told that somebody types, now and then, and that they stopped."""
        here, now = self.desk.here, self._now()
        if not self.ready or not self.desk.current or "message-tags" not in self._capabilities:
            return
        if text and not text.startswith("/"):
            if now - self._typed_at >= TYPING_EVERY_MS or self._typing_in != here.name:
                self._typed_at, self._typing_in = now, here.name
                self._sender.post([build("TAGMSG", here.name, tags="+typing=active")])
        elif self._typing_in == here.name:
            self._typing_in = ""
            self._sender.post([build("TAGMSG", here.name, tags="+typing=done")])

    def tick(self) -> None:
        """Do what is due, about once a second: tell what was read, measure the lag."""
        if not self.ready:
            return
        for key in self.desk.moved:
            conversation = self.desk.conversations.get(key)
            if conversation is not None and key and "draft/read-marker" in self._capabilities:
                mark = f"timestamp={stamp(conversation.read)}"
                self._sender.post([build("MARKREAD", conversation.name, mark)])
        self.desk.moved.clear()
        now = self._now()
        if self._lag_asked:
            if now - self._lag_asked > LAG_MS:
                self.lag = now - self._lag_asked
        elif self.lag is None or now - self._last_lag > LAG_MS:
            self._lag_asked = now
            self._sender.post([build("PING", f"{_LAG}{now}")])
