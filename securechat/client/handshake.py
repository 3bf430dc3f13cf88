"""The login as a state machine: messages in, lines out (IRCv3 capability-negotiation 302, sasl-3.1). Pure."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from securechat.client.errors import DeviceError, LoginError, told
from securechat.client.text import clean
from securechat.client.words import N_, _
from securechat.protocol.message import Message, build
from securechat.protocol.sasl import Credentials, encode_plain, pieces

WANTED: Final = (
    "account-tag",
    "cap-notify",
    "echo-message",
    "extended-join",
    "message-tags",
    "multi-prefix",
    "sasl",
    "server-time",
)
"""Capabilities that this client knows what to do with; it asks for those that the server offers."""
MAX_OFFERED: Final = 1000
"""Capabilities remembered of what a server offers."""
MAX_NAME_BYTES: Final = 128
MAX_PASSWORD_BYTES: Final = 1024
"""Longer than any server's names and passwords; both fit one SASL response together (protocol.sasl)."""

_NO_PLAIN: Final = N_("The server offers no login by password (SASL PLAIN); it is not a securechat server.")


def claim(name: str) -> Credentials:
    """Return a name to log in by without a password; raise LoginError where no server could have such a one."""
    if not name or any(char.isspace() or not char.isprintable() for char in name) or name.startswith(":"):
        raise LoginError(_("'{}' is not the name of an account.").format(clean(name)))
    if len(name.encode(errors="replace")) > MAX_NAME_BYTES:
        raise LoginError(_("No account has a name that long."))
    return Credentials(name, "")


def credentials(name: str, password: str) -> Credentials:
    """Return what to log in with; raise LoginError where no server could have such a name or password."""
    claim(name)
    # Looked for, not tried out: an exception from encoding would carry the password (law 7).
    if any("\ud800" <= char <= "\udfff" for char in password):
        raise LoginError(_("The password is not valid UTF-8."))
    if not password or "\0" in password or len(password.encode()) > MAX_PASSWORD_BYTES:
        raise LoginError(_("A password has 1 to {} bytes and no NUL.").format(MAX_PASSWORD_BYTES))
    return Credentials(name, password)


