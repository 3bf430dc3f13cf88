"""The certificate authority: made once, read to sign something, its key protected or kept elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from securechat.certs.files import (
    CertificateError,
    KeyAwayError,
    belongs,
    is_encrypted,
    move,
    publish,
    read_certificate,
    read_key,
    replace_key,
)
from securechat.certs.pieces import Authority, Period, builder, key_usage, to_pem

CA_DAYS: Final = 3652


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where the authority's key is: `ca.key` in `offline`, or None for beside ca.pem.

    `passphrase` is called with the key's path if that is encrypted; without it an encrypted key cannot be used.
    `protect` is what a key is to be encrypted with that is not yet.
    """

    offline: Path | None = None
    passphrase: Callable[[Path], bytes] | None = None
    protect: bytes | None = None

    def path(self, folder: Path) -> Path:
        """Return the key's path, for certificates in `folder`."""
        return (self.offline or folder) / "ca.key"


HERE: Final = KeyPlace()


def read_authority(folder: Path, now: datetime, place: KeyPlace = HERE) -> Authority | None:
    """Return the authority of a folder, None where there is none yet. Raises CertificateError and OSError."""
    pem, private = folder / "ca.pem", place.path(folder)
    if not os.path.lexists(pem) and not os.path.lexists(private):
        return None
    for there, missing in ((pem, private), (private, pem)):
        if not os.path.lexists(missing):
            raise _missing(missing, there)
    ca = Authority(read_certificate(pem), read_key(private, place.passphrase))
    if not belongs(*ca):
        raise CertificateError(f"{private} is not the key of {pem}; put back the two that belong together.")
    check_authority(ca.certificate, pem, now)
    return ca


def _missing(missing: Path, there: Path) -> CertificateError:
    away = missing.name == "ca.key"
    elsewhere = ", or if it is kept elsewhere name its folder with --ca-offline" if away else ""
    return (KeyAwayError if away else CertificateError)(
        f"{missing} is missing beside {there}; put it back{elsewhere}, or move {there.name} and server.pem away "
        f"to start a new authority whose ca.pem everybody who connects then needs."
    )


def check_authority(ca: x509.Certificate, path: Path, now: datetime) -> None:
    """Raise CertificateError where a certificate can be no authority's now."""
    try:
        allowed = ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        allowed = False
    if not allowed:
        raise CertificateError(f"{path} is not the certificate of an authority; put the right ca.pem back.")
    if ca.not_valid_before_utc > now:
        raise CertificateError(
            f"{path} is valid only from {ca.not_valid_before_utc:%Y-%m-%d}; set this machine's clock."
        )
    if ca.not_valid_after_utc <= now:
        raise CertificateError(
            f"{path} expired on {ca.not_valid_after_utc:%Y-%m-%d}; move ca.pem, ca.key and server.pem away, "
            f"run init-certs again and give the new ca.pem to everybody who connects."
        )


def make_authority(folder: Path, now: datetime, place: KeyPlace = HERE) -> Authority:
    """Make the authority of a folder, which is locked. Raises CertificateError and OSError."""
    key = ec.generate_private_key(ec.SECP256R1())
    ski = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # The name tells two authorities apart in a list of trusted ones.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"securechat CA {ski.digest[:4].hex()}")])
    certificate = (
        builder(key.public_key(), Period(now, now + timedelta(days=CA_DAYS)))
        .subject_name(name)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(ski, critical=False)
        .sign(key, hashes.SHA256())
    )
    publish(folder, "ca", to_pem(certificate), key, private=place.path(folder), passphrase=place.protect)
    return Authority(certificate, key)


def take_away(folder: Path, place: KeyPlace) -> KeyPlace:
    """Move the key from beside ca.pem to where it is to be from now on; return what to open it with there.

    What is to be protected is so before it leaves: what was on a stick for a moment can be found there later.
    Raises CertificateError and OSError.
    """
    here, there = folder / "ca.key", place.path(folder)
    if place.offline is None or not os.path.lexists(here):
        return place
    if not place.offline.is_dir() or place.offline.resolve() == folder.resolve():
        raise CertificateError(f"{place.offline} is not a folder apart from {folder}; make it, or name another.")
    protect = place.protect
    if protect is not None and not os.path.lexists(there) and not is_encrypted(here.read_bytes()):
        replace_key(here, read_key(here), protect)
        place = KeyPlace(place.offline, lambda _: protect)
    move(here, there)
    return place
