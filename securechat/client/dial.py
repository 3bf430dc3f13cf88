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

from securechat.client.errors import ConnectError, StrangerError, reason
from securechat.client.settings import Endpoint
from securechat.client.words import N_, _
from securechat.net.tls import client_context

Wait = Callable[[socket.socket, int, float], None]
"""Waits until a socket is ready for a selectors mask; raises TimeoutError at the deadline (time.monotonic)."""

_COPY_CA: Final = N_("copy certs/ca.pem (never ca.key) from the server and pass it with --ca FILE")

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


def trust(authority: Path | None) -> ssl.SSLContext:
    """Return the context that believes servers of this certificate authority only; None: of the system's.

    Raises ConnectError where the file is missing, unreadable or holds no certificate.
    """
    if authority is None:
        return client_context(None)
    try:
        with authority.open("rb"):  # OpenSSL's own message does not say why a file cannot be read
            pass
        return client_context(authority)
    except FileNotFoundError:
        raise ConnectError(
            _("There is no certificate authority at {path}: {advice}.").format(path=authority, advice=_(_COPY_CA))
        ) from None
    except ssl.SSLError:
        raise ConnectError(
            _("{path} holds no certificate: {advice}.").format(path=authority, advice=_(_COPY_CA))
        ) from None
    except OSError as failure:
        raise ConnectError(
            _("{path} cannot be read ({reason}): {advice}.").format(
                path=authority, reason=reason(failure), advice=_(_COPY_CA)
            )
        ) from None


def dial(endpoint: Endpoint, context: ssl.SSLContext, deadline: float, wait: Wait) -> ssl.SSLSocket:
    """Return a non-blocking socket whose TLS handshake is done and whose certificate is the endpoint's.

    `deadline` is in time.monotonic seconds. Raises ConnectError, and whatever `wait` raises but TimeoutError.
    """
    raw = _connect(endpoint, deadline, wait)
    try:
        return _handshake(raw, endpoint.host, context, deadline, wait)
    except TimeoutError:
        raise ConnectError(
            _("{} accepted the connection but did not speak TLS in time; check the port.").format(endpoint)
        ) from None
    except OSError as failure:
        strange = isinstance(failure, ssl.SSLCertVerificationError) and failure.verify_code in _STRANGER
        raise (StrangerError if strange else ConnectError)(handshake_sentence(endpoint, failure)) from None
    except ValueError:  # OpenSSL cannot check a certificate for such a name
        raise ConnectError(_("{} cannot be verified: its name is malformed.").format(endpoint)) from None


def _connect(endpoint: Endpoint, deadline: float, wait: Wait) -> socket.socket:
    """Try every address of the host in turn; each may use an equal share of the time that is left."""
    addresses = _look_up(endpoint)
    failure: OSError = TimeoutError()
    for position, (family, kind, protocol, _name, address) in enumerate(addresses):
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
                _("{!r} cannot be looked up at the moment; check the network.").format(endpoint.host)
            ) from None
        raise ConnectError(_("There is no host {!r}.").format(endpoint.host)) from None
    except (OSError, ValueError):  # a label of 64 characters, a NUL, ...
        raise ConnectError(_("{!r} is not the name of a host.").format(endpoint.host)) from None
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


def _handshake(
    raw: socket.socket, host: str, context: ssl.SSLContext, deadline: float, wait: Wait
) -> ssl.SSLSocket:
    """Wrap a connected socket and do its handshake; where that fails, close it."""
    sock = raw
    try:
        raw.getpeername()  # wrapping a socket whose peer is gone would raise and not close it
        sock = secured = context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
        while True:
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                wait(secured, selectors.EVENT_READ, deadline)
            except ssl.SSLWantWriteError:
                wait(secured, selectors.EVENT_WRITE, deadline)
            else:
                return secured
    except BaseException:
        sock.close()
        raise


def _connect_sentence(endpoint: Endpoint, failure: OSError) -> str:
    if isinstance(failure, ConnectionRefusedError):
        return _("Nobody is listening at {}; start the server there with 'securechat serve'.").format(endpoint)
    if isinstance(failure, TimeoutError):
        return _("{} did not answer in time; check the host and the port.").format(endpoint)
    return _("{server} cannot be reached: {reason}.").format(server=endpoint, reason=reason(failure))


def handshake_sentence(endpoint: Endpoint, failure: OSError) -> str:
    """Return what a failed TLS handshake with `endpoint` means, in one sentence."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        return _certificate_sentence(endpoint, failure)
    if isinstance(failure, ssl.SSLEOFError | ConnectionError) or failure.errno == errno.ENOTCONN:
        return _("{} hung up during the TLS handshake; check the port.").format(endpoint)
    code = getattr(failure, "reason", None) or ""
    if code in _NOT_TLS:
        return _("{} does not speak TLS; check the port.").format(endpoint)
    detail = code.replace("_", " ").lower() or reason(failure)
    return _("The TLS handshake with {server} failed: {reason}.").format(server=endpoint, reason=detail)


def _certificate_sentence(endpoint: Endpoint, failure: ssl.SSLCertVerificationError) -> str:
    code = failure.verify_code
    if code in _STRANGER:
        return _(
            "The certificate of {server} is not from the authority that you trust: if it is the right server,"
            " {advice}."
        ).format(server=endpoint, advice=_(_COPY_CA))
    if code in _OTHER_NAME:
        return _(
            "The certificate of {server} is made out to another name: connect with a --host that it names, or"
            " have the operator run 'securechat init-certs --host {host}'."
        ).format(server=endpoint, host=endpoint.host)
    if code == _EXPIRED:
        return _("The certificate of {} has expired: the operator renews it with securechat init-certs.").format(
            endpoint
        )
    if code == _NOT_YET:
        return _(
            "The certificate of {} is not valid yet: check the clock of this machine and the server's."
        ).format(endpoint)
    return _("The certificate of {server} is not valid: {reason}.").format(
        server=endpoint, reason=failure.verify_message
    )
