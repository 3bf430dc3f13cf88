"""What can end a connection. Each text is one sentence for the person at the keyboard, and holds no secret."""

from __future__ import annotations

from typing import Final

from securechat.client.text import clean
from securechat.client.words import N_, _
from securechat.protocol.message import Message

_SYSTEM: Final = (
    N_("No such file or directory"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("File exists"),
    N_("Permission denied"),
    N_("Read-only file system"),
    N_("No space left on device"),
    N_("Input/output error"),
    N_("Connection refused"),
    N_("Connection reset by peer"),
    N_("Network is unreachable"),
    N_("No route to host"),
)
"""What the system says most; it says it in English, whatever the locale, to a program that does not ask."""


_SERVER: Final = (
    N_("Login refused: the name or the password is wrong"),
    N_("Too many logins at once: try again in a moment"),
    N_("The server is shutting down"),
    N_("The server cannot store anything now"),
    N_("This device's certificate was revoked: log in by password"),
    N_("A password has at least 8 characters"),
    N_("A password has at most 1024 bytes in UTF-8"),
    N_("The password has a character that cannot be typed everywhere; use another"),
)
"""What our server says in English to whom it does not let in or sends away: it does not know who reads it."""


def told(text: str) -> str:
    """Return a last word of the server's in the person's language, where we know it."""
    return _(text)


def reason(failure: OSError) -> str:
    """Return what the system says about a failure, in the person's language where we know the words."""
    return _(failure.strerror) if failure.strerror else type(failure).__name__


class ClientError(Exception):
    """The connection cannot go on. `str()` of it is the sentence to show."""


class ConnectError(ClientError):
    """There is no connection: nobody listens, or who answers is not who we asked for."""


class StrangerError(ConnectError):
    """Who answers has a certificate, but not one of the authority that we trust."""


class LoginError(ClientError):
    """The server did not let us in. `wrong` says that it knows no such name with this password."""

    def __init__(self, sentence: str, *, wrong: bool = False) -> None:
        super().__init__(sentence)
        self.wrong = wrong


class DeviceError(LoginError):
    """The server does not take this device's certificate. The password may still be right."""


class JoinError(LoginError):
    """An invite that does not become an account. `code` is that of the server's FAIL, where there was one."""

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code


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
        what = f"{about}: {text or code}" if about else text or code
        return cls(_("The server refused: {}.").format(what), code)


class TimedOutError(ClientError):
    """The server has not answered in time. `pending` is the Receipt or Answer, which can be waited for again.

    A message stays on its way: it is said again on each connection until the server has it, or until
    `Client.withdraw` takes it back.
    """

    def __init__(self, sentence: str, pending: object) -> None:
        super().__init__(sentence)
        self.pending = pending
