"""A login that makes its account first, by an invite (IRCv3 draft/account-registration). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from securechat.client.errors import JoinError, LoginError, told
from securechat.client.handshake import Login
from securechat.client.text import clean
from securechat.client.words import _
from securechat.protocol.message import Message, build
from securechat.protocol.sasl import Credentials

CAPABILITY: Final = "draft/account-registration"
WEAK: Final = "WEAK_PASSWORD"


def too_old() -> JoinError:
    """Return the refusal of a server that knows no invites."""
    return JoinError(_("The server is too old for invites: it has to be updated before anybody can join by one."))


class Joining(Login):
    """One login by an invite. The token is said once, and only to a server that knows what it is."""

    def __init__(self, secret: Credentials, token: str, more: frozenset[str] = frozenset()) -> None:
        super().__init__(secret, more | {CAPABILITY})
        self._token = token

    def feed(self, message: Message) -> list[bytes]:
        """Take one message of the server; give the lines that answer it. Raises JoinError: it is refused."""
        match message.command, message.params:
            case "REGISTER", ["VERIFICATION_REQUIRED", *_rest] if self._token:
                assert self._secret is not None
                token, self._token = self._token, ""
                return [build("VERIFY", self._secret.name, token)]
            case "VERIFY", ["SUCCESS", *_rest] if not self._token:
                self._secret = None
                return self._success(message)
        return super().feed(message)

    def _consider(self, offered: Mapping[str, str]) -> None:
        if CAPABILITY not in offered:
            raise too_old()

    def _impossible(self) -> LoginError:
        return too_old()

    def _prove(self) -> list[bytes]:
        assert self._secret is not None
        try:
            return [build("REGISTER", self._secret.name, "*", self._secret.password)]
        except ValueError:
            pass  # outside the handler: what was caught may carry the password (law 7)
        raise JoinError(_("The password is too long for an invite: choose one of at most 400 bytes."), WEAK)

    def _refusal(self, message: Message) -> LoginError:
        if message.command != "FAIL" or len(message.params) < 3:
            return super()._refusal(message)
        code, text = message.params[1], clean(message.params[-1]).strip().rstrip(".")
        if code == "INVALID_CODE":
            return JoinError(
                _("This invite was used, has expired or was taken back: ask whoever invited you for another."),
                code,
            )
        return JoinError(f"{told(text)}.", code)
