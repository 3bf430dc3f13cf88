"""Gets this device its certificate beside the conversation, and renews it while it is in use."""

from __future__ import annotations

import logging
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from securechat.client import devices
from securechat.client.devices import Device
from securechat.client.enrolment import MALFORMED, Enrolment
from securechat.client.events import Enrolled
from securechat.client.words import _
from securechat.protocol.message import Message

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

log = logging.getLogger(__name__)

AGAIN_SECONDS: Final = 3600.0
"""How long to wait after a refusal that passes."""
_PASSING: Final = frozenset({"BUSY", "INTERNAL_ERROR", "RATE_LIMITED", MALFORMED})
_QUIET: Final = _PASSING | {"CANNOT_SIGN", "421"}
"""What is nothing that a person could mend here."""


_NEVER: Final = math.inf


class Taken(NamedTuple):
    """What a message leads to: lines to send, and news for the front end."""

    lines: list[bytes]
    events: list[Enrolled]


class Errand:
    """One connection's business with certificates. Owned by the connection's thread.

    `certified` says that the login was by certificate: then there is only renewing to do.
    """

    def __init__(self, device: Device, *, certified: bool) -> None:
        self._device = device
        self._certified = certified
        self._due = _NEVER  # s since 1970
        self._enrolment: Enrolment | None = None
        self._key: EllipticCurvePrivateKey | None = None

    def begin(self, mechanisms: str) -> Taken:
        """Start behind the login, on a server with these SASL mechanisms.

        Where there is no certificate yet, one Enrolled follows, unless the connection is lost first.
        """
        if "EXTERNAL" not in mechanisms.upper().split(","):
            return Taken([], [] if self._certified else [Enrolled()])
        if not self._certified:
            self._due = 0.0
        elif (held := self._device.held()) is not None:
            self._due = held.due
        return Taken(self.tick(), [])

    def tick(self) -> list[bytes]:
        """Return the lines that are due."""
        if self._enrolment is not None or devices.now() < self._due:
            return []
        held = self._device.held()
        if held is not None and self._certified and devices.now() < held.due:
            self._due = held.due  # another program has renewed it
            return []
        from securechat.certs.devices import new_key, request  # noqa: PLC0415  # slow to import, seldom needed

        self._key = new_key()
        own = held.name if held is not None and self._certified else self._device.asked()
        self._enrolment = Enrolment(request(self._key), devices.machine(), own)
        return self._enrolment.begin()

    def feed(self, message: Message) -> Taken | None:
        """Take a message of the server; None where it is for the conversation."""
        enrolment = self._enrolment
        if enrolment is None:
            return None
        named = bool(enrolment.name)
        lines = enrolment.feed(message)
        if lines is None:
            return None
        if enrolment.name and not named:
            try:
                self._device.note(enrolment.name)
            except OSError as failure:
                # A certificate that cannot be kept would be another one for every login.
                log.info("no certificate for this device: %s cannot be written: %s", self._device.path, failure)
                return Taken([], self._over(_NEVER, ""))
        return Taken(lines, self._end(enrolment) if enrolment.over else [])

    def _end(self, enrolment: Enrolment) -> list[Enrolled]:
        if enrolment.code:
            if enrolment.code not in _PASSING:
                self._device.unnote()
            log.info("no certificate for this device: %s %s", enrolment.code, enrolment.text)
            again = devices.now() + AGAIN_SECONDS if enrolment.code in _PASSING else _NEVER
            told = "" if enrolment.code in _QUIET else enrolment.text
            text = _("This device goes on without a certificate: {}.").format(told) if told else ""
            return self._over(again, text)
        assert self._key is not None
        try:
            held = self._device.store(self._key, enrolment.certificate)
        except (OSError, ValueError) as failure:
            log.info("the certificate for this device cannot be kept: %s", failure)
            return self._over(devices.now() + AGAIN_SECONDS, "")
        until = datetime.fromtimestamp(held.end, UTC).date()
        log.info("this device is %s until %s", held.name, until)
        text = _("This device is called {name} and needs no password from now on: /devices lists yours.")
        news = self._over(held.due, text.format(name=held.name), held.name)
        self._certified = True
        return news

    def _over(self, due: float, text: str, name: str = "") -> list[Enrolled]:
        first = not self._certified
        self._due, self._enrolment, self._key = due, None, None
        return [Enrolled(name, text)] if first else []
