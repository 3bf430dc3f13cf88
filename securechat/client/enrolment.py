"""How a device gets a certificate over a connection that is logged in. Messages in, lines out. Pure.

docs/protocol.md, "Logging in by certificate", has both sides of it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection
from typing import ClassVar, Final

from securechat.client.text import clean
from securechat.protocol.message import Message, build
from securechat.protocol.sasl import CHUNK, Exchange, SaslError, pieces

MAX_NAME_BYTES: Final = 32
"""What a server takes at most as the name of a device."""
MAX_TAKEN: Final = 1000
"""Names of devices that are looked at."""
MAX_CERTIFICATE: Final = 40 * CHUNK
"""Longest certificate taken, in base64."""
MALFORMED: Final = "MALFORMED"
"""The `code` where the server's answer is none."""
_UNWANTED: Final = frozenset(" @:*,")
_DEFAULT: Final = "device"


def device_name(host: str) -> str:
    """Return what a machine is called as a device: the first label of its name, as far as servers allow it."""
    label = host.partition(".")[0]
    kept = "".join(char for char in label if char.isprintable() and char not in _UNWANTED)
    kept = kept.encode(errors="ignore")[:MAX_NAME_BYTES].decode(errors="ignore")
    return _DEFAULT if kept.casefold() in ("", "localhost") else kept


def free_name(wanted: str, taken: Collection[str]) -> str:
    """Return `wanted`, or with the first number behind it that makes it none of `taken`."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        end = f"-{number}"
        name = wanted.encode()[: MAX_NAME_BYTES - len(end)].decode(errors="ignore") + end
    return name


class Enrolment:
    """One question for a certificate. Owned by whoever feeds it.

    `name` is what the device is called, once that is decided; `certificate` is the answer (DER), or `code` and
    `text` say why there is none. It is over when either is there.
    """

    def __init__(self, request: bytes, wanted: str, own: str = "") -> None:
        """Ask with a certificate request (DER); by `own`, the name that is this device's already, or a new one."""
        self.name = own
        self.certificate = b""
        self.code = ""
        self.text = ""
        self._wanted = wanted
        self._request = request
        self._taken: set[str] = set()
        self._answer: Exchange | None = None
        self._whole = b""

    @property
    def over(self) -> bool:
        """Whether nothing more is to come."""
        return bool(self.certificate or self.code)

    def begin(self) -> list[bytes]:
        """Return the first lines: where the device has no name yet, a look at those that are taken.

        A certificate for a name that another machine has would end that one's.
        """
        return self._ask() if self.name else [build("DEVICES")]

    def feed(self, message: Message) -> list[bytes] | None:
        """Take a message; give the lines that answer it, or None where it is none of our business."""
        handler = self._HANDLERS.get(message.command)
        return None if self.over or handler is None else handler(self, message)

    def _ask(self) -> list[bytes]:
        self._answer = Exchange(self.name, MAX_CERTIFICATE)
        return [build("ENROL", self.name, piece) for piece in pieces(base64.b64encode(self._request).decode())]

    def _noted(self, message: Message) -> list[bytes] | None:
        match message.params:
            case ["DEVICES", "DEVICE", _account, device, *_] if not self.name:
                if len(self._taken) < MAX_TAKEN:
                    self._taken.add(device)
                return []
            case ["DEVICES", "END", *_] if not self.name:
                self.name = free_name(self._wanted, self._taken)
                return self._ask()
            case ["ENROL", "CERTIFICATE", self.name, *_]:
                self.certificate, self.code = self._whole, "" if self._whole else MALFORMED
                return []
        return None

    def _piece(self, message: Message) -> list[bytes] | None:
        if self._answer is None or message.params[:1] != [self.name] or len(message.params) != 2:
            return None
        try:
            text = self._answer.feed(message.params[1])
            if text is not None:
                self._whole = base64.b64decode(text, validate=True)
        except (SaslError, binascii.Error, ValueError):
            self.code = MALFORMED
        return []

    def _failed(self, message: Message) -> list[bytes] | None:
        about = "ENROL" if self.name else "DEVICES"
        if len(message.params) < 3 or message.params[0] != about:
            return None
        self.code, self.text = message.params[1], clean(message.params[-1]).strip().rstrip(".")
        return []

    def _unknown(self, message: Message) -> list[bytes] | None:
        if message.params[1:2] not in (["ENROL"], ["DEVICES"]):
            return None
        self.code = message.command
        return []

    _HANDLERS: ClassVar[dict[str, Callable[[Enrolment, Message], list[bytes] | None]]] = {
        "NOTE": _noted,
        "ENROL": _piece,
        "FAIL": _failed,
        "421": _unknown,
    }
