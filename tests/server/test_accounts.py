"""Accounts: which can be made, and that a change touches what it should and nothing else."""

from __future__ import annotations

import time

import pytest

from securechat.server import accounts
from securechat.server.accounts import AccountRefused
from securechat.server.passwords import PasswordHasher
from securechat.storage.users import UserFile, UsersError

CHEAP = PasswordHasher(memory_cost=8, time_cost=1)
DEARER = PasswordHasher(memory_cost=16, time_cost=1)
WORD = "correct horse"


@pytest.fixture
def users(tmp_path):
    """A users file with Anna, who is an administrator, and Иван."""
    users = UserFile(tmp_path / "users.json")
    accounts.add_account(users, "Anna", WORD, admin=True, hasher=CHEAP)
    accounts.add_account(users, "Иван", WORD, hasher=CHEAP)
    return users


def test_add(users):
    """An account keeps the name as written, under its key, with a time in milliseconds."""
    before = time.time() * 1000 - 1
    made = accounts.add_account(users, "Пётр", WORD, hasher=CHEAP)
    assert (made.name, made.key, made.admin) == ("Пётр", "пётр", False)
    assert before <= made.created <= time.time() * 1000
    assert CHEAP.verify(made.hash, WORD)
    assert users.load()["пётр"] == made
    assert users.load()["anna"].admin


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("anna", "There is an account Anna already."),
        ("ИВАН", "There is an account Иван already."),
        ("Аnna", "mixes letters of Cyrillic and Latin"),
        ("an na", "letters, digits"),
        ("", "at least one character"),
        ("an\udcffna", "not valid UTF-8"),
        ("NickServ", "reads as nickserv, which is reserved"),
        ("SERVER", "is reserved"),
        ("Система", "is reserved"),
        ("systern", "reads as system"),
    ],
)
def test_name_refused(users, name, why):
    """A name that is taken, malformed, mixed or reserved is refused, and says why."""
    before = users.stamp()
    with pytest.raises(AccountRefused, match=why) as caught:
        accounts.add_account(users, name, WORD, hasher=CHEAP)
    assert str(caught.value).endswith(".")
    assert WORD not in str(caught.value)
    assert users.stamp() == before


@pytest.mark.parametrize(
    ("first", "second"), [("Iris", "lris"), ("ахо", "axo"), ("modern", "modem"), ("bob", "b0b")]
)
def test_look_alike_refused(users, first, second):
    """Names of one script each that look the same: only the first is made."""
    accounts.add_account(users, first, WORD, hasher=CHEAP)
    with pytest.raises(AccountRefused, match=f"{second} looks like the existing account {first}"):
        accounts.add_account(users, second, WORD, hasher=CHEAP)


@pytest.mark.parametrize("name", ["admin", "root", "operator"])
def test_people_may_be_called(users, name):
    """Ranks come from the file, so these are names like others."""
    accounts.add_account(users, name, WORD, hasher=CHEAP)


def test_password_refused(users):
    """The rules for passwords hold here too, for new accounts and for new passwords."""
    before = users.stamp()
    with pytest.raises(AccountRefused, match="at least 8 characters"):
        accounts.add_account(users, "Olga", "short", hasher=CHEAP)
    with pytest.raises(AccountRefused, match="at least 8 characters"):
        accounts.change_password(users, "Anna", "short", hasher=CHEAP)
    assert users.stamp() == before


def test_name_taken_meanwhile(users, monkeypatch):
    """The name is checked again under the lock: somebody may have been quicker."""
    real = CHEAP.hash_password

    class Slow:
        def hash_password(self, text):
            accounts.add_account(UserFile(users.path), "olga", WORD, hasher=CHEAP)
            return real(text)

    with pytest.raises(AccountRefused, match="There is an account olga already"):
        accounts.add_account(users, "Olga", WORD, hasher=Slow())
    assert users.load()["olga"].name == "olga"


def test_change_password(users):
    """Another password, the same account otherwise; the name in any letter case."""
    old = users.load()["anna"]
    new = accounts.change_password(users, "ANNA", "another horse", hasher=CHEAP)
    assert users.load()["anna"] == new
    assert CHEAP.verify(new.hash, "another horse")
    assert not CHEAP.verify(new.hash, WORD)
    assert (new.name, new.key, new.created, new.roles) == (old.name, old.key, old.created, old.roles)


def test_delete(users):
    """A deleted account is gone, the others stay, and the name is free again."""
    assert accounts.delete_account(users, "ИВАН").name == "Иван"
    assert list(users.load()) == ["anna"]
    accounts.add_account(users, "иван", WORD, hasher=CHEAP)


@pytest.mark.parametrize(
    "change",
    [
        accounts.delete_account,
        lambda users, name: accounts.change_password(users, name, WORD, hasher=CHEAP),
        accounts.find,
    ],
)
@pytest.mark.parametrize("name", ["nobody", "", "\x1b[31m", "\udcff"])
def test_unknown_name(users, change, name):
    """An account that does not exist is named, and no escape sequence gets through."""
    with pytest.raises(AccountRefused, match="There is no account") as caught:
        change(users, name)
    assert str(caught.value).isprintable()


def test_rehash(users):
    """A password that was just verified is stored with today's parameters."""
    old = users.load()["anna"]
    assert DEARER.outdated(old.hash)
    assert accounts.rehash(users, "anna", old.hash, WORD, hasher=DEARER)
    new = users.load()["anna"]
    assert not DEARER.outdated(new.hash)
    assert DEARER.verify(new.hash, WORD)
    assert new.roles == old.roles


def test_rehash_too_late(users):
    """A password that was changed meanwhile stays changed, and a deleted account stays deleted."""
    old = users.load()["anna"]
    changed = accounts.change_password(users, "Anna", "another horse", hasher=CHEAP)
    assert not accounts.rehash(users, "anna", old.hash, WORD, hasher=DEARER)
    assert users.load()["anna"] == changed
    accounts.delete_account(users, "Anna")
    assert not accounts.rehash(users, "anna", changed.hash, "another horse", hasher=DEARER)
    assert list(users.load()) == ["иван"]


def test_rehash_under_new_rules(users):
    """A password that could not be chosen today goes on working as it is."""
    assert not accounts.rehash(users, "anna", users.load()["anna"].hash, "short", hasher=DEARER)


def test_broken_file(users):
    """Trouble with the file is its own kind of error."""
    users.path.write_text("{")
    with pytest.raises(UsersError):
        accounts.add_account(users, "Olga", WORD, hasher=CHEAP)
