"""What a `Client` hands out for what is on its way: it is filled in as the server answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

from securechat.client.errors import ClientError
from securechat.client.words import _
from securechat.protocol.message import Message

T = TypeVar("T")


class Pending:
    """Something that the server has not answered yet. Belongs to its Client's thread.

    `error` says why it will not be; `wait` raises it.
    """

    def __init__(self, pump: Callable[[Pending, float | None], None]) -> None:
        self.done = False
        self.error: ClientError | None = None
        self._pump = pump

    def late(self, seconds: float) -> str:
        """Return what a person is told when it takes that long."""
        return _("The server has not answered within {:g} s; the answer may still come.").format(seconds)

    def fail(self, error: ClientError) -> None:
        """Note that there will be no answer."""
        self.done, self.error = True, error

    def finish(self, timeout: float | None) -> None:
        """Wait up to `timeout` seconds (None: the client's own); events that come meanwhile keep their order.

        Raises ClientError: RefusedError, LostError at the end of the connection, TimedOutError.
        """
        if not self.done:
            self._pump(self, timeout)
        if self.error is not None:
            raise self.error


class Receipt(Pending):
    """One message that we said. `msgid`, `number` and `time` are there once it is `kept`: on the server's disk."""

    def __init__(self, key: str, target: str, text: str, pump: Callable[[Pending, float | None], None]) -> None:
        super().__init__(pump)
        self.key = key
        self.target = target
        self.text = text
        self.msgid = ""
        self.number: int | None = None
        self.time: datetime | None = None

    def __repr__(self) -> str:
        return f"<Receipt {self.msgid or ('refused' if self.error else 'waiting')}>"

    def late(self, seconds: float) -> str:
        """Return what a person is told when it takes that long."""
        text = _("The server has not confirmed the message within {:g} s; it stays on its way unless withdrawn.")
        return text.format(seconds)

    @property
    def kept(self) -> bool:
        """Whether it is on the server's disk."""
        return self.done and self.error is None

    def wait(self, timeout: float | None = None) -> Receipt:
        """Wait until it is kept, and return it. Raises ClientError as `finish` does."""
        self.finish(timeout)
        return self


class Answer(Pending, Generic[T]):
    """One question that we asked; `value` is there once it is `done` and has no `error`."""

    def __init__(
        self,
        read: Callable[[tuple[Message, ...]], T],
        pump: Callable[[Pending, float | None], None],
    ) -> None:
        super().__init__(pump)
        self._read = read
        self.value: T | None = None

    def take(self, messages: tuple[Message, ...]) -> None:
        """Take what the server said."""
        try:
            self.value = self._read(messages)
        except ClientError as refusal:
            self.error = refusal
        self.done = True

    def wait(self, timeout: float | None = None) -> T:
        """Wait for it and return the value. Raises ClientError as `finish` does."""
        self.finish(timeout)
        return self.value  # type: ignore[return-value]  # done without an error: it was read
