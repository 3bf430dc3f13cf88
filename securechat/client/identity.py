"""How a person proves to the server who they are, at each login of a connection."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import NamedTuple

from securechat.client.devices import Device
from securechat.client.errand import Errand
from securechat.client.errors import DeviceError
from securechat.client.handshake import DeviceLogin, Login
from securechat.client.joining import Joining
from securechat.client.words import _
from securechat.protocol.sasl import Credentials


class Attempt(NamedTuple):
    """What one login takes."""

    context: ssl.SSLContext
    login: Login
    errand: Errand | None


class Identity:
    """By this device's certificate where it has one, else by password; the first time perhaps by an invite.

    Owned by the connection's thread. `lasting` says that there may be further logins, which need the same again.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        secret: Credentials,
        more: frozenset[str],
        *,
        device: Device | None = None,
        token: str = "",
        lasting: bool = False,
    ) -> None:
        self._context = context
        self._secret = secret
        self._more = more
        self._device = device
        self._token = token
        self._lasting = lasting

    def attempt(self) -> Attempt:
        """Return what the next login takes; a certificate that came meanwhile is in a context of its own.

        Raises DeviceError where the certificate is gone and there is no password.
        """
        secret, token, device = self._secret, self._token, self._device
        if not self._lasting:
            self.drop()
        if token:
            self._token = ""  # good for one use, which may have been made whatever comes of it
            return Attempt(self._context, Joining(secret, token, self._more), self._errand(certified=False))
        context = device.context() if device is not None else None
        if context is not None:
            self.drop()
            return Attempt(context, DeviceLogin(secret, self._more), self._errand(certified=True))
        if not secret.password:
            raise DeviceError(_("This device has no certificate that is still good; log in by password."))
        new = device is not None and device.new
        return Attempt(self._context, Login(secret, self._more), self._errand(certified=False) if new else None)

    def _errand(self, *, certified: bool) -> Errand | None:
        return Errand(self._device, certified=certified) if self._device is not None else None

    def refused(self) -> None:
        """Forget this device: the server does not take its certificate."""
        if self._device is not None:
            self._device.forget()

    def drop(self) -> None:
        """Keep no password and no token any longer."""
        self._secret, self._token = replace(self._secret, password=""), ""
