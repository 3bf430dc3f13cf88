"""The certificate authority and the server certificate (RFC 5280), as PEM files in HOME/certs.

`ca.pem` is what everybody needs who connects, `ca.key` signs and could be kept elsewhere between renewals,
`server.pem` (leaf and authority) and `server.key` are what the server loads.
"""

from securechat.certs.authority import (
    LEAF_DAYS,
    MAX_LEAF_DAYS,
    Certificates,
    describe,
    fingerprint,
    host_name,
    issue,
)
from securechat.certs.files import CertificateError

__all__ = [
    "LEAF_DAYS",
    "MAX_LEAF_DAYS",
    "CertificateError",
    "Certificates",
    "describe",
    "fingerprint",
    "host_name",
    "issue",
]
