"""From a host's name to a TLS connection with the server that it names, or one sentence why not."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from securechat.client.errors import ConnectError
from securechat.client.settings import Endpoint
from securechat.net.tls import client_context

Wait = Callable[[socket.socket, int, float], None]
"""Waits until a socket is ready for a selectors mask; raises TimeoutError at the deadline (time.monotonic)."""

_COPY_CA: Final = "copy certs/ca.pem (never ca.key) from the server and pass it with --ca FILE"

# OpenSSL's X509_V_ERR numbers (x509_vfy.h) to what they mean for a person.
_STRANGER: Final = frozenset({2, 7, 18, 19, 20, 21})
_NOT_YET: Final = 9
_EXPIRED: Final = 10
_OTHER_NAME: Final = frozenset({62, 64})

# Reasons that OpenSSL gives for an answer that is no TLS record at all.
_NOT_TLS: Final = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "HTTPS_PROXY_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "ENCRYPTED_LENGTH_TOO_LONG",
        "UNEXPECTED_MESSAGE",
        "BAD_RECORD_TYPE",
        "RECORD_LAYER_FAILURE",
        "UNKNOWN_PROTOCOL",
    }
)


def trust(authority: Path) -> ssl.SSLContext:
    """Return the context that believes servers of this certificate authority only.

    Raises ConnectError where the file is missing, unreadable or holds no certificate.
    """
    try:
        with authority.open("rb"):  # OpenSSL's own message does not say why a file cannot be read
            pass
        return client_context(authority)
    except FileNotFoundError:
        raise ConnectError(f"There is no certificate authority at {authority}: {_COPY_CA}.") from None
    except ssl.SSLError:
        raise ConnectError(f"{authority} holds no certificate: {_COPY_CA}.") from None
    except OSError as failure:
        raise ConnectError(f"{authority} cannot be read ({_reason(failure)}): {_COPY_CA}.") from None


def dial(endpoint: Endpoint, context: ssl.SSLContext, deadline: float, wait: Wait) -> ssl.SSLSocket:
    """Return a non-blocking socket whose TLS handshake is done and whose certificate is the endpoint's.

    `deadline` is in time.monotonic seconds. Raises ConnectError, and whatever `wait` raises but TimeoutError.
    """
    raw = _connect(endpoint, deadline, wait)
    try:
        secured = context.wrap_socket(raw, server_hostname=endpoint.host, do_handshake_on_connect=False)
    except (OSError, ValueError):
        # The peer is gone already, or OpenSSL cannot check a certificate for such a name.
        raw.close()
        raise ConnectError(f"{endpoint} cannot be verified: it hung up, or its name is malformed.") from None
    try:
        _handshake(secured, deadline, wait)
    except TimeoutError:
        secured.close()
        raise ConnectError(
            f"{endpoint} accepted the connection but did not speak TLS in time; check the port."
        ) from None
    except OSError as failure:
        secured.close()
        raise ConnectError(handshake_sentence(endpoint, failure)) from None
    except BaseException:
        secured.close()
        raise
    return secured


def _connect(endpoint: Endpoint, deadline: float, wait: Wait) -> socket.socket:
    """Try every address of the host in turn; each may use an equal share of the time that is left."""
    addresses = _look_up(endpoint)
    failure: OSError = TimeoutError()
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        now = time.monotonic()
        share = now + (deadline - now) / (len(addresses) - position)
        try:
            return _connect_one(socket.socket(family, kind, protocol), address, share, wait)
        except OSError as error:
            failure = error
    raise ConnectError(_connect_sentence(endpoint, failure)) from None


def _look_up(endpoint: Endpoint) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except socket.gaierror as failure:
        if failure.errno == socket.EAI_AGAIN:
            raise ConnectError(
                f"{endpoint.host!r} cannot be looked up at the moment; check the network."
            ) from None
        raise ConnectError(f"There is no host {endpoint.host!r}.") from None
    except (OSError, ValueError):  # a label of 64 characters, a NUL, ...
        raise ConnectError(f"{endpoint.host!r} is not the name of a host.") from None
    return list(found)


def _connect_one(sock: socket.socket, address: tuple[object, ...], deadline: float, wait: Wait) -> socket.socket:
    try:
        sock.setblocking(False)
        code = sock.connect_ex(address)
        if code in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            wait(sock, selectors.EVENT_WRITE, deadline)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))  # noqa: TRY301  # it becomes ConnectionRefusedError and its like
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _handshake(sock: ssl.SSLSocket, deadline: float, wait: Wait) -> None:
    while True:
        try:
            return sock.do_handshake()
        except ssl.SSLWantReadError:
            wait(sock, selectors.EVENT_READ, deadline)
        except ssl.SSLWantWriteError:
            wait(sock, selectors.EVENT_WRITE, deadline)


def _connect_sentence(endpoint: Endpoint, failure: OSError) -> str:
    if isinstance(failure, ConnectionRefusedError):
        return f"Nobody is listening at {endpoint}; start the server there with 'securechat serve'."
    if isinstance(failure, TimeoutError):
        return f"{endpoint} did not answer in time; check the host and the port."
    return f"{endpoint} cannot be reached: {_reason(failure)}."


def handshake_sentence(endpoint: Endpoint, failure: OSError) -> str:
    """Return what a failed TLS handshake with `endpoint` means, in one sentence."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        return _certificate_sentence(endpoint, failure)
    if isinstance(failure, ssl.SSLEOFError | ConnectionError):
        return f"{endpoint} hung up during the TLS handshake; check the port."
    reason = getattr(failure, "reason", None) or ""
    if reason in _NOT_TLS:
        return f"{endpoint} does not speak TLS; check the port."
    detail = reason.replace("_", " ").lower() or _reason(failure)
    return f"The TLS handshake with {endpoint} failed: {detail}."


def _certificate_sentence(endpoint: Endpoint, failure: ssl.SSLCertVerificationError) -> str:
    code = failure.verify_code
    if code in _STRANGER:
        return (
            f"The certificate of {endpoint} is not from the authority that you trust: if it is the right server,"
            f" {_COPY_CA}."
        )
    if code in _OTHER_NAME:
        return (
            f"The certificate of {endpoint} is made out to another name: connect with a --host that it names, or"
            f" have the operator run 'securechat init-certs --host {endpoint.host}'."
        )
    if code == _EXPIRED:
        return f"The certificate of {endpoint} has expired: the operator renews it with securechat init-certs."
    if code == _NOT_YET:
        return f"The certificate of {endpoint} is not valid yet: check the clock of this machine and the server's."
    return f"The certificate of {endpoint} is not valid: {failure.verify_message}."


def _reason(failure: OSError) -> str:
    return failure.strerror or type(failure).__name__
