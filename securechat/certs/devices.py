"""Certificates by which a person's devices log in (RFC 5280), for a request (RFC 2986) or with a new key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from securechat.certs.authority import HERE, KeyPlace, read_authority
from securechat.certs.files import CertificateError, key_bytes, one_sentence
from securechat.certs.pieces import Period, PublicKey, leaf, to_pem

DEVICE_DAYS: Final = 90
"""How long a device's certificate is valid: its owner's client renews it while it is in use."""
RSA_BITS: Final = range(2048, 4097)
_EXPONENT: Final = 65537
"""The one that all programs use; with a larger one a signature takes a hundred times as long to check."""
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1)
KEYS: Final = "EC P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits"


class RequestRefused(Exception):  # noqa: N818  # it is an answer to somebody, not a failure of ours
    """A certificate request that is not signed. The text is one sentence for whoever made it."""


class DeviceCertificate(NamedTuple):
    """A certificate for a device. `fingerprint` is the SHA-256 of `der` in hex, times are in UTC."""

    der: bytes
    fingerprint: str
    not_before: datetime
    not_after: datetime

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return to_pem(x509.load_der_x509_certificate(self.der))


def key_of(request: bytes) -> PublicKey:
    """Return the key in a certificate request in DER; all else in it is of no account. Raises RequestRefused."""
    try:
        asked = x509.load_der_x509_csr(request)
        key = asked.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise RequestRefused("This is not a certificate request (PKCS #10, DER, base64)") from None
    fits = (
        (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES))
        or isinstance(key, ed25519.Ed25519PublicKey)
        or (isinstance(key, rsa.RSAPublicKey) and key.key_size in RSA_BITS and key.public_numbers().e == _EXPONENT)
    )
    if not fits:
        raise RequestRefused(f"Keys of this kind are not taken; make one that is {KEYS}")
    assert isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey)
    if not _is_signed(asked):
        raise RequestRefused("The request is not signed by the key in it")
    return key


def _is_signed(asked: x509.CertificateSigningRequest) -> bool:
    """Whether whoever made a request has its key."""
    try:
        return asked.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm):  # an algorithm that is none for this key
        return False


def certify(
    folder: Path,
    key: PublicKey,
    account: str,
    device: str,
    *,
    days: int = DEVICE_DAYS,
    now: datetime | None = None,
    place: KeyPlace = HERE,
) -> DeviceCertificate:
    """Sign a certificate by which `device` logs in as `account`. Raises CertificateError.

    The names in it are for people to read: what a certificate is good for is in the users file.
    """
    start = (now or datetime.now(UTC)).replace(microsecond=0)
    with one_sentence(folder):
        ca = read_authority(folder, start, place)
    if ca is None:
        raise CertificateError(f"There is no authority in {folder}; run 'securechat init-certs' first.")
    named = [
        x509.NameAttribute(NameOID.USER_ID, account),
        x509.NameAttribute(NameOID.COMMON_NAME, device),
    ]
    certificate = (
        leaf(ca, key, Period(start, start + timedelta(days=days)), ExtendedKeyUsageOID.CLIENT_AUTH)
        .subject_name(x509.Name(named))
        .sign(ca.key, hashes.SHA256())
    )
    return DeviceCertificate(
        certificate.public_bytes(serialization.Encoding.DER),
        certificate.fingerprint(hashes.SHA256()).hex(),
        start,
        certificate.not_valid_after_utc,
    )


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key for a device."""
    return ec.generate_private_key(ec.SECP256R1())


def request(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a certificate request for a key in DER. Its subject is empty: whoever signs says whose it is."""
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def bundle(key: ec.EllipticCurvePrivateKey, certificate: DeviceCertificate) -> bytes:
    """Return key and certificate in one PEM file, as IRC clients take it."""
    return key_bytes(key) + certificate.pem
