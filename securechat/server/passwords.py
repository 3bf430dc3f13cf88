"""Passwords: which may be chosen, and how they are kept and checked (RFC 8265 OpaqueString, RFC 9106 argon2id).

A check takes as long for a name that does not exist, and for input that can be no password, as for a wrong one.
The one difference left is an account whose hash was made with other parameters, until its next login.
"""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, field
from typing import Final

import argon2
from argon2.exceptions import VerifyMismatchError
from precis_i18n import get_profile

MIN_CHARS: Final = 8
MAX_BYTES: Final = 1024
"""Longest password in UTF-8, after preparation."""
MAX_INPUT_CHARS: Final = 4 * MAX_BYTES
"""Longest input that is looked at: composing characters makes it shorter, but not without end."""
_SALT_BYTES: Final = 16
_TAG_BYTES: Final = 32
_OPAQUE: Final = get_profile("OpaqueString")
_PHC: Final = re.compile(
    r"\$argon2id?\$v=[0-9]{1,3}\$m=[0-9]{1,9},t=[0-9]{1,9},p=[0-9]{1,3}(\$[A-Za-z0-9+/]{11,}){2}"
)


class PasswordRefused(ValueError):  # noqa: N818  # it is an answer to somebody, not a failure of ours
    """A password that may not be chosen. The text is one sentence for the person who chose it, without it."""


def check_new(text: str) -> str:
    """Return a new password as it is hashed; raise PasswordRefused where it is too short, too long or unusable.

    Length is the only rule (NIST SP 800-63B, 3.1.1.2): rules of composition make passwords worse.
    """
    if len(text) > MAX_INPUT_CHARS:
        raise _too_long()
    prepared = _prepare(text)
    if len(text if prepared is None else prepared) < MIN_CHARS:
        raise PasswordRefused(f"A password has at least {MIN_CHARS} characters.")
    if prepared is None:
        raise PasswordRefused("The password has a character that cannot be typed everywhere; use another.")
    if len(prepared.encode()) > MAX_BYTES:
        raise _too_long()
    return prepared


@dataclass(frozen=True, slots=True)
class PasswordHasher:
    """argon2id with its parameters (`memory_cost` in KiB). Holds nothing that changes: any thread may use it.

    The defaults are OWASP's: 19 MiB and two passes take 10-20 ms and resist as well as more memory in one pass.
    """

    memory_cost: int = 19_456
    time_cost: int = 2
    parallelism: int = 1
    _argon: argon2.PasswordHasher = field(init=False, repr=False, compare=False)
    _nobody: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        argon = argon2.PasswordHasher(
            self.time_cost, self.memory_cost, self.parallelism, hash_len=_TAG_BYTES, salt_len=_SALT_BYTES
        )
        object.__setattr__(self, "_argon", argon)
        object.__setattr__(self, "_nobody", self._hash_of_nothing())

    def hash_password(self, text: str) -> str:
        """Return the PHC string of a new password. Raises PasswordRefused."""
        return self._argon.hash(check_new(text))

    def verify(self, stored: str | None, text: str) -> bool:
        """Whether `text` is the password whose PHC string is `stored`; None stands for a name that does not exist.

        Each call computes one hash, whatever it is given. Raises argon2's VerificationError where that itself
        fails (no memory): then nothing is known.
        """
        prepared = _prepare(text) if len(text) <= MAX_INPUT_CHARS else None
        if prepared is None or len(prepared.encode()) > MAX_BYTES:
            stored, prepared = None, ""
        if stored is None or not _PHC.fullmatch(stored):  # the latter by somebody's hand in the users file
            stored = self._nobody
        try:
            return self._argon.verify(stored, prepared)
        except VerifyMismatchError:
            return False

    def outdated(self, stored: str) -> bool:
        """Whether a PHC string was made with other parameters than these."""
        return not _PHC.fullmatch(stored) or self._argon.check_needs_rehash(stored)

    def _hash_of_nothing(self) -> str:
        """Return a PHC string with these parameters that no password has. Costs nothing to make."""
        parameters = f"m={self.memory_cost},t={self.time_cost},p={self.parallelism}"
        salt, tag = _base64(os.urandom(_SALT_BYTES)), _base64(os.urandom(_TAG_BYTES))
        return f"$argon2id$v={argon2.low_level.ARGON2_VERSION}${parameters}${salt}${tag}"


def _prepare(text: str) -> str | None:
    # RFC 8265, 4.2: the same word typed composed or decomposed, or with another kind of space, is the same.
    try:
        return str(_OPAQUE.enforce(text))
    except UnicodeError:  # it quotes the password, so it goes no further than here
        return None


def _too_long() -> PasswordRefused:
    return PasswordRefused(f"A password has at most {MAX_BYTES} bytes in UTF-8.")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


DEFAULT: Final = PasswordHasher()
"""What the server uses. Tests pass a cheaper one."""
