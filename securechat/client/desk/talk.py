"""The full-screen client's side of the protocol: events and typed text in, a changed desk and lines out. Pure.

What is typed is sent once, however often it must be said (`Engine`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from securechat.client.commands import Outcome, interpret
from securechat.client.desk.conversation import Conversation
from securechat.client.desk.desk import Desk
from securechat.client.desk.entries import Entry, Kind
from securechat.client.desk.hearing import LAG, Hearing
from securechat.client.desk.reading import sendable_lines, stamp
from securechat.client.desk.waiting import Waiting, reply_tag, shown
from securechat.client.engine import Sender
from securechat.client.errors import ClientError
from securechat.client.model import Model
from securechat.client.words import _
from securechat.protocol.capabilities import KEY_TAG
from securechat.protocol.message import build, escape_tag, parse
from securechat.protocol.names import fold

WANTED: Final = frozenset({"draft/chathistory", "draft/multiline", "draft/read-marker", "soju.im/search"})
"""Capabilities beyond those of the line client."""
LAG_MS: Final = 15_000
TYPING_EVERY_MS: Final = 3000


class Talk(Hearing):
    """What a person does, beside what they hear (see Hearing). `leaving` says that they do not want any more."""

    def __init__(self, sender: Sender, desk: Desk, now: Callable[[], int], token: str = "") -> None:
        super().__init__(sender, desk, now, token)
        self.leaving = False
        self._typed_at = 0
        self._typing_in = ""

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
            problem = _("Nobody is here: /join #name enters a channel, /msg NAME text writes.")
            self.desk.say(Kind.PROBLEM, problem, now)
            return None
        name, room = conversation.name, self._room(conversation.name)
        try:
            key = self._engine.say(name, text, tags=reply_tag(reply), room=room)
        except ClientError as failure:
            self.desk.say(Kind.PROBLEM, str(failure), now)
            return None
        except ValueError:
            self.desk.say(Kind.PROBLEM, _("Not sent: that is too long for one message; send it in parts."), now)
            return None
        self._wait(Waiting(key, name, text, now, reply))
        conversation.line = 0
        return Outcome(said=((name, text),))

    def _wait(self, waiting: Waiting) -> None:
        self.waiting[waiting.key] = waiting
        self.desk.open(waiting.target).wait(shown(waiting, self.desk.nick))

    def take_up(self, waiting: Waiting) -> None:
        """Take over, before the connection is begun, what a program before this one did not get rid of."""
        room = self._room(waiting.target)
        try:
            self._engine.say(waiting.target, waiting.text, tags=waiting.tags, room=room, key=waiting.key)
        except (ClientError, ValueError):
            return  # the file was changed by somebody
        self._wait(waiting)

    def _command(self, line: str) -> Outcome | None:
        model = self.model or Model(self.desk.nick)
        outcome = interpret(model, line, self._now(), where=self.desk.here.name if self.desk.current else "")
        if outcome.quit:
            self.leave(outcome.lines)
            return outcome
        messages = [parse(raw.removesuffix(b"\r\n")) for raw in outcome.lines]
        spoken = [message.params for message in messages if message.command == "PRIVMSG"]
        if len(spoken) < len(messages) and not self._online(line.split(maxsplit=1)[0]):
            return None
        self.parting |= {fold(message.params[0]) for message in messages if message.command == "PART"}
        for target, text in spoken:
            if self._say(self.desk.open(target), text) is None:
                return None
            self.desk.look(fold(target))
        if not spoken:
            self._sender.post(outcome.lines)
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
        if entry.msgid and self._online("/react"):
            about = f"{tag}={escape_tag(reaction)};+draft/reply={entry.msgid};{KEY_TAG}={self._engine.new_key()}"
            self._do(build("TAGMSG", self.desk.here.name, tags=about), again=True)

    def redact(self, entry: Entry) -> None:
        """Take a message back, as far as the server lets us."""
        if entry.msgid and self._online("/redact"):
            self._do(build("REDACT", self.desk.here.name, entry.msgid), again=False)

    def _do(self, line: bytes, *, again: bool) -> None:
        try:
            self._engine.ask(line, again=again)
        except ClientError as failure:
            self.desk.say(Kind.PROBLEM, str(failure), self._now())

    def _online(self, what: str) -> bool:
        """Say whether there is a connection for `what`, and to the person if there is none."""
        if not self.ready:
            text = _("Not connected, so {} was not sent: try it again in a moment.").format(what)
            self.desk.say(Kind.PROBLEM, text, self._now())
        return self.ready

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
        for key in self.desk.moved if "draft/read-marker" in self._capabilities else ():
            conversation = self.desk.conversations.get(key)
            if conversation is not None and key:
                mark = f"timestamp={stamp(conversation.read)}"
                self._sender.post([build("MARKREAD", conversation.name, mark)])
        self.desk.moved.clear()
        now = self._now()
        if self._lag_asked:
            if now - self._lag_asked > LAG_MS:
                self.lag = now - self._lag_asked
        elif self.lag is None or now - self._last_lag > LAG_MS:
            self._lag_asked = now
            self._sender.post([build("PING", f"{LAG}{now}")])
