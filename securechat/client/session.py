"""What the line client does with an event and with a typed line, whatever it is drawn on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from securechat.client.commands import Outcome, interpret, say
from securechat.client.desk.reading import sendable_lines
from securechat.client.desk.waiting import Waiting, waiting_in
from securechat.client.engine import Engine, Sender
from securechat.client.errors import ClientError
from securechat.client.events import Closed, Enrolled, Event, Interrupted, LoggedIn
from securechat.client.items import Item, What
from securechat.client.model import Model
from securechat.client.multiline import CAPABILITY as MULTILINE
from securechat.client.places import Gap
from securechat.client.plain import Plain
from securechat.client.questions import Answered
from securechat.client.render import Renderer
from securechat.client.text import clean
from securechat.client.unkept import Unkept
from securechat.client.words import N_, _, ngettext
from securechat.protocol.errors import Fault
from securechat.protocol.message import Message, build, parse

MAX_HELD: Final = 100
"""Typed lines that may wait until it is known where they go."""
_SETTLED: Final = "securechat-settled"
_ALL_SAID: Final = "securechat-all-said"
_SPOKEN: Final = frozenset({"PRIVMSG", "NOTICE", "FAIL"})
_NOT_SENT: Final = N_("Not sent: the server is behind with reading what you said; try again in a moment.")


def _missing(gap: Gap) -> str:
    """Return the sentence about lines that are not to be had."""
    count, name = gap.last - gap.first + 1, clean(gap.target)
    if gap.back:
        text = ngettext(
            "The server has lost the last line from {name} that you have seen: it was set back.",
            "The server has lost the last {count} lines from {name} that you have seen: it was set back.",
            count,
        )
    else:
        text = ngettext("{count} line from {name} is missing.", "{count} lines from {name} are missing.", count)
    return text.format(count=count, name=name)


def milliseconds() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Session:
    """One conversation. Owned by the front end's thread; events and typed lines in, lines to print out.

    `ready` says that it is known where typed text goes: the server has told us where we are. `leaving` says that
    nothing typed is wanted any more, `over` that the connection is gone; `error` then holds why, unless we
    wanted it. With `barrier` it leaves only when the server has dealt with all that was said: who reads from a
    pipe wants that, who presses a key wants to go.
    """

    def __init__(
        self,
        sender: Sender,
        renderer: Renderer,
        *,
        barrier: bool = False,
        now: Callable[[], int] = milliseconds,
    ) -> None:
        self.model: Model | None = None
        self.ready = False
        self.leaving = False
        self.over = False
        self.error: ClientError | None = None
        self._sender = sender
        self._renderer = renderer
        self._barrier = barrier
        self._now = now
        self._last: tuple[bytes, ...] = ()  # what to say when the barrier is passed
        self._asked = False
        self._gone = False
        self._held: deque[str] = deque()
        self._unkept = Unkept()
        self._engine = Engine(sender)
        self._resume = self._engine.resume
        self._plain: Plain | None = None
        self._interrupted = False  # the connection is being made anew, up to the end of its welcome

    @property
    def roomy(self) -> bool:
        """Whether not too much of what was said waits to be confirmed. Who reads from a pipe waits until then."""
        return self._resume.unacknowledged.roomy

    @property
    def prompt(self) -> str:
        """What stands before the line that is being typed: where it will go."""
        return f"{clean(self.model.target_name) if self.model else ''}> "

    def receive(self, event: Event) -> list[str]:
        """Take the next event of the connection; give the lines to print."""
        shown: list[str] = []
        for told in self._engine.receive(event):
            if isinstance(told, Message):
                shown += self._message(told)
            elif isinstance(told, Answered) and self._plain is not None:
                shown += self._lines(self._plain.answered(told))
            elif isinstance(told, Fault):
                assert self.model is not None
                shown += self._lines(self.model.feed(told, self._now()))
            elif isinstance(told, Gap):
                shown += self.problem(_missing(told))
            elif isinstance(told, LoggedIn):
                shown += self._logged_in(told)
            elif isinstance(told, Interrupted):
                shown += self._interrupt(told)
            elif isinstance(told, Enrolled) and told.text:
                shown += self._lines([Item(What.INFO, self._now(), told.text)])
            elif isinstance(told, Closed):
                shown += self._closed(told)
        if self.leaving and not self._held and not self._gone and not self.over and self.model is not None:
            self._part()  # it may have been the last confirmation
        return shown

    def _closed(self, event: Closed) -> list[str]:
        self.leaving = self.over = True
        self.error = event.error
        return self._lost() if event.error is not None or self._interrupted else []

    def _logged_in(self, event: LoggedIn) -> list[str]:
        if self.model is None:
            self.model = Model(event.nick, event.capabilities)
            if self._resume.able:
                self._plain = Plain(self._engine, self.model, self._now)
        # Answered behind the channels that we are joined to.
        self._sender.post([build("PING", _SETTLED)])
        if self._interrupted:
            return self._lines([Item(What.INFO, self._now(), _("Connected again."))])
        tls = event.tls.replace("TLSv", "TLS ")
        text = _("Connected to {server} ({tls}) as {name}. Try /help.")
        return [text.format(server=event.endpoint, tls=tls, name=clean(event.nick))]

    def _message(self, message: Message) -> list[str]:
        assert self.model is not None
        if message.command == "PONG":
            return self._pong(message)
        items = self.model.feed(message, self._now())
        self._unkept.answered(message, items)
        if self._plain is not None:
            items = self._plain.hear(message, items)
        # What a server says to whoever comes in was said the first time.
        return self._lines(items) if not self._interrupted or message.command in _SPOKEN else []

    def _interrupt(self, event: Interrupted) -> list[str]:
        self._interrupted, self.ready, self._asked = True, False, False
        why = str(event.error).removesuffix(".")
        text = ngettext(
            "{reason}; trying again for {seconds:g} second.",
            "{reason}; trying again for {seconds:g} seconds.",
            round(event.seconds),
        )
        return self.problem(text.format(reason=why, seconds=event.seconds))

    def typed(self, text: str) -> list[str]:
        """Take what was typed; give the lines to print at once. What comes while not `ready` waits, in order.

        A pasted block of lines is text: none of them is a command.
        """
        if self.model is None or self.leaving:
            return []
        if self._interrupted and not self.ready and not self._barrier and self._resume.able:
            return self._offline(text)
        if not self.ready:
            if len(self._held) >= MAX_HELD:
                return self.problem(_(_NOT_SENT))
            self._held.append(text)
            return []
        return self._say(text)

    def problem(self, sentence: str) -> list[str]:
        """Return the lines that tell a problem of the front end's own."""
        return self._lines([Item(What.PROBLEM, self._now(), sentence)])

    def leave(self, lines: tuple[bytes, ...] = (), *, at_once: bool = False) -> None:
        """Say goodbye with `lines`, behind what was typed before; `at_once` waits for no answer any more."""
        self.leaving = True
        self._last = self._last or lines or (build("QUIT"),)
        if at_once or self.model is None:
            self._go()
        elif not self._held:  # else when those have been said
            self._part()

    def _part(self) -> None:
        if not self._barrier:
            self._go()
        elif self.ready and not self._asked and self._engine.settled:
            self._asked = True
            self._sender.post([build("PING", _ALL_SAID)])

    def _go(self) -> None:
        if not self._gone:
            self._gone = True
            self._sender.close(self._last if self.model is not None else ())

    def _pong(self, message: Message) -> list[str]:
        if self._gone:
            return []
        if _ALL_SAID in message.params:
            self._go()
        elif _SETTLED in message.params:
            return self._settled()
        return []

    def _settled(self) -> list[str]:
        """Say what waited, until something moves us again or leaves."""
        self.ready, self._interrupted = True, False
        shown: list[str] = []
        while self._held and self.ready:
            shown += self._say(self._held.popleft())
        if self.leaving and not self._held:
            self._part()
        return shown

    def _say(self, text: str) -> list[str]:
        assert self.model is not None
        if "\n" in text and not self._barrier and MULTILINE in self.model.capabilities:
            return self._paragraph(text)
        if "\n" not in text:
            return self._do(interpret(self.model, text, self._now()))
        shown: list[str] = []
        for line in text.split("\n"):
            shown += self._do(say(self.model, line, self._now()))
        return shown

    def _do(self, outcome: Outcome) -> list[str]:
        if outcome.action[0]:
            return self._act(*outcome.action)
        if outcome.quit:
            self._held.clear()  # typed behind it, so not wanted
            self.leave(outcome.lines)
            return []
        if outcome.said and not self.roomy:  # what one typed line becomes fits the other half
            return self.problem(_(_NOT_SENT))
        said = self._keyed(outcome.lines)
        lines = (*said, build("PING", _SETTLED)) if outcome.moves else said
        if lines and not self._sender.post(lines):
            if self._resume.able:
                self._resume.unacknowledged.withdraw(len(outcome.said))
            return self.problem(_(_NOT_SENT))
        if outcome.moves:
            self.ready = False
        if not self._resume.able:
            self._unkept.said(outcome.said)
        return self._lines(outcome.items)

    def _offline(self, text: str) -> list[str]:
        """Take what a person typed while the connection is lost: text waits, and is shown as waiting."""
        assert self.model is not None
        if "\n" in text:
            return self._paragraph(text)
        outcome = interpret(self.model, text, self._now())
        if outcome.quit:
            self.leave(outcome.lines)
        elif outcome.said:
            if not self.roomy:
                return self.problem(_(_NOT_SENT))
            self._sender.post(self._keyed(outcome.lines))
            return self._waits(text)
        elif outcome.action[0]:
            return self._act(*outcome.action) or self._waits(text)
        elif outcome.lines:
            sentence = _("Not connected, so {} was not sent: try it again in a moment.")
            return self.problem(sentence.format(clean(text.split(maxsplit=1)[0])))
        return self._lines(outcome.items)

    def _paragraph(self, text: str) -> list[str]:
        """Say several lines as one message."""
        assert self.model is not None
        target, text = self.model.target_name, sendable_lines(text)
        if not target or not text.strip():
            return self._do(say(self.model, text, self._now()))  # which knows what to tell about that
        try:
            self._engine.say(target, text, room=self.model.room(target))
        except ClientError as failure:
            return self.problem(str(failure))
        except ValueError as failure:
            return self.problem(_("Not sent: {}; the up arrow brings it back.").format(failure))
        return [] if self._engine.up else self._waits(text)

    def _waits(self, text: str) -> list[str]:
        first, *more = text.strip().split("\n")
        shown = clean(first) + (" …" if more else "")
        return self._lines([Item(What.INFO, self._now(), _("waiting: {}").format(shown))])

    @property
    def waiting(self) -> list[Waiting]:
        """What the server has not confirmed, to be kept for the next time."""
        return waiting_in(self._resume.unacknowledged, self._now())

    def take_up(self, waiting: Waiting, nick: str) -> list[str]:
        """Take over, before the connection is begun, what a program before this one did not get rid of."""
        room = Model(nick).room(waiting.target)
        try:
            self._engine.say(waiting.target, waiting.text, tags=waiting.tags, room=room, key=waiting.key)
        except (ClientError, ValueError):
            return []  # the file was changed by somebody
        return self._waits(waiting.text)

    def _act(self, name: str, rest: str) -> list[str]:
        """Do what is about messages, where the server lets us."""
        if self._plain is None:
            return self.problem(_("/{} is not possible here: the server lacks what it takes.").format(name))
        return self._lines(self._plain.do(name, rest))

    def _lost(self) -> list[str]:
        """Name the lines that are on no screen, and perhaps on no disk."""
        said = (
            self._resume.unacknowledged.texts() if self._barrier else []
        )  # what a person said is kept: `waiting`
        texts = [*self._unkept.take(), *said, *self._held]
        self._held.clear()
        return [line for text in texts for line in self.problem(_("Perhaps not sent: {}").format(clean(text)))]

    def _keyed(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return lines to send, with a key on each message: it is said again until it is confirmed."""
        if not self._resume.able:
            return list(lines)
        out: list[bytes] = []
        for line in lines:
            message = parse(line.removesuffix(b"\r\n"))
            if message.command == "PRIVMSG":
                target, text = message.params
                out += self._resume.say(target, text)
            else:
                out.append(line)
        return out

    def _lines(self, items: Sequence[Item]) -> list[str]:
        now = self._now()
        return [self._renderer.line(item, now) for item in items]
