"""The Python API: `from securechat import Client`. Synchronous; programs and our own front ends use it alike."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from securechat.client import happenings
from securechat.client.asking import Asking
from securechat.client.channels import Channel
from securechat.client.connection import Connection
from securechat.client.dial import trust
from securechat.client.engine import Engine, Told, Unanswered
from securechat.client.errors import ClientError, ConnectError, LostError, RefusedError, TimedOutError
from securechat.client.events import Closed, Interrupted, LoggedIn
from securechat.client.handshake import credentials
from securechat.client.happenings import Event
from securechat.client.model import Model
from securechat.client.multiline import CAPABILITY
from securechat.client.places import Gap, told
from securechat.client.questions import Answered
from securechat.client.receipts import Answer, Pending, Receipt
from securechat.client.resume import NEEDED, Resumed
from securechat.client.settings import ClientLimits, Endpoint
from securechat.client.unacknowledged import Kept, Refused
from securechat.client.words import _
from securechat.config import DEFAULT_PORT
from securechat.protocol.errors import Fault
from securechat.protocol.message import Message, build, parse_tags

MAX_EVENTS: Final = 20_000
"""Events that may wait to be taken while a call waits for its answer."""
MORE: Final = NEEDED | {
    CAPABILITY,
    "account-notify",
    "away-notify",
    "draft/chathistory",  # so that nothing old comes unasked: a program would answer yesterday's questions
    "draft/read-marker",
    "invite-notify",
    "setname",
    "soju.im/search",
    "standard-replies",
}
"""Capabilities that a client of this API asks for besides those of handshake.WANTED."""


def _nothing() -> None:
    """Be the `notify` of a program that iterates."""


class Client(Asking):
    """A login on a server that goes on over lost connections: each event once, in order, or a Gap that says so.

        with Client("chat.example.org", user="bot", password=..., ca="ca.pem") as chat:
            chat.say("#lobby", "hello")
            for event in chat:
                ...

    `ca` is the server's ca.pem; `password` may be a function that gives it. `timeout` is in seconds, for all calls
    that wait; events that come meanwhile are kept for iteration, MAX_EVENTS of them. It belongs to one thread;
    only `post` and `close_soon` may be called from others. `notify` is called in the connection's thread when
    `poll` may have something; it must not block. Raises ClientError (its subclasses ConnectError, LoginError,
    LostError, RefusedError, TimedOutError) with one sentence for a person.
    """

    def __init__(
        self,
        host: str = "localhost",
        port: int = DEFAULT_PORT,
        *,
        user: str,
        password: str | Callable[[], str],
        ca: str | PathLike[str],
        limits: ClientLimits | None = None,
        timeout: float = 30,
        notify: Callable[[], None] = _nothing,
    ) -> None:
        context = trust(Path(ca))  # before anybody types a password for nothing
        secret = credentials(user, password if isinstance(password, str) else password())
        self._connection = Connection(
            Endpoint(host, port), context, secret, limits=limits, notify=notify, more=MORE
        )
        self._engine = Engine(self._connection)
        self._timeout = timeout
        self._model: Model | None = None
        self._events: deque[Event] = deque()
        self._receipts: dict[str, Receipt] = {}
        self._answers: dict[str, Answer[object]] = {}
        self._started = self._ready = self._over = self._closing = False
        self._error: ClientError | None = None

    @classmethod
    def from_profile(
        cls,
        name: str | None = None,
        *,
        password: str | Callable[[], str] | None = None,
        limits: ClientLimits | None = None,
        timeout: float = 30,
        notify: Callable[[], None] = _nothing,
    ) -> Self:
        """Return a client for a profile that `securechat connect` has remembered; None: the last one used.

        The password comes from SECURECHAT_PASSWORD or the keyring where it is not given. Raises ClientError.
        """
        from securechat.client.profiles import Profiles, password_of  # noqa: PLC0415  # few programs need them

        profile = Profiles().get(name)
        if password is None:
            password = password_of(profile)
        return cls(
            profile.host,
            profile.port,
            user=profile.user,
            password=password,
            ca=profile.ca,
            limits=limits,
            timeout=timeout,
            notify=notify,
        )

    # --- who and where ---

    @property
    def nick(self) -> str:
        """Who we are; empty before the login."""
        return self._model.nick if self._model is not None else ""

    @property
    def channels(self) -> Mapping[str, Channel]:
        """The channels that we are in, by casefolded name; look, but do not change."""
        return MappingProxyType(self._model.channels if self._model is not None else {})

    @property
    def online(self) -> bool:
        """Whether the connection is there and has caught up."""
        return self._engine.up and self._ready and not self._over

    @property
    def closed(self) -> bool:
        """Whether it is over: nothing comes any more."""
        return self._over

    @property
    def error(self) -> ClientError | None:
        """Why it is over, unless we closed it."""
        return self._error

    @property
    def unsaid(self) -> list[str]:
        """The texts of what we said and the server has not confirmed."""
        return self._engine.resume.unacknowledged.texts()

    # --- beginning and end ---

    def start(self) -> None:
        """Begin to connect and return at once; `poll` or iteration say how it goes. `with` does it by itself."""
        self._started = True
        self._connection.start()

    def __enter__(self) -> Self:
        """Connect, log in and wait until the channels are known. Raises ClientError."""
        self.start()
        try:
            while not (self._ready or self._over):
                self._pump(None)
        finally:
            if not self._ready:
                self._connection.abort()
                self._connection.join()
        if self._error is not None:
            raise self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye and wait for the end, a few seconds at most. What came until then can still be iterated."""
        self.close_soon()
        while self._started and not self._over and self._pump(self._timeout):
            pass
        self._connection.abort()
        self._connection.join()

    def close_soon(self) -> None:
        """Say goodbye without waiting. For any thread."""
        self._closing = True
        self._connection.close([build("QUIT")])

    def post(self, lines: Sequence[bytes]) -> bool:
        """Send whole lines as they are (see Connection.post). For any thread."""
        return self._connection.post(lines)

    # --- what happens ---

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        """Wait for the next event. Ends after `close`; raises ClientError where the connection ended otherwise."""
        while not self._events:
            if self._over:
                if self._error is not None:
                    raise self._error
                raise StopIteration
            self._pump(None)
        return self._events.popleft()

    def poll(self) -> Event | None:
        """Return the next event; None where none is there now. Look at `closed` then. Raises nothing."""
        while not self._events:
            if self._over or not self._pump(0):
                return None
        return self._events.popleft()

    def _pump(self, timeout: float | None) -> bool:
        """Take the connection's next event, waiting for it; say whether there was one."""
        event = self._connection.next_event(timeout)
        if event is None:
            return False
        for one in self._engine.receive(event):
            self._take(one)
        return True

    def _wait(self, pending: Pending, timeout: float | None) -> None:
        seconds = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + seconds
        while not pending.done:
            if len(self._events) >= MAX_EVENTS:
                text = _("{} events wait to be taken: take some, then wait for the answer again.")
                raise TimedOutError(text.format(MAX_EVENTS), pending)
            if self._over or not self._pump(max(0.0, deadline - time.monotonic())):
                raise TimedOutError(pending.late(seconds), pending)

    # --- what the engine tells ---

    def _take(self, one: Told) -> None:
        if isinstance(one, Message):
            self._message(one)
        elif isinstance(one, Kept):
            self._kept(one)
        elif isinstance(one, Refused):
            self._refused(one.key, one.message)
        elif isinstance(one, Answered):
            self._answered(one)
        elif isinstance(one, Unanswered):
            sentence = _("The connection was lost before the server answered; nobody knows whether it was done.")
            self._answers.pop(one.label).fail(LostError(sentence))
        elif isinstance(one, LoggedIn):
            self._logged_in(one)
        elif isinstance(one, Resumed):
            self._ready = True
            self._events.append(happenings.Resumed())
        elif isinstance(one, Interrupted | Gap):
            self._events.append(one)
        elif isinstance(one, Closed):
            self._closed(one)
        else:
            assert isinstance(one, Fault)

    def _logged_in(self, event: LoggedIn) -> None:
        again = self._model is not None
        if not event.capabilities >= NEEDED:
            missing = ", ".join(sorted(NEEDED - event.capabilities))
            self._error = ConnectError(
                _("{server} is no securechat server of our time: it lacks {missing}.").format(
                    server=event.endpoint, missing=missing
                )
            )
            self._connection.abort()
            return
        if self._model is None:
            self._model = Model(event.nick, event.capabilities)
        self._events.append(happenings.Connected(event.nick, event.tls, again))

    def _message(self, message: Message) -> None:
        if self._model is None:
            return
        self._model.feed(message, 0)
        if message.command != "PONG":
            self._events.append(happenings.read(message, self._model.nick))

    def _kept(self, kept: Kept) -> None:
        receipt = self._receipts.pop(kept.key, None)
        if receipt is None:
            return
        tags = parse_tags(kept.message.tags)
        line = told(kept.message, tags)
        receipt.msgid, receipt.time = tags.get("msgid", ""), happenings.moment(tags.get("time", ""))
        receipt.number, receipt.done = line.number if line is not None else None, True
        self._events.append(happenings.Kept(receipt))

    def _refused(self, key: str, message: Message) -> None:
        receipt = self._receipts.pop(key, None)
        if receipt is not None:
            receipt.fail(RefusedError.of(message))
            self._events.append(happenings.Refused(receipt))

    def _answered(self, answered: Answered) -> None:
        answer = self._answers.pop(answered.label)
        answer.take(answered.messages)
        self._events.append(happenings.Answered(answer))

    def _closed(self, event: Closed) -> None:
        self._over, self._error = True, self._error or (None if self._closing else event.error)
        why = self._error or LostError(_("The connection was closed before the server answered."))
        for pending in [*self._receipts.values(), *self._answers.values()]:
            pending.fail(why)
        self._receipts.clear()
        self._answers.clear()
