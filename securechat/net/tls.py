"""The TLS contexts. Built once and never changed: a renewed certificate is a new context."""

from __future__ import annotations

import ssl
from pathlib import Path


def server_context(
    certificate: Path, key: Path, *, tls12: bool = False, authority: Path | None = None
) -> ssl.SSLContext:
    """Return the context for accepted sockets: TLS 1.3, and 1.2 only where asked for.

    Clients may show a certificate of `authority`, and none of anybody else's: OpenSSL ends the handshake with one
    that is foreign, self-signed, out of date or not for clients (RFC 5280, 4.2.1.12), so that what is shown has
    been verified. Raises OSError (ssl.SSLError included) where a file cannot be read or the first two do
    not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2 if tls12 else ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    # An encrypted key would make OpenSSL ask on the terminal; an empty password makes it an error instead.
    context.load_cert_chain(certificate, key, password="")
    # Nothing to resume in TLS 1.3: each handshake verifies anew, and costs less without tickets (RFC 8446, 4.6.1).
    context.num_tickets = 0
    if authority is not None:
        context.load_verify_locations(cafile=authority)
        # Optional, so that whoever has a password needs none. No authorities are named to the client here, which
        # makes clients send what they were told to send (RFC 8446, 4.2.4).
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def client_context(authority: Path | None, device: Path | None = None) -> ssl.SSLContext:
    """Return the context for connecting: the server must show a certificate of `authority` for its own name.

    None stands for the authorities that the system trusts. There is no way to turn that off. `device` has a key
    and its certificate, which the server is shown once it has proved who it is (RFC 8446, 4.4.2). Raises OSError
    (ssl.SSLError included) where a file is unusable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cafile=authority)
    if device is not None:
        context.minimum_version = ssl.TLSVersion.TLSv1_3  # before it, a client's certificate crosses in the clear
        context.load_cert_chain(device, password="")  # never ask on the terminal
    return context


def stranger_context() -> ssl.SSLContext:
    """Return the context for asking a server for its authority, before anything is known to verify it by.

    What comes over such a connection proves nothing until it is compared, and nothing that matters may go into it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
