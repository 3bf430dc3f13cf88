"""One question on a connection of its own, before there is any login: which authority, and what the server can."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import select
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final

from securechat.client.dial import dial
from securechat.client.errors import ConnectError, JoinError
from securechat.client.joining import CAPABILITY, too_old
from securechat.client.settings import ClientLimits, Endpoint
from securechat.client.words import _
from securechat.net.tls import stranger_context
from securechat.protocol.errors import ProtocolError
from securechat.protocol.framing import MAX_BODY, MAX_SERVER_TAGS, LineBuffer
from securechat.protocol.message import Message, build, parse
from securechat.protocol.sasl import CHUNK, Exchange, SaslError

MAX_BYTES: Final = 64 * 1024
"""What is read of an answer at most."""
MAX_AUTHORITY: Final = 40 * CHUNK
"""Longest certificate of an authority that is taken, in base64."""


def authority(endpoint: Endpoint, digest: bytes, limits: ClientLimits) -> bytes:
    """Return the certificate (DER) of the authority of a server, which must have this SHA-256.

    The connection is not verified, so nothing is said on it but the question. Raises JoinError where it is another
    authority, and ConnectError.
    """
    exchange = Exchange("CA", MAX_AUTHORITY)
    found = ""

    def read(message: Message) -> bool:
        nonlocal found
        if message.command in ("451", "421"):
            raise too_old()
        if message.command == "FAIL":
            raise strange(endpoint)
        if message.command != "CA" or not message.params:
            return False
        text = exchange.feed(message.params[-1])
        found = text or ""
        return text is not None

    try:
        _ask(endpoint, stranger_context(), [build("CA")], read, limits)
        der = base64.b64decode(found, validate=True)
    except (SaslError, binascii.Error, ValueError):
        der = b""
    if not hmac.compare_digest(hashlib.sha256(der).digest(), digest):
        raise strange(endpoint)
    return der


def check_invites(endpoint: Endpoint, context: ssl.SSLContext, limits: ClientLimits) -> None:
    """Raise JoinError where a server, which `context` verifies, knows no invites; and ConnectError."""
    offered: set[str] = set()

    def read(message: Message) -> bool:
        if message.command != "CAP" or len(message.params) < 3 or message.params[1].upper() != "LS":
            return message.command == "421"
        offered.update(word.partition("=")[0] for word in message.params[-1].split())
        return message.params[2] != "*"

    _ask(endpoint, context, [build("CAP", "LS", "302")], read, limits)
    if CAPABILITY not in offered:
        raise too_old()


def strange(endpoint: Endpoint) -> JoinError:
    """Return what it means that a server is not the one of an invite."""
    text = _("{} is not the server of this invite: somebody may be in between, so ask whoever invited you.")
    return JoinError(text.format(endpoint))


def _ask(
    endpoint: Endpoint,
    context: ssl.SSLContext,
    lines: list[bytes],
    read: Callable[[Message], bool],
    limits: ClientLimits,
) -> None:
    """Send lines, and read until `read` says that it has all. Raises ConnectError where it never does."""
    deadline = time.monotonic() + limits.connect_seconds
    sock = dial(endpoint, context, deadline, _wait)
    buffer, size = LineBuffer(MAX_SERVER_TAGS + MAX_BODY), 0
    try:
        with sock:
            sock.settimeout(limits.connect_seconds)
            sock.sendall(b"".join(lines))
            while size < MAX_BYTES:
                sock.settimeout(max(0.001, deadline - time.monotonic()))
                data = sock.recv(MAX_BYTES)
                if not data:
                    break
                size += len(data)
                if any(read(message) for message in _messages(buffer, data)):
                    return
    except OSError:
        pass
    raise ConnectError(_("{} did not say what it was asked; check the host and the port.").format(endpoint))


def _messages(buffer: LineBuffer, data: bytes) -> list[Message]:
    found = []
    for line in buffer.feed(data):
        if isinstance(line, bytes):
            try:
                found.append(parse(line, MAX_SERVER_TAGS))
            except ProtocolError:
                continue
    return found


def _wait(raw: socket.socket, mask: int, deadline: float) -> None:
    """Wait for a socket that is being connected (see dial.Wait)."""
    waits = ([raw], []) if mask == selectors.EVENT_READ else ([], [raw])
    if not any(select.select(*waits, [], max(0.0, deadline - time.monotonic()))):
        raise TimeoutError
