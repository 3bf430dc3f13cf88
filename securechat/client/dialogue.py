"""What is said on a connection besides the conversation: login, keeping alive, and why it ended. Pure."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Final

from securechat.client.errors import ClientError, ConnectError, LoginError, LostError, reason, told
from securechat.client.events import Event, LoggedIn, Received
from securechat.client.handshake import Login
from securechat.client.resume import NEEDED
from securechat.client.settings import ClientLimits, Endpoint
from securechat.client.text import clean
from securechat.client.words import _, ngettext
from securechat.protocol.errors import Fault, ProtocolError
from securechat.protocol.framing import MAX_BODY, MAX_SERVER_TAGS, LineBuffer
from securechat.protocol.message import Message, build, parse
from securechat.protocol.sasl import Credentials

_PULSE: Final = "securechat-alive"


class Dialogue:
    """One connection's side of the protocol. Owned by the connection's thread, which tells it the time.

    Times are seconds of any clock that only goes forward.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        tls: str,
        secret: Credentials,
        limits: ClientLimits,
        now: float,
        more: frozenset[str] = NEEDED,
    ) -> None:
        self._endpoint = endpoint
        self._tls = tls
        self._limits = limits
        self._login: Login | None = Login(secret, more)
        self._lines = LineBuffer(MAX_SERVER_TAGS + MAX_BODY)
        self._parting = ""  # what the server's ERROR said
        self._login_until = now + limits.login_seconds
        self._heard = now
        self._pulsed = False

    @property
    def logged_in(self) -> bool:
        """Whether the login is over."""
        return self._login is None

    def begin(self) -> list[bytes]:
        """Return the first lines to send."""
        return self._login.begin() if self._login is not None else []

    def feed(self, data: bytes, now: float) -> tuple[list[bytes], list[Event]]:
        """Take received bytes; give the lines that answer them and what the front end should know.

        Raises ClientError where the connection cannot go on.
        """
        self._heard, self._pulsed = now, False
        answers: list[bytes] = []
        events: list[Event] = []
        batch: list[Message | Fault] = []
        for line in self._lines.feed(data):
            message = line if isinstance(line, Fault) else _parsed(line)
            if self._answered(message, answers):
                continue
            if self._login is not None:
                self._log_in(self._login, message, answers, events)
            else:
                batch.append(message)
        if batch:
            events.append(Received(tuple(batch)))
        return answers, events

    def _answered(self, message: Message | Fault, answers: list[bytes]) -> bool:
        """Whether this message is dealt with here, so that nobody else need see it."""
        if isinstance(message, Fault):
            if message is Fault.ENDLESS:
                raise LostError(_("The server sends a line without end."))
            return False
        if message.command == "PING":
            answers.append(build("PONG", *message.params[-1:]))
        elif message.command == "ERROR" and self._login is None:
            # The end of the stream follows; it is told then, once.
            self._parting = clean(message.params[-1] if message.params else "").strip().rstrip(".")
        else:
            return message.command == "PONG" and message.params[-1:] == [_PULSE]
        return True

    def _log_in(self, login: Login, message: Message | Fault, answers: list[bytes], events: list[Event]) -> None:
        if isinstance(message, Fault):
            raise ConnectError(_("{} speaks TLS but not IRC; check the port.").format(self._endpoint))
        answers += login.feed(message)
        if login.nick:
            self._login = None
            events.append(LoggedIn(self._endpoint, self._tls, login.nick, login.capabilities))

    def tick(self, now: float) -> tuple[Sequence[bytes], float]:
        """Return lines that are due and the seconds until the next call; raise ClientError: it took too long."""
        if self._login is not None:
            if now >= self._login_until:
                seconds = round(self._limits.login_seconds)
                text = ngettext(
                    "{server} did not finish the login within {count} second.",
                    "{server} did not finish the login within {count} seconds.",
                    seconds,
                )
                raise LoginError(text.format(server=self._endpoint, count=seconds))
            return (), self._login_until - now
        silent = now - self._heard
        most = self._limits.idle_seconds + self._limits.pong_seconds
        if silent >= most:
            raise LostError(_silent(round(silent)), again=True)
        if silent < self._limits.idle_seconds:
            return (), self._limits.idle_seconds - silent
        lines = () if self._pulsed else (build("PING", _PULSE),)
        self._pulsed = True
        return lines, most - silent

    def excuse(self, now: float) -> None:
        """Note that the silence is ours: we do not read at the moment."""
        self._heard, self._pulsed = now, False

    def ended(self, failure: OSError | None) -> ClientError:
        """Return what the end of the stream means; `failure` is None for an end that looks clean.

        A cut cable and a clean end look alike (threaded-tls 8), so neither is told apart from the other.
        """
        if self._parting:
            # A server that stops may come back; one that sends us away means it.
            again = self._login is None and "shutting down" in self._parting
            return LostError(_("The server closed the connection: {}.").format(told(self._parting)), again=again)
        if self._login is not None:
            return ConnectError(_("{} closed the connection before the login was done.").format(self._endpoint))
        gone = ConnectionError | ssl.SSLEOFError | ssl.SSLZeroReturnError
        if failure is None or isinstance(failure, gone):
            return LostError(_("The connection was lost: the server is gone."), again=True)
        code = getattr(failure, "reason", None)
        detail = code.replace("_", " ") if code else reason(failure)
        return LostError(_("The connection was lost: {}.").format(detail.lower()), again=True)


def _silent(seconds: int) -> str:
    return ngettext(
        "The connection was lost: the server has been silent for {} second.",
        "The connection was lost: the server has been silent for {} seconds.",
        seconds,
    ).format(seconds)


def _parsed(line: bytes) -> Message | Fault:
    try:
        return parse(line, MAX_SERVER_TAGS)
    except ProtocolError as wrong:
        return wrong.fault
