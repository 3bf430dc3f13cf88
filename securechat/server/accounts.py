"""What happens to accounts: made, given another password, deleted. The rules for names and passwords meet here."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from securechat.protocol.names import NameRefused, check_nick, fold, looks_like
from securechat.records import Account
from securechat.server.passwords import DEFAULT, PasswordHasher, PasswordRefused
from securechat.storage.users import UserFile

ADMIN: Final = "admin"

# Clients and habits send services their passwords: "/msg NickServ IDENTIFY secret".
_SERVICES: Final = ("nickserv", "chanserv", "memoserv", "operserv", "botserv", "saslserv", "bouncerserv")
# What speaks for the machine in the eyes of a reader.
_MACHINE: Final = ("server", "system", "securechat", "сервер", "система")

RESERVED: Final = frozenset(_SERVICES + _MACHINE)
"""Names that nobody gets. "admin" and "root" are not among them: they are people, and rank comes from the file."""


class AccountRefused(Exception):  # noqa: N818  # it is an answer to somebody, not a failure of ours
    """Something that cannot be done to an account. The text is one sentence that says why."""


def check_name(name: str, existing: Iterable[Account]) -> str:
    """Return the casefolded form of a name that may be given to a new account.

    Raises AccountRefused where it is malformed, reserved, taken, or can be mistaken for one that is.
    """
    try:
        key = check_nick(name)
    except NameRefused as error:
        raise AccountRefused(str(error)) from None
    for reserved in RESERVED:
        if key == reserved or looks_like(name, reserved):
            raise AccountRefused(f"{name} reads as {reserved}, which is reserved; choose another name.")
    for account in existing:
        if account.key == key:
            raise AccountRefused(f"There is an account {account.name} already.")
        if looks_like(name, account.name):
            raise AccountRefused(f"{name} looks like the existing account {account.name}; choose another name.")
    return key


def add_account(
    users: UserFile, name: str, password: str, admin: bool = False, *, hasher: PasswordHasher = DEFAULT
) -> Account:
    """Make an account and return it. Raises AccountRefused (name or password) and UsersError."""
    check_name(name, users.load().values())
    hashed = _hash(hasher, password)  # not under the lock: it takes its time
    with users.edit_book() as book:
        key = check_name(name, book.accounts.values())
        roles = frozenset({ADMIN} if admin else ())
        account = book.accounts[key] = Account(name, key, hashed, _now(), roles)
        book.invites.pop(key, None)  # it was for this account, and must not make another one day
    return account


def change_password(users: UserFile, name: str, password: str, *, hasher: PasswordHasher = DEFAULT) -> Account:
    """Give an account another password and return it. Raises AccountRefused and UsersError."""
    find(users, name)
    hashed = _hash(hasher, password)
    return _change(users, name, hash=hashed)


def delete_account(users: UserFile, name: str) -> Account:
    """Remove an account and return what it was. Raises AccountRefused and UsersError."""
    with users.edit_book() as book:
        gone = book.accounts.pop(_existing(book.accounts.get(fold(name)), name).key)
        book.invites.pop(gone.key, None)
    return gone


def kick(users: UserFile, name: str) -> Account:
    """End the connections that an account has now; it may log in again. Raises AccountRefused and UsersError.

    A running server reads the file and ends whatever logged in before the moment that is noted here.
    """
    return _change(users, name, kicked=_now())


def disable(users: UserFile, name: str, *, disabled: bool = True) -> Account:
    """Keep an account out, its open connections included, or let it in again. Raises as `kick` does."""
    return _change(users, name, disabled=disabled)


def _change(users: UserFile, name: str, **fields: Any) -> Account:
    with users.edit() as accounts:
        account = _existing(accounts.get(fold(name)), name)
        accounts[account.key] = account = replace(account, **fields)
    return account


def rehash(users: UserFile, key: str, old_hash: str, password: str, *, hasher: PasswordHasher = DEFAULT) -> bool:
    """Store a password that was just verified with today's parameters; tell whether it was done.

    Not done where the stored hash is no longer `old_hash`: somebody changed the password meanwhile, and theirs
    counts. Raises UsersError.
    """
    try:
        hashed = hasher.hash_password(password)
    except PasswordRefused:
        return False  # made under other rules; it goes on working
    with users.edit() as accounts:
        account = accounts.get(key)
        if account is None or account.hash != old_hash:
            return False
        accounts[key] = replace(account, hash=hashed)
    return True


def find(users: UserFile, name: str) -> Account:
    """Return the account of that name, in any letter case. Raises AccountRefused and UsersError."""
    return _existing(users.load().get(fold(name)), name)


def _existing(account: Account | None, name: str) -> Account:
    if account is None:
        raise AccountRefused(f"There is no account {name!r}; 'securechat users' lists them.")
    return account


def _hash(hasher: PasswordHasher, password: str) -> str:
    try:
        return hasher.hash_password(password)
    except PasswordRefused as error:
        raise AccountRefused(str(error)) from None


def _now() -> int:
    return time.time_ns() // 1_000_000
