"""Certificates that `init-certs` would never make: expired, not yet valid, of another name, of a stranger."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from securechat.certs.pieces import key_usage


class Leaf(NamedTuple):
    """Where a server's certificate and its key are."""

    pem: Path
    key: Path


class Authority:
    """A certificate authority in a folder; `pem` is what clients trust. Two of them have the same name."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        builder = self._builder(self._name, self._key, -1, 30)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(key_usage("key_cert_sign"), critical=True)
        self.pem = folder / "ca.pem"
        _write(self.pem, builder.sign(self._key, hashes.SHA256()))

    def leaf(self, *, name: str = "localhost", start: int = -1, end: int = 30) -> Leaf:
        """Make a server certificate for a name (and 127.0.0.1 with it), valid from day `start` to day `end`."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(name)]
        if name == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        builder = self._builder(x509.Name([]), key, start, end)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
        leaf = Leaf(self._folder / f"{name}{start}{end}.pem", self._folder / f"{name}{start}{end}.key")
        _write(leaf.pem, builder.sign(self._key, hashes.SHA256()))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        leaf.key.write_bytes(private)
        return leaf

    def _builder(self, subject, key, start, end):
        now = datetime.now(UTC)
        public = self._key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=start))
            .not_valid_after(now + timedelta(days=end))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        )


def _write(path, certificate):
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
