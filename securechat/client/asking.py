"""What a `Client` can be told to do: each as a call that waits and, with `_soon`, as one that does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

from securechat.client import happenings
from securechat.client.engine import Engine
from securechat.client.errors import ClientError, LostError, RefusedError
from securechat.client.happenings import Event, Said
from securechat.client.model import Model
from securechat.client.receipts import Answer, Pending, Receipt
from securechat.client.text import clean
from securechat.client.words import _
from securechat.protocol.capabilities import KEY_TAG
from securechat.protocol.message import Message, build, escape_tag

T = TypeVar("T")
Place = str | datetime | Said
"""A point in a conversation: a msgid, an aware datetime, or something said there."""
PAGE: Final = 100


class Asking:
    """The half of Client that speaks. Belongs to its thread; whatever waits keeps events in order meanwhile."""

    _engine: Engine
    _model: Model | None
    _over: bool
    _error: ClientError | None
    _receipts: dict[str, Receipt]
    _answers: dict[str, Answer[object]]

    def _wait(self, pending: Pending, timeout: float | None) -> None:
        raise NotImplementedError

    # --- saying ---

    def say_soon(self, target: str, text: str, *, reply_to: Said | str = "") -> Receipt:
        """Say `text`, of one or several lines, as one message; while there is no connection, once there is one.

        The receipt is given as event too (Kept or Refused). Raises ClientError where it cannot be said.
        """
        self._check()
        assert self._model is not None
        text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").replace("\0", "")
        if not text.strip():
            raise ClientError(_("There is nothing to say: the text is empty."))
        _named(target)
        msgid = reply_to if isinstance(reply_to, str) else reply_to.msgid
        tags = f"+draft/reply={escape_tag(msgid)}" if msgid else ""
        try:
            key = self._engine.say(target, text, tags=tags, room=self._model.room(target))
        except ValueError as wrong:
            raise ClientError(_("Not sent: {}.").format(_reason(wrong))) from None
        receipt = Receipt(key, target, text, self._wait)
        self._receipts[key] = receipt
        return receipt

    def say(self, target: str, text: str, *, reply_to: Said | str = "", timeout: float | None = None) -> Receipt:
        """Say `text` and wait until the server has it on disk.

        Raises RefusedError, LostError, or TimedOutError: then it stays on its way, and its `pending` is the
        receipt, to be waited for again or withdrawn. Saying the same again would make it two messages.
        """
        return self.say_soon(target, text, reply_to=reply_to).wait(timeout)

    def withdraw(self, receipt: Receipt) -> bool:
        """Say a message no more that is not confirmed. True: nobody has it or will ever have it.

        False: it had left for the server already and may be there, or is `kept`.
        """
        if receipt.kept:
            return False
        never = self._engine.withdraw(receipt.key)
        if self._receipts.pop(receipt.key, None) is not None:
            receipt.fail(ClientError(_("The message was withdrawn.")))
        return never

    def react(self, said: Said, emoji: str, *, remove: bool = False) -> None:
        """React to something said, or take that back, and wait until it is kept. Raises ClientError."""
        self.react_soon(said, emoji, remove=remove).wait()

    def react_soon(self, said: Said, emoji: str, *, remove: bool = False) -> Answer[None]:
        """React without waiting."""
        self._check()
        what = "unreact" if remove else "react"
        key = self._engine.new_key()
        tags = f"{KEY_TAG}={key};+draft/{what}={escape_tag(emoji)};+draft/reply={escape_tag(said.msgid)}"
        return self._ask(_line("TAGMSG", said.conversation, tags=tags), _nothing, again=True)

    def typing(self, target: str, state: str = "active") -> None:
        """Show that we type: "active", "paused" or "done". Nobody waits for it, and it is never kept."""
        if self._engine.up and not self._over:
            self._engine.send(_line("TAGMSG", target, tags=f"+typing={escape_tag(state)}"))

    def redact(self, said: Said, reason: str = "") -> None:
        """Take something back, and wait until it is gone. Raises ClientError."""
        self.redact_soon(said, reason).wait()

    def redact_soon(self, said: Said, reason: str = "") -> Answer[None]:
        """Take something back without waiting."""
        reasons = [reason] if reason else []
        return self._ask(_line("REDACT", said.conversation, said.msgid, *reasons), _nothing)

    def mark_read(self, target: str, place: Said | datetime | None = None) -> None:
        """Note, for all our devices, that we have read up to there (None: now). It never goes back."""
        self.mark_read_soon(target, place).wait()

    def mark_read_soon(self, target: str, place: Said | datetime | None = None) -> Answer[None]:
        """Note it without waiting."""
        then = place.time if isinstance(place, Said) else place or datetime.now(UTC)
        return self._ask(_line("MARKREAD", target, f"timestamp={_stamp(then)}"), _nothing, again=True)

    # --- channels ---

    def join(self, channel: str, key: str = "") -> None:
        """Enter a channel, which is made where there is none, and wait until we are in. Raises ClientError."""
        self._ask(_line("JOIN", channel, *([key] if key else [])), _nothing, again=True).wait()

    def part(self, channel: str, reason: str = "") -> None:
        """Leave a channel. Raises ClientError."""
        self._ask(_line("PART", channel, *([reason] if reason else [])), _nothing).wait()

    # --- asking ---

    def history(
        self,
        target: str,
        *,
        before: Place | None = None,
        after: Place | None = None,
        around: Place | None = None,
        limit: int = PAGE,
    ) -> list[Event]:
        """Return what was said in a conversation, oldest first; without a place the latest. Raises ClientError.

        Message, Reaction and Redaction, `limit` of them at most (the server may have a lower limit).
        """
        return self.history_soon(target, before=before, after=after, around=around, limit=limit).wait()

    def history_soon(
        self,
        target: str,
        *,
        before: Place | None = None,
        after: Place | None = None,
        around: Place | None = None,
        limit: int = PAGE,
    ) -> Answer[list[Event]]:
        """Ask for history without waiting."""
        _named(target)
        places = [(verb, place) for verb, place in zip(_VERBS, (before, after, around), strict=True) if place]
        if len(places) > 1:
            raise ValueError("history has one place: before, after or around")
        verb, point = (places[0][0], _point(places[0][1])) if places else ("LATEST", "*")
        line = _line("CHATHISTORY", verb, target, point, str(limit))
        return self._ask(line, self._said, private=True, again=True)

    def search(
        self,
        text: str,
        target: str = "",
        *,
        sender: str = "",
        before: datetime | None = None,
        after: datetime | None = None,
        limit: int = PAGE,
    ) -> list[Event]:
        """Return messages that have every word of `text`, oldest first. Raises ClientError."""
        return self.search_soon(text, target, sender=sender, before=before, after=after, limit=limit).wait()

    def search_soon(
        self,
        text: str,
        target: str = "",
        *,
        sender: str = "",
        before: datetime | None = None,
        after: datetime | None = None,
        limit: int = PAGE,
    ) -> Answer[list[Event]]:
        """Search without waiting."""
        wanted = {
            "text": text,
            "in": target,
            "from": sender,
            "before": _stamp(before) if before else "",
            "after": _stamp(after) if after else "",
            "limit": str(limit),
        }
        words = ";".join(f"{name}={escape_tag(value)}" for name, value in wanted.items() if value)
        return self._ask(_line("SEARCH", words), self._said, private=True, again=True)

    def request(self, line: str, timeout: float | None = None) -> list[Message]:
        """Send any line of the protocol and return the messages that answer it. Raises ClientError."""
        return self.request_soon(line).wait(timeout)

    def request_soon(self, line: str) -> Answer[list[Message]]:
        """Send any line without waiting. It is never sent again by itself."""
        if any(char in line for char in "\r\n\0") or not line.strip() or line.startswith(("@", ":")):
            raise ClientError(_("A request is one line that begins with a command."))
        return self._ask(f"{line}\r\n".encode(), _checked)

    def _ask(
        self,
        line: bytes,
        read: Callable[[tuple[Message, ...]], T],
        *,
        private: bool = False,
        again: bool = False,
    ) -> Answer[T]:
        self._check()
        label = self._engine.ask(line, private=private, again=again)
        answer = Answer(read, self._wait)
        self._answers[label] = answer  # type: ignore[assignment]  # each knows how to read its own
        return answer

    def _check(self) -> None:
        if self._over:
            raise self._error or LostError(_("The client is closed."))
        if self._model is None:
            raise LostError(_("There is no connection yet: enter the client with `with` first."))

    def _said(self, messages: tuple[Message, ...]) -> list[Event]:
        assert self._model is not None
        nick = self._model.nick
        events = [happenings.read(message, nick) for message in _checked(messages)]
        return [event for event in events if isinstance(event, Said)]


_VERBS: Final = ("BEFORE", "AFTER", "AROUND")


def _checked(messages: tuple[Message, ...]) -> list[Message]:
    """Return an answer. Raises RefusedError where it is a refusal."""
    for message in messages:
        if message.command == "FAIL" or (message.command.isdecimal() and "400" <= message.command <= "599"):
            raise RefusedError.of(message)
    return list(messages)


def _nothing(messages: tuple[Message, ...]) -> None:
    _checked(messages)


def _named(target: str) -> None:
    """Raise ClientError where this is no name. Checked here, because the wire's own words help nobody."""
    if not target or target.startswith(":") or any(char in " ,\r\n\0" for char in target):
        text = _("'{}' is the name of no channel and of no person: a channel is called #name, a person name.")
        raise ClientError(text.format(clean(target)))


def _line(command: str, *params: str, tags: str = "") -> bytes:
    try:
        return build(command, *params, tags=tags)
    except ValueError as wrong:
        raise ClientError(_("Not sent: {}.").format(_reason(wrong))) from None


def _reason(wrong: ValueError) -> str:
    return str(wrong).partition(": ")[2] or str(wrong)


def _point(place: Place) -> str:
    if isinstance(place, datetime):
        return f"timestamp={_stamp(place)}"
    if isinstance(place, happenings.Redaction) and not place.msgid:
        return f"msgid={place.redacted}"  # in history it stands in that message's place
    return f"msgid={place if isinstance(place, str) else place.msgid}"


def _stamp(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"
