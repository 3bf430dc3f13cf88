"""This machine as a device of somebody: its key and certificate on disk, beside the profiles.

One PEM file for each account on each server, readable for its owner only and replaced as a whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from securechat.client.enrolment import MAX_NAME_BYTES, device_name
from securechat.client.keepsake import make_folder, write
from securechat.client.profiles import folder
from securechat.client.settings import Endpoint
from securechat.net.tls import client_context

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

MAX_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Held:
    """What a certificate on disk says: the device's name, and from when to when it is valid (s since 1970)."""

    name: str
    start: float
    end: float

    @property
    def due(self) -> float:
        """When it is to be renewed: with a third of its life left (docs/protocol.md)."""
        return self.end - (self.end - self.start) / 3


class Device:
    """What this machine has to log in with as `account`. Owned by who makes it, then by the connection's thread.

    Other processes may change the files at any time. `new` allows to ask for a certificate where there is none.
    """

    def __init__(self, account: str, endpoint: Endpoint, authority: Path | None, *, new: bool = False) -> None:
        name = hashlib.sha256(f"{account.casefold()}\n{endpoint}".encode()).hexdigest()[:16]
        self.path = folder() / "devices" / f"{name}.pem"
        self.new = new
        self._authority = authority
        self._asked = self.path.with_suffix(".name")

    def held(self) -> Held | None:
        """Return what the certificate on disk says; None where there is none that can be read."""
        data = self._read(self.path)
        if not data:
            return None
        from cryptography import x509  # noqa: PLC0415  # slow to import, and only who has a device needs it
        from cryptography.x509.oid import NameOID  # noqa: PLC0415

        try:
            found = x509.load_pem_x509_certificate(data)
            names = [str(one.value) for one in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        except ValueError:
            return None
        start, end = found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
        return Held(names[0], start, end) if names else None

    @property
    def good(self) -> bool:
        """Whether there is something to log in with."""
        return self.context() is not None

    def expired(self) -> bool:
        """Whether there is a certificate that has run out."""
        found = self.held()
        return found is not None and found.end <= now()

    def context(self) -> ssl.SSLContext | None:
        """Return a context that shows the certificate; None where there is none that is good.

        One that has expired would only end the handshake.
        """
        found = self.held()
        if found is None or found.end <= now():
            return None
        try:
            return client_context(self._authority, self.path)
        except OSError:  # half of it is missing, or the two halves do not belong together
            return None

    def asked(self) -> str:
        """Return the name by which a certificate was asked for, where the answer never came; else nothing."""
        name = self._read(self._asked).decode(errors="replace").strip()
        return name if len(name.encode()) <= MAX_NAME_BYTES and device_name(name) == name else ""

    def note(self, name: str) -> None:
        """Note, before the server is asked, by which name: a lost answer leaves the name ours. Raises OSError."""
        self._write(self._asked, name.encode())

    def unnote(self) -> None:
        """Take that back: the server has refused, and the name is anybody's."""
        with contextlib.suppress(OSError):
            self._asked.unlink()

    def store(self, key: EllipticCurvePrivateKey, certificate: bytes) -> Held:
        """Keep a certificate (DER) in place of the one before. Raises OSError, and ValueError: not for our key."""
        from cryptography import x509  # noqa: PLC0415

        from securechat.certs.files import key_bytes  # noqa: PLC0415
        from securechat.certs.pieces import to_pem  # noqa: PLC0415

        made = x509.load_der_x509_certificate(certificate)
        if made.public_key() != key.public_key():
            raise ValueError("a certificate for another key")
        self._write(self.path, key_bytes(key) + to_pem(made))
        self.unnote()
        found = self.held()
        if found is None:
            raise ValueError("a certificate without a name")
        return found

    def forget(self) -> None:
        """Let go of key and certificate: the server does not take them any more."""
        self.unnote()
        with contextlib.suppress(OSError):
            self.path.unlink()

    def _write(self, path: Path, data: bytes) -> None:
        make_folder(self.path.parent.parent)
        write(path, data)

    @staticmethod
    def _read(path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                return file.read(MAX_BYTES)
        except OSError:
            return b""


def now() -> float:
    """Return the time by which certificates are judged, in seconds since 1970."""
    return time.time()


def machine() -> str:
    """Return what this machine is called as a device."""
    return device_name(socket.gethostname())
