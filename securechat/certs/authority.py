"""What is in the certificates: made here, and read again (RFC 5280, RFC 6125)."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

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
)

CA_DAYS: Final = 3652
LEAF_DAYS: Final = 397  # what browsers take at most; Apple's systems refuse leaves above 825 days
MAX_LEAF_DAYS: Final = 3650
MAX_NAMES: Final = 100
"""Names in one certificate: it crosses the wire in every handshake."""
_SKEW: Final = timedelta(minutes=5)  # a client whose clock is a little behind must not refuse a new certificate
_ALWAYS: Final = ("localhost", "127.0.0.1", "::1")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a server needs to know of its certificates. Times are in UTC, names as the certificate has them."""

    folder: Path
    ca_fingerprint: str
    ca_not_after: datetime
    names: tuple[str, ...]
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


class _Authority(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class _Period(NamedTuple):
    start: datetime
    end: datetime


def issue(
    folder: Path, hosts: Iterable[str] = (), days: int = LEAF_DAYS, *, now: datetime | None = None
) -> Certificates:
    """Make what is missing in `folder`: the authority once, the server's certificate with a new key each time.

    `hosts` (DNS names or addresses) are added to the names of the certificate that is replaced. An existing
    authority is never touched, and a leaf never outlives it. Raises CertificateError.
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
            ca = _read_authority(folder, start)
            old = _old_names(folder, ca)
            names = list(dict.fromkeys([*_ALWAYS, *_machine_name(), *old, *wanted]))
            if len(names) > MAX_NAMES:
                raise CertificateError(
                    f"{folder / 'server.pem'} would have {len(names)} names and may have {MAX_NAMES}; "
                    f"move it away and run init-certs again with the names that are still needed."
                )
            ca = ca or _make_authority(folder, start)
            _make_leaf(folder, ca, names, _Period(start, start + timedelta(days=days)))
        return describe(folder)


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
        leaf = read_certificate(pem)
        if not belongs(leaf, read_key(private)):
            raise CertificateError(
                f"{private} is not the key of {pem}; run 'securechat init-certs' to make a new pair."
            )
        ca = read_certificate(folder / "ca.pem")
    return Certificates(folder, _digest(ca), ca.not_valid_after_utc, _names_in(leaf), leaf.not_valid_after_utc)


def fingerprint(pem: Path) -> str:
    """Return the SHA-256 of the first certificate in a PEM file, as colon separated hex.

    Raises CertificateError.
    """
    with one_sentence(pem):
        return _digest(read_certificate(pem))


def host_name(host: str) -> str:
    """Return a host name in A-labels, or an address in its normal form. Raises CertificateError.

    IDNA 2003, because that is what Python's own `ssl` turns the name into that a client asks for.
    """
    address = _address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    if address is not None:
        if address.is_unspecified or "%" in str(address):
            raise CertificateError(f"{host!r} is not an address that a client can ask for.")
        return str(address)
    try:
        name = host.removesuffix(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = ""
    labels = name.split(".")
    # A last label of digits only is a mistyped address, never a name (RFC 1123, 2.1).
    if len(name) > 253 or labels[-1].isdecimal() or not all(map(_LABEL.fullmatch, labels)):
        raise CertificateError(f"{host!r} is neither a host name nor an address.")
    return name


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _machine_name() -> list[str]:
    try:
        return [host_name(socket.gethostname())]
    except CertificateError:
        return []  # a machine may be called what no client can ask for


def _old_names(folder: Path, ca: _Authority | None) -> tuple[str, ...]:
    path = folder / "server.pem"
    if not os.path.lexists(path):
        return ()
    leaf = read_certificate(path)
    try:
        if ca is not None:
            leaf.verify_directly_issued_by(ca.certificate)
            return _names_in(leaf)
    except (ValueError, TypeError, InvalidSignature):
        pass
    # Perhaps bought, perhaps of an authority that was moved away: not ours to destroy.
    raise CertificateError(
        f"{path} was not issued by {folder / 'ca.pem'}; move it away and run init-certs again to get a new one."
    )


def _names_in(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names if isinstance(name, x509.DNSName | x509.IPAddress))


def _read_authority(folder: Path, now: datetime) -> _Authority | None:
    pem, private = folder / "ca.pem", folder / "ca.key"
    if not os.path.lexists(pem) and not os.path.lexists(private):
        return None
    for there, missing in ((pem, private), (private, pem)):
        if not os.path.lexists(missing):
            raise CertificateError(
                f"{missing} is missing beside {there}; put it back, or move {there.name} and server.pem away "
                f"to start a new authority whose ca.pem everybody who connects then needs."
            )
    ca = _Authority(read_certificate(pem), read_key(private))
    if not belongs(*ca):
        raise CertificateError(f"{private} is not the key of {pem}; put back the two that belong together.")
    _check_authority(ca.certificate, pem, now)
    return ca


def _check_authority(ca: x509.Certificate, path: Path, now: datetime) -> None:
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


def _make_authority(folder: Path, now: datetime) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    ski = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # The name tells two authorities apart in a list of trusted ones.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"securechat CA {ski.digest[:4].hex()}")])
    certificate = (
        _builder(key, _Period(now, now + timedelta(days=CA_DAYS)))
        .subject_name(name)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(ski, critical=False)
        .sign(key, hashes.SHA256())
    )
    publish(folder, "ca", _pem(certificate), key)
    return _Authority(certificate, key)


def _make_leaf(folder: Path, ca: _Authority, names: list[str], valid: _Period) -> None:
    # RFC 5280, 4.2, with all that Python 3.13 insists on (VERIFY_X509_STRICT).
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = ca.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    aki = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer)
    certificate = (
        _builder(key, _Period(valid.start, min(valid.end, ca.certificate.not_valid_after_utc)))
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "securechat server")]))
        .issuer_name(ca.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(aki, critical=False)
        .sign(ca.key, hashes.SHA256())
    )
    publish(folder, "server", _pem(certificate) + _pem(ca.certificate), key)


def _builder(key: ec.EllipticCurvePrivateKey, valid: _Period) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid.start - _SKEW)
        .not_valid_after(valid.end)
    )


def _key_usage(*on: str) -> x509.KeyUsage:
    every = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{use: use in on for use in every})


def _general_name(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _digest(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()
