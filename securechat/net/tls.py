"""The two TLS contexts. Built once and never changed: a renewed certificate is a new context."""

from __future__ import annotations

import ssl
from pathlib import Path


def server_context(certificate: Path, key: Path, *, tls12: bool = False) -> ssl.SSLContext:
    """Return the context for accepted sockets: TLS 1.3, and 1.2 only where asked for.

    Raises OSError (ssl.SSLError included) where a file cannot be read or the two do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2 if tls12 else ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    # An encrypted key would make OpenSSL ask on the terminal; an empty password makes it an error instead.
    context.load_cert_chain(certificate, key, password="")
    return context


def client_context(authority: Path) -> ssl.SSLContext:
    """Return the context for connecting: the server must show a certificate of `authority` for its own name.

    There is no way to turn that off. Raises OSError (ssl.SSLError included) where the file is unusable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=authority)
    return context
