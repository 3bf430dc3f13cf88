"""An invite as it is passed on: one line with where, who, by what the server is known, and the token. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from securechat.client.errors import JoinError, LoginError
from securechat.client.handshake import claim
from securechat.client.settings import Endpoint
from securechat.client.words import N_, _
from securechat.config import DEFAULT_PORT

SCHEME: Final = "securechat"
SYSTEM: Final = "system"
MAX_LENGTH: Final = 2000
_DIGEST_BYTES: Final = 32
_HOST: Final = re.compile(r"[\w.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,200}")
_DAMAGED: Final = N_(
    "This is no whole invite: it looks like securechat://HOST:PORT/NAME?ca=...&token=..., in one piece;"
    " copy it again as you got it, or ask for another."
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Leave to make the account `name`.

    `authority` is the SHA-256 of the certificate of the server's CA; empty where those of the system count.
    """

    endpoint: Endpoint
    name: str
    authority: bytes
    token: str = field(repr=False)


def read(text: str) -> Invitation:
    """Return what an invite says; raise JoinError where it is none, or damaged.

    Blanks are left out: programs for mail break lines, and no link has any.
    """
    try:
        return _read("".join(text[: 2 * MAX_LENGTH].split()))
    except (ValueError, binascii.Error, LoginError):
        pass  # outside the handler: what was caught may carry the token (law 7)
    raise JoinError(_(_DAMAGED))


def _read(link: str) -> Invitation:
    if len(link) > MAX_LENGTH:
        raise ValueError
    parts = urlsplit(link)
    fields = parse_qsl(parts.query, strict_parsing=True, max_num_fields=2)
    name = unquote(parts.path.removeprefix("/"), errors="strict")
    known = dict(fields)
    host = parts.netloc.removesuffix(f":{parts.port}") if parts.port is not None else parts.netloc
    whole = parts.scheme == SCHEME and _HOST.fullmatch(host) and not parts.fragment
    if not whole or known.keys() != {"ca", "token"} or not _TOKEN.fullmatch(known["token"]):
        raise ValueError
    port = DEFAULT_PORT if parts.port is None else parts.port
    if not 0 < port < 65536 or "@" in claim(name).name:
        raise ValueError
    assert parts.hostname is not None
    return Invitation(Endpoint(parts.hostname, port), name, _digest(known["ca"]), known["token"])


def _digest(text: str) -> bytes:
    if text == SYSTEM:
        return b""
    found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if len(found) != _DIGEST_BYTES:
        raise ValueError
    return found
