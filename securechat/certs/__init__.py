"""The certificate authority, and what it signs (RFC 5280): the server's certificate and those of devices.

PEM files in HOME/certs: `ca.pem` is what everybody needs who connects, `ca.key` signs and may be kept elsewhere,
`server.pem` (leaf and authority) and `server.key` are what the server loads.
"""

from securechat.certs.authority import KeyPlace
from securechat.certs.devices import (
    DEVICE_DAYS,
    DeviceCertificate,
    RequestRefused,
    bundle,
    certify,
    key_of,
    new_key,
)
from securechat.certs.files import CertificateError, KeyAwayError, secret_file
from securechat.certs.names import host_name
from securechat.certs.server import (
    LEAF_DAYS,
    MAX_LEAF_DAYS,
    Certificates,
    der,
    describe,
    fingerprint,
    issue,
    names_of,
    period,
    renew,
    same_key,
    sha1,
)

__all__ = [
    "DEVICE_DAYS",
    "LEAF_DAYS",
    "MAX_LEAF_DAYS",
    "CertificateError",
    "Certificates",
    "DeviceCertificate",
    "KeyAwayError",
    "KeyPlace",
    "RequestRefused",
    "bundle",
    "certify",
    "der",
    "describe",
    "fingerprint",
    "host_name",
    "issue",
    "key_of",
    "names_of",
    "new_key",
    "period",
    "renew",
    "same_key",
    "secret_file",
    "sha1",
]
