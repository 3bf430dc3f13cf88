"""What all certificates are made of (RFC 5280, 4.2, with all that Python 3.13 insists on: VERIFY_X509_STRICT)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

_SKEW: Final = timedelta(minutes=5)  # a client whose clock is a little behind must not refuse a new certificate

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


class Period(NamedTuple):
    """From when to when a certificate is valid."""

    start: datetime
    end: datetime


class Authority(NamedTuple):
    """An authority that can sign."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def builder(key: PublicKey, valid: Period) -> x509.CertificateBuilder:
    """Return the beginning of a certificate for a key."""
    return (
        x509.CertificateBuilder()
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid.start - _SKEW)
        .not_valid_after(valid.end)
    )


def leaf(ca: Authority, key: PublicKey, valid: Period, use: x509.ObjectIdentifier) -> x509.CertificateBuilder:
    """Return a certificate that may do one thing, lacking its subject; it does not outlive its authority."""
    issuer = ca.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    aki = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer)
    return (
        builder(key, Period(valid.start, min(valid.end, ca.certificate.not_valid_after_utc)))
        .issuer_name(ca.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(aki, critical=False)
    )


def key_usage(*on: str) -> x509.KeyUsage:
    """Return a key usage in which only these are on."""
    every = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{use: use in on for use in every})


def to_pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def digest(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate, as colon separated hex."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()
