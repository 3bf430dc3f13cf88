"""Invites: leave for somebody new to make one account, once, before a moment, by a token that nobody else has."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from securechat.protocol.names import fold
from securechat.records import Account, Invite, Redeem, Unanswered
from securechat.server.accounts import ADMIN, AccountRefused, check_name
from securechat.server.passwords import DEFAULT, PasswordHasher, PasswordRefused
from securechat.storage.users import Stamp, UserFile

TOKEN_BYTES: Final = 16
"""128 random bits: nobody guesses one, so its hash need not be slow."""
SYSTEM: Final = "system"
"""In place of the authority's fingerprint where the server's certificate is of a public one."""
_NOBODY: Final = "0" * 64


def invite(users: UserFile, name: str, *, seconds: int, admin: bool = False) -> tuple[Invite, str]:
    """Make an invite and return it with its token. One that the name had is void.

    Raises AccountRefused where such an account cannot be made, and UsersError.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with users.edit_book() as book:
        key = check_name(name, book.accounts.values())
        now = _now()
        _drop_expired(book.invites, now)
        book.invites[key] = made = Invite(name, key, _hash(token), now, now + seconds * 1000, admin)
    return made, token


def uninvite(users: UserFile, name: str) -> Invite:
    """Take an invite back. Raises AccountRefused and UsersError."""
    with users.edit_book() as book:
        gone = book.invites.pop(fold(name), None)
    if gone is None:
        raise AccountRefused(f"There is no invite for {name!r}; 'securechat invites' lists them.")
    return gone


def pending(users: UserFile) -> list[Invite]:
    """Return the invites that can still be used, the first to end first. Raises UsersError."""
    return sorted((one for one in users.invites().values() if one.expires > _now()), key=lambda one: one.expires)


class Open:
    """The open invites as one thread knows them. Strangers ask, so the file is read only when it changed."""

    def __init__(self, users: UserFile) -> None:
        self._users = users
        self._stamp: Stamp = None
        self._known: Mapping[str, Invite] = {}

    def get(self, key: str) -> Invite | None:
        """Return the invite for the account of a key. Raises UsersError."""
        stamp = self._users.stamp()
        if stamp != self._stamp:
            self._known, self._stamp = self._users.invites(), stamp
        return self._known.get(key)


def redeem(
    users: UserFile, request: Redeem, *, known: Open | None = None, hasher: PasswordHasher = DEFAULT
) -> Account | Unanswered | None:
    """Make the account that an invite is for and return it; None where the token is none for that name.

    Whatever else is wrong is told by an Unanswered, which leaves the invite as it is, and only to whoever has the
    right token. Raises UsersError.
    """
    key, given = fold(request.name), _hash(request.token)
    if _match((known or Open(users)).get(key), given) is None:
        return None
    try:
        hashed = hasher.hash_password(request.password)  # not under the lock: it takes its time
    except PasswordRefused as refused:
        return Unanswered("WEAK_PASSWORD", str(refused).removesuffix("."))
    with users.edit_book() as book:
        found = _match(book.invites.get(key), given)
        if found is None:
            return None  # used on another connection meanwhile, or taken back
        try:
            check_name(found.name, book.accounts.values())
        except AccountRefused as refused:
            return Unanswered("ACCOUNT_EXISTS", str(refused).removesuffix("."))
        _drop_expired(book.invites, _now())
        del book.invites[key]
        roles = frozenset({ADMIN} if found.admin else ())
        book.accounts[key] = account = Account(found.name, key, hashed, _now(), roles)
    return account


def link(host: str, port: int, name: str, authority: str, token: str) -> str:
    """Return an invite as one line. `authority` is the SHA-256 of its certificate in base64url, or SYSTEM."""
    place = f"[{host}]" if ":" in host else host
    return f"securechat://{place}:{port}/{quote(name, safe='')}?ca={authority}&token={token}"


def _match(invite_: Invite | None, given: str) -> Invite | None:
    """Return the invite if the token's hash is its own and it has not expired; as quickly for one that is none."""
    same = hmac.compare_digest(invite_.hash if invite_ else _NOBODY, given)
    return invite_ if same and invite_ is not None and invite_.expires > _now() else None


def _drop_expired(invites: dict[str, Invite], now: int) -> None:
    for key in [key for key, one in invites.items() if one.expires <= now]:
        del invites[key]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _now() -> int:
    return time.time_ns() // 1_000_000
