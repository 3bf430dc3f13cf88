"""What can end a connection. Each text is one sentence for the person at the keyboard, and holds no secret."""

from __future__ import annotations

from securechat.client.text import clean
from securechat.protocol.message import Message


class ClientError(Exception):
    """The connection cannot go on. `str()` of it is the sentence to show."""


class ConnectError(ClientError):
    """There is no connection: nobody listens, or who answers is not who we asked for."""


class LoginError(ClientError):
    """The server did not let us in."""


class LostError(ClientError):
    """The connection was there and is gone. `again` says that it may be worth another try."""

    def __init__(self, sentence: str, *, again: bool = False) -> None:
        super().__init__(sentence)
        self.again = again


class RefusedError(ClientError):
    """The server will not do what was asked. `code` is the numeric or the code of its FAIL."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code

    @classmethod
    def of(cls, message: Message) -> RefusedError:
        """Return the refusal that a message of the server is."""
        standard = message.command == "FAIL" and len(message.params) > 1
        code = message.params[1] if standard else message.command
        text = clean(message.params[-1]).strip().rstrip(".") if message.params else ""
        about = "" if standard else clean(" ".join(message.params[1:-1]))
        return cls(f"The server refused: {about + ': ' if about else ''}{text or code}.", code)
