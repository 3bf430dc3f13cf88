"""The login as a state machine: messages in, lines out (IRCv3 capability-negotiation 302, sasl-3.1). Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from securechat.client.errors import LoginError, told
from securechat.client.text import clean
from securechat.client.words import N_, _
from securechat.protocol.message import Message, build
from securechat.protocol.sasl import Credentials, encode_plain

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


def credentials(name: str, password: str) -> Credentials:
    """Return what to log in with; raise LoginError where no server could have such a name or password."""
    if not name or any(char.isspace() or not char.isprintable() for char in name) or name.startswith(":"):
        raise LoginError(_("'{}' is not the name of an account.").format(clean(name)))
    if len(name.encode(errors="replace")) > MAX_NAME_BYTES:
        raise LoginError(_("No account has a name that long."))
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

    def __init__(self, secret: Credentials, more: frozenset[str] = frozenset()) -> None:
        self._wanted = sorted({*WANTED, *more})
        self.nick = ""
        self.capabilities: frozenset[str] = frozenset()
        self._secret: Credentials | None = secret
        self._offered: dict[str, str] = {}
        self._asked: list[str] = []
        self._proved = False

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
        mechanisms = self._offered.get("sasl")
        if mechanisms is None or (mechanisms and "PLAIN" not in mechanisms.upper().split(",")):
            raise LoginError(_(_NO_PLAIN))
        self._asked = [name for name in self._wanted if name in self._offered]
        return [build("CAP", "REQ", " ".join(self._asked))]

    def _granted(self, words: list[str]) -> list[bytes]:
        before = self.capabilities
        self.capabilities = before | (frozenset(words) & frozenset(self._asked))
        if "sasl" in self.capabilities and "sasl" not in before:
            return [build("AUTHENTICATE", "PLAIN")]
        return []

    def _declined(self) -> list[bytes]:
        # Granted whole or not at all: without the comforts, then.
        if self._asked in ([], ["sasl"]):
            raise LoginError(_(_NO_PLAIN))
        self._asked = ["sasl"]
        return [build("CAP", "REQ", "sasl")]

    def _authenticate(self, message: Message) -> list[bytes]:
        if message.params != ["+"] or self._secret is None or "sasl" not in self.capabilities:
            return []
        chunks = encode_plain(self._secret)
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
            raise LoginError(_(_NO_PLAIN))
        self.nick = message.params[0] if message.params else ""
        if not self.nick:
            raise LoginError(_("The server's welcome does not say who we are."))
        return []

    def _refuse(self, message: Message) -> list[bytes]:
        raise LoginError(_sentence(message), wrong=message.command in ("464", "904"))

    def _unknown(self, message: Message) -> list[bytes]:
        if len(message.params) > 1 and message.params[1].upper() in ("CAP", "AUTHENTICATE"):
            raise LoginError(_(_NO_PLAIN))
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


def _sentence(message: Message) -> str:
    """Return the server's own words for a refusal, as the end of one sentence."""
    text = clean(message.params[-1]).strip().rstrip(".") if message.params else ""
    if not text:
        return _("The server refused the login.")
    if text.lower().startswith("login refused"):
        return f"{told(text)}."
    return _("The server refused the login: {}.").format(told(text))
