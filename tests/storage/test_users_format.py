"""Devices and invites in the users file, and files from before there were any."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from securechat.records import Account, Device, Invite
from securechat.storage.users import UserFile, UsersError

PRINT = "ab" * 32
LAPTOP = Device("laptop", PRINT, 1_700_000_000_000, 1_710_000_000_000)
ANNA = Account("Anna", "anna", "hash", 1, devices=(LAPTOP,))
INVITE = Invite("Иван", "иван", "cd" * 32, 5, 6, admin=True)


@pytest.fixture
def users(tmp_path):
    return UserFile(tmp_path / "users.json")


def test_devices_and_invites_are_read_as_they_were_written(users):
    with users.edit_book() as book:
        book.accounts["anna"], book.invites["иван"] = ANNA, INVITE
    again = UserFile(users.path)
    assert again.load() == {"anna": ANNA}
    assert again.invites() == {"иван": INVITE}
    assert json.loads(users.path.read_text())["version"] == 2
    assert INVITE.hash not in repr(INVITE)


def test_a_change_of_accounts_keeps_the_invites(users):
    with users.edit_book() as book:
        book.invites["иван"] = INVITE
    with users.edit() as accounts:
        accounts["anna"] = ANNA
    assert users.invites() == {"иван": INVITE}


def test_without_either_the_file_stays_one_for_older_programs(users):
    with users.edit() as accounts:
        accounts["anna"] = ANNA
    with users.edit() as accounts:
        accounts["anna"] = replace(ANNA, devices=())
    document = json.loads(users.path.read_text())
    assert document == {
        "version": 1,
        "users": [{"name": "Anna", "key": "anna", "hash": "hash", "created": 1, "roles": []}],
    }
    assert users.load()["anna"].devices == ()


def _file(devices=(), **more):
    user = {"name": "a", "key": "a", "hash": "h", "created": 1, "roles": [], "devices": list(devices)}
    return json.dumps({"version": 2, "users": [user], **more})


GOOD = {"name": "x", "fingerprint": PRINT, "created": 1, "not_after": 2}
OPEN = {"name": "b", "key": "b", "hash": PRINT, "created": 1, "expires": 2, "admin": False}
BROKEN = {
    "a device that is none": _file(["x"]),
    "a device without a name": _file([{**GOOD, "name": ""}]),
    "a device with a short fingerprint": _file([{**GOOD, "fingerprint": "ab"}]),
    "a device with an unknown field": _file([{**GOOD, "key": "x"}]),
    "a device with an impossible end": _file([{**GOOD, "not_after": -1}]),
    "invites of the wrong type": _file(invites={}),
    "an invite that is none": _file(invites=[1]),
    "an invite with no hash": _file(invites=[{**OPEN, "hash": "x"}]),
    "an invite whose admin is a number": _file(invites=[{**OPEN, "admin": 1}]),
    "invites in a file of version 1": _file(invites=[OPEN]).replace('"version": 2', '"version": 1'),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_right_is_refused(users, content):
    users.path.write_text(content)
    with pytest.raises(UsersError, match="restore a copy or mend it by hand"):
        users.load()
