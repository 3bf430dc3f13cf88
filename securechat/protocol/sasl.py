"""SASL PLAIN and EXTERNAL over AUTHENTICATE (IRCv3 sasl-3.1, RFC 4616, RFC 4422 appendix A)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final

CHUNK: Final = 400
"""Characters in a full AUTHENTICATE line; a shorter one ends the response (sasl-3.1)."""
MECHANISMS: Final = ("PLAIN", "EXTERNAL")
MAX_RESPONSE: Final = 4 * CHUNK
"""Longest base64 response taken: a name, a password of 1 KiB and the separators fit."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A claimed identity. Never logged; its repr hides the password (law 7)."""

    name: str
    """The account's name; after an "@" that of the device, which tells one's devices apart."""
    password: str = field(repr=False)

    @property
    def account(self) -> str:
        """The name of the account; names themselves have no "@"."""
        return self.name.partition("@")[0]

    @property
    def device(self) -> str:
        """The name of the device, or empty."""
        return self.name.partition("@")[2]


class SaslError(ValueError):
    """A response that is none. `too_long` tells numeric 905 from 904."""

    def __init__(self, *, too_long: bool = False) -> None:
        super().__init__("SASL response too long" if too_long else "SASL response malformed")
        self.too_long = too_long


class Exchange:
    """Collects the pieces of one base64 text, of at most so many characters. Owned by its session."""

    __slots__ = ("_collected", "_most", "mechanism")

    def __init__(self, mechanism: str, most: int = MAX_RESPONSE) -> None:
        self.mechanism = mechanism
        self._collected = ""
        self._most = most

    def feed(self, chunk: str) -> str | None:
        """Take one piece ("+" is an empty one); give the whole text once it is complete, else None.

        Raises SaslError; the exchange is over then.
        """
        if chunk != "+":
            self._collected += chunk
        if len(chunk) > CHUNK or len(self._collected) > self._most:
            raise SaslError(too_long=True)
        return None if len(chunk) == CHUNK else self._collected


def pieces(text: str) -> list[str]:
    """Return a base64 text in pieces as `Exchange` takes them: the last is shorter than the others, or "+"."""
    chunks = [text[i : i + CHUNK] for i in range(0, len(text), CHUNK)]
    return chunks if chunks and len(chunks[-1]) < CHUNK else [*chunks, "+"]


def decode_plain(response: str) -> Credentials:
    """Return the credentials in a base64 response (RFC 4616: authzid NUL authcid NUL password).

    An authorization identity may be absent or equal to the name: nobody acts as somebody else.
    """
    try:
        raw = base64.b64decode(response, validate=True)
        acting_as, name, password = raw.decode().split("\0")
    except (binascii.Error, ValueError):
        raise SaslError from None
    if not name or not password or acting_as not in ("", name):
        raise SaslError
    return Credentials(name, password)


def encode_plain(credentials: Credentials) -> list[str]:
    """Return the AUTHENTICATE parameters that say these credentials (sasl-3.1)."""
    raw = f"\0{credentials.name}\0{credentials.password}".encode()
    return pieces(base64.b64encode(raw).decode())


def decode_external(response: str) -> str:
    """Return the authorization identity in a base64 response: a name, or empty (RFC 4422, appendix A)."""
    try:
        return base64.b64decode(response, validate=True).decode()
    except (binascii.Error, ValueError):
        raise SaslError from None