class Login:
    """One login, from the first line to the server's welcome. Owned by whoever feeds it.

    Once `nick` is set it is over: that is who we are, and `capabilities` are what is switched on. `more` are
    capabilities that its user knows what to do with besides WANTED.
    """

    mechanism: ClassVar[str] = "PLAIN"

    def __init__(self, secret: Credentials, more: frozenset[str] = frozenset()) -> None:
        self._wanted = sorted({*WANTED, *more})
        self.nick = ""
        self.capabilities: frozenset[str] = frozenset()
        self._secret: Credentials | None = secret
        self._offered: dict[str, str] = {}
        self._asked: list[str] = []
        self._proved = False

    @property
    def mechanisms(self) -> str:
        """The SASL mechanisms that the server named, with commas between them."""
        return self._offered.get("sasl", "")

    def begin(self) -> list[bytes]:
        """Return the first lines. NICK and USER wait at the server until CAP END."""
        assert self._secret is not None
        name = self._secret.name
        return [build("CAP", "LS", "302"), build("NICK", name), build("USER", "u", "0", "*", name)]

    def feed(self, message: Message) -> list[bytes]:
        """Take one message of the server; give the lines that answer it. Raises LoginError: it is refused."""
        handler = self._HANDLERS.get(message.command)
        return handler(self, message) if handler else []

    def _cap(self, message: Message) -> list[bytes]:
        if len(message.params) < 3:
            return []
        verb, words = message.params[1].upper(), message.params[-1].split()
        if verb == "LS":
            return self._listed(words, more=len(message.params) > 3 and message.params[2] == "*")
        if verb == "ACK":
            return self._granted(words)
        if verb == "NAK":
            return self._declined()
        return []

    def _listed(self, words: list[str], *, more: bool) -> list[bytes]:
        if self._asked:
            return []  # an answer to a question that we did not ask again
        for word in words[: MAX_OFFERED - len(self._offered)]:
            name, _is, value = word.partition("=")
            self._offered[name] = value
        if more:
            return []
        self._consider(self._offered)
        self._asked = [name for name in self._wanted if name in self._offered]
        return [build("CAP", "REQ", " ".join(self._asked))]

    def _consider(self, offered: Mapping[str, str]) -> None:
        """Look at all that the server offers. Raises LoginError where that is not enough."""
        mechanisms = offered.get("sasl")
        if mechanisms is None or (mechanisms and self.mechanism not in mechanisms.upper().split(",")):
            raise self._impossible()

    def _impossible(self) -> LoginError:
        return LoginError(_(_NO_PLAIN))

    def _refusal(self, message: Message) -> LoginError:
        return LoginError(_sentence(message), wrong=message.command in ("464", "904"))

    def _prove(self) -> list[bytes]:
        """Return what begins the proof, once the capability for it is on."""
        return [build("AUTHENTICATE", self.mechanism)]

    def _response(self, secret: Credentials) -> list[str]:
        """Return the proof in pieces."""
        return encode_plain(secret)

    def _granted(self, words: list[str]) -> list[bytes]:
        before = self.capabilities
        self.capabilities = before | (frozenset(words) & frozenset(self._asked))
        if "sasl" in self.capabilities and "sasl" not in before:
            return self._prove()
        return []

    def _declined(self) -> list[bytes]:
        # Granted whole or not at all: without the comforts, then.
        if self._asked in ([], ["sasl"]):
            raise self._impossible()
        self._asked = ["sasl"]
        return [build("CAP", "REQ", "sasl")]

    def _authenticate(self, message: Message) -> list[bytes]:
        if message.params != ["+"] or self._secret is None or "sasl" not in self.capabilities:
            return []
        chunks = self._response(self._secret)
        self._secret = None  # said once, then forgotten
        return [build("AUTHENTICATE", chunk) for chunk in chunks]

    def _success(self, _: Message) -> list[bytes]:
        if self._secret is not None:
            return []  # success at what? Nothing was said yet
        self._proved = True
        return [build("CAP", "END")]

    def _welcome(self, message: Message) -> list[bytes]:
        if not self._proved:
            # Everybody may come in here: what is said would reach strangers.
            raise self._impossible()
        self.nick = message.params[0] if message.params else ""
        if not self.nick:
            raise LoginError(_("The server's welcome does not say who we are."))
        return []

    def _refuse(self, message: Message) -> list[bytes]:
        raise self._refusal(message)

    def _unknown(self, message: Message) -> list[bytes]:
        if len(message.params) > 1 and message.params[1].upper() in ("CAP", "AUTHENTICATE"):
            raise self._impossible()
        return []

    _HANDLERS: ClassVar[dict[str, Callable[[Login, Message], list[bytes]]]] = {
        "CAP": _cap,
        "AUTHENTICATE": _authenticate,
        "903": _success,
        "001": _welcome,
        "410": _unknown,
        "421": _unknown,
        # nickname or password not accepted, too many connections, banned
        **dict.fromkeys(("431", "432", "433", "436", "437", "464", "465"), _refuse),
        # 902 account locked, 904 to 908: this login failed
        **dict.fromkeys(("902", "904", "905", "906", "907", "908"), _refuse),
        "ERROR": _refuse,
        "FAIL": _refuse,
    }


class DeviceLogin(Login):
    """A login by the certificate that TLS has shown (RFC 4422, appendix A); of the secret only the name counts."""

    mechanism = "EXTERNAL"

    def _impossible(self) -> LoginError:
        return DeviceError(_("The server takes no certificates of devices any more; log in by password."))

    def _response(self, secret: Credentials) -> list[str]:
        return pieces(base64.b64encode(secret.name.encode()).decode())

    def _refusal(self, message: Message) -> LoginError:
        return refused_device() if message.command == "904" else super()._refusal(message)


def refused_device() -> DeviceError:
    """Return what it means that the server does not take this device's certificate."""
    return DeviceError(
        _(
            "The server does not take this device's certificate any more: it was revoked or has expired,"
            " or the account is disabled; log in by password."
        )
    )


def _sentence(message: Message) -> str:
    """Return the server's own words for a refusal, as the end of one sentence."""
    text = clean(message.params[-1]).strip().rstrip(".") if message.params else ""
    if not text:
        return _("The server refused the login.")
    if text.lower().startswith("login refused"):
        return f"{told(text)}."
    return _("The server refused the login: {}.").format(told(text))
