"""The server's own certificate: made, renewed and described."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from securechat.certs.authority import HERE, KeyPlace, make_authority, read_authority, take_away
from securechat.certs.files import (
    CertificateError,
    belongs,
    finish,
    locked,
    make_folder,
    match,
    one_sentence,
    pending,
    publish,
    read_certificate,
    read_key,
    replace_key,
)
from securechat.certs.names import ALWAYS, general_name, host_name, machine_name, names_in
from securechat.certs.pieces import Authority, Period, digest, leaf, to_pem

LEAF_DAYS: Final = 397  # what browsers take at most; Apple's systems refuse leaves above 825 days
MAX_LEAF_DAYS: Final = 3650
MAX_NAMES: Final = 100
"""Names in one certificate: it crosses the wire in every handshake."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a server needs to know of its certificates. Times are in UTC, names as the certificate has them."""

    folder: Path
    ca_fingerprint: str
    ca_not_after: datetime
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime

    @property
    def authority(self) -> Path:
        """The authority's certificate: the file to give to everybody who connects."""
        return self.folder / "ca.pem"

    @property
    def certificate(self) -> Path:
        """The server's certificate, followed by the authority's."""
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        """The server's private key."""
        return self.folder / "server.key"

    def expired(self, now: datetime | None = None) -> bool:
        """Whether clients refuse the server's certificate by its date."""
        return self.not_after <= (now or datetime.now(UTC))

    def due(self, now: datetime) -> bool:
        """Whether the server's certificate is to be renewed: less than a third of its life is left."""
        return self.not_after - now < (self.not_after - self.not_before) / 3


def issue(
    folder: Path,
    hosts: Iterable[str] = (),
    days: int = LEAF_DAYS,
    *,
    now: datetime | None = None,
    place: KeyPlace = HERE,
) -> Certificates:
    """Make what is missing in `folder`: the authority once, the server's certificate with a new key each time.

    `hosts` (DNS names or addresses) are added to the names of the certificate that is replaced. An existing
    authority stays what it is, its key is brought to where `place` says, and a leaf never outlives it. Raises
    CertificateError.
    """
    if not 1 <= days <= MAX_LEAF_DAYS:
        raise CertificateError(f"A server certificate is valid for 1 to {MAX_LEAF_DAYS} days, not {days}.")
    wanted = [host_name(host) for host in hosts]
    start = (now or datetime.now(UTC)).replace(microsecond=0)
    with one_sentence(folder):
        make_folder(folder)
        with locked(folder):
            finish(folder, "ca")
            finish(folder, "server")
            place = take_away(folder, place)
            ca = read_authority(folder, start, place)
            old = _old_names(folder, ca)
            called = list(dict.fromkeys([*ALWAYS, *machine_name(), *old, *wanted]))
            if len(called) > MAX_NAMES:
                raise CertificateError(
                    f"{folder / 'server.pem'} would have {len(called)} names and may have {MAX_NAMES}; "
                    f"move it away and run init-certs again with the names that are still needed."
                )
            if ca is not None and place.protect is not None:
                replace_key(place.path(folder), ca.key, place.protect)
            ca = ca or make_authority(folder, start, place)
            _make_leaf(folder, ca, called, Period(start, start + timedelta(days=days)))
        return describe(folder)


def renew(folder: Path, now: datetime) -> Certificates:
    """Make the server's certificate anew, for the names and the length of time of the one before.

    Raises CertificateError; KeyAwayError where the authority's key is not here or needs a passphrase.
    """
    old = describe(folder)
    days = round((old.not_after - old.not_before) / timedelta(days=1))
    return issue(folder, (), min(max(days, 1), MAX_LEAF_DAYS), now=now)


def describe(folder: Path) -> Certificates:
    """Return what the certificates in `folder` say; `ca.key` is not needed for it.

    Finishes a renewal that was interrupted half-way. Raises CertificateError where something is missing,
    unreadable or does not belong together; a certificate past its date is no error here.
    """
    with one_sentence(folder):
        pem, private = folder / "server.pem", folder / "server.key"
        if pending(pem).exists() and not match(pem, private):
            with locked(folder):
                finish(folder, "server")
        for name in ("ca.pem", "server.pem", "server.key"):
            if not os.path.lexists(folder / name):
                raise CertificateError(f"{folder / name} does not exist; run 'securechat init-certs' first.")
        own = read_certificate(pem)
        if not belongs(own, read_key(private)):
            raise CertificateError(
                f"{private} is not the key of {pem}; run 'securechat init-certs' to make a new pair."
            )
        ca = read_certificate(folder / "ca.pem")
    valid = Period(own.not_valid_before_utc, own.not_valid_after_utc)
    return Certificates(folder, digest(ca), ca.not_valid_after_utc, names_in(own), *valid)


def fingerprint(pem: Path) -> str:
    """Return the SHA-256 of the first certificate in a PEM file, as colon separated hex.

    Raises CertificateError.
    """
    with one_sentence(pem):
        return digest(read_certificate(pem))


def period(pem: Path) -> Period:
    """Return from when to when the first certificate of a PEM file is valid. Raises CertificateError."""
    with one_sentence(pem):
        own = read_certificate(pem)
    return Period(own.not_valid_before_utc, own.not_valid_after_utc)


def names_of(pem: Path) -> tuple[str, ...]:
    """Return the names that the first certificate of a PEM file is for. Raises CertificateError."""
    with one_sentence(pem):
        return names_in(read_certificate(pem))


def sha1(pem: Path) -> list[str]:
    """Return the SHA-1 of each certificate in a PEM file as hex, for phones that show no other."""
    with one_sentence(pem):
        chain = x509.load_pem_x509_certificates(pem.read_bytes())
    return [one.fingerprint(hashes.SHA1()).hex() for one in chain]  # noqa: S303  # shown to a human, never checked


def der(pem: Path) -> bytes:
    """Return the first certificate of a PEM file as DER. Raises CertificateError."""
    with one_sentence(pem):
        return read_certificate(pem).public_bytes(serialization.Encoding.DER)


def same_key(one: Path, other: Path) -> bool:
    """Whether the first certificates of two PEM files are for one key. Raises CertificateError."""
    with one_sentence(one):
        return read_certificate(one).public_key() == read_certificate(other).public_key()


def _old_names(folder: Path, ca: Authority | None) -> tuple[str, ...]:
    path = folder / "server.pem"
    if not os.path.lexists(path):
        return ()
    old = read_certificate(path)
    try:
        if ca is not None:
            old.verify_directly_issued_by(ca.certificate)
            return names_in(old)
    except (ValueError, TypeError, InvalidSignature):
        pass
    # Perhaps bought, perhaps of an authority that was moved away: not ours to destroy.
    raise CertificateError(
        f"{path} was not issued by {folder / 'ca.pem'}; move it away and run init-certs again to get a new one."
    )


def _make_leaf(folder: Path, ca: Authority, called: list[str], valid: Period) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        leaf(ca, key.public_key(), valid, ExtendedKeyUsageOID.SERVER_AUTH)
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "securechat server")]))
        .add_extension(x509.SubjectAlternativeName(map(general_name, called)), critical=False)
        .sign(ca.key, hashes.SHA256())
    )
    publish(folder, "server", to_pem(certificate) + to_pem(ca.certificate), key)
