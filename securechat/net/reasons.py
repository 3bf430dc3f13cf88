"""What went wrong on a connection, as the operator's log says it."""

from __future__ import annotations

import ssl
from typing import Final

_VERIFY: Final = {
    9: "the client's certificate is not valid yet",
    10: "the client's certificate has expired",
    26: "the client's certificate is not one for clients",
}
"""OpenSSL's codes (x509_vfy.h) for what a client may have done by mistake."""
_HANDSHAKE: Final = (
    ("HTTP_REQUEST", "not TLS: a plain HTTP request"),
    ("WRONG_VERSION_NUMBER", "not TLS: plain text or garbage"),
    ("UNKNOWN_CA", "the client does not trust this server's CA: give it certs/ca.pem"),
    ("BAD_CERTIFICATE", "the client does not accept this server's certificate"),
    ("CERTIFICATE_UNKNOWN", "the client does not accept this server's certificate"),
    ("CERTIFICATE_EXPIRED", "the client finds this server's certificate expired: run init-certs"),
    ("UNSUPPORTED_PROTOCOL", "the client's TLS is too old"),
    ("VERSION_TOO_LOW", "the client's TLS is too old"),
    ("NO_SHARED_CIPHER", "the client's TLS has no cipher in common"),
)


def explain(error: OSError, *, handshake: bool) -> str:
    """Return a few words for a failed socket or TLS operation; they never hold what was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY.get(error.verify_code, "the client's certificate is not of this server's CA")
    if isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        code = (error.reason or "").upper()
        for part, words in _HANDSHAKE:
            if part in code:
                return words
        return f"TLS error: {code.replace('_', ' ').lower() or 'unknown'}"
    if handshake:
        return "closed during the TLS handshake"
    return "connection lost"
