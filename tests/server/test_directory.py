"""The users file as a thread of the server knows it."""

from dataclasses import replace

import pytest
from helpers.homes import PASSWORDS

from securechat.server import directory
from securechat.server.directory import Directory
from securechat.storage.users import UserFile, UsersError


@pytest.fixture
def users(home):
    return UserFile(home.users)


@pytest.fixture
def checked(monkeypatch):
    """The names that were checked, in order."""
    names = []

    def check(name, check_nick=directory.check_nick):
        names.append(name)
        return check_nick(name)

    monkeypatch.setattr(directory, "check_nick", check)
    return names


def rewrite(users, **names):
    """Give accounts other names, as somebody's hand would; their keys stay, or they are new."""
    with users.edit() as accounts:
        for key, name in names.items():
            accounts[key] = replace(accounts.get(key, accounts["alice"]), key=key, name=name)


def test_only_names_that_are_new_are_checked(users, checked):
    """However many accounts there are, a change costs a check of what it changed."""
    known = Directory(users)
    assert sorted(checked) == sorted(PASSWORDS)
    checked.clear()
    rewrite(users, bob="Bob", dora="dora")
    assert known.refresh()
    assert checked == ["Bob", "dora"]
    assert known.accounts["dora"].name == "dora"


@pytest.mark.parametrize("names", [{"bob": "Rob"}, {"bob": "two words"}, {"dora": "d ora"}])
def test_a_name_that_is_not_its_key_is_found_whenever_it_comes(users, names):
    """In an account that was sound before as in a new one; until it is mended the accounts known so far count."""
    known = Directory(users)
    before = dict(known.accounts)
    rewrite(users, **names)
    assert not known.refresh()
    assert dict(known.accounts) == before
    assert "mend it or restore a copy" in known.check()
    with pytest.raises(UsersError):
        Directory(users)
