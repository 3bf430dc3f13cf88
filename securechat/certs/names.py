"""Names in certificates: which hosts a server can be reached by (RFC 5280, 4.2.1.6, RFC 6125)."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Final

from cryptography import x509

from securechat.certs.files import CertificateError

ALWAYS: Final = ("localhost", "127.0.0.1", "::1")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


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


def machine_name() -> list[str]:
    """Return what this machine is called, if that can be in a certificate."""
    try:
        return [host_name(socket.gethostname())]
    except CertificateError:
        return []  # a machine may be called what no client can ask for


def names_in(leaf: x509.Certificate) -> tuple[str, ...]:
    """Return the names that a certificate is for."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names if isinstance(name, x509.DNSName | x509.IPAddress))


def general_name(name: str) -> x509.GeneralName:
    """Return a name as a certificate holds it."""
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)
