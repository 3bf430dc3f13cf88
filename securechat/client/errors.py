"""What can end a connection. Each text is one sentence for the person at the keyboard, and holds no secret."""

from __future__ import annotations


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
