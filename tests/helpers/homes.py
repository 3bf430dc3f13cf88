"""Home folders for tests: real certificates, real users, a cheap hash."""

from __future__ import annotations

from pathlib import Path

from securechat.certs import issue
from securechat.config import Home
from securechat.records import Account
from securechat.server.passwords import PasswordHasher
from securechat.storage.users import UserFile

PASSWORDS = {name: f"secret of {name}" for name in ("alice", "bob", "carol", "Иван")}

CHEAP = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1)
"""Made for tests: a check costs microseconds. The server itself raises it to the real thing at a login."""


def make_home(folder: Path) -> Home:
    """Return a home with certificates and the users of PASSWORDS."""
    home = Home(folder)
    issue(home.certs, (), 30)
    with UserFile(home.users).edit() as users:
        for name, password in PASSWORDS.items():
            roles = frozenset({"admin"} if name == "alice" else ())
            users[name.lower()] = Account(
                name, name.lower(), CHEAP.hash_password(password), 1_700_000_000_000, roles
            )
    return home
