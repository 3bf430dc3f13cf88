"""The users file: what is read is right or refused, and nobody else can read it."""

from __future__ import annotations

import errno
import json
import os
import stat

import pytest

from securechat.records import Account
from securechat.storage import users as users_module
from securechat.storage.users import UserFile, UsersError

HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$cGFzc3dvcmQgaGFzaA"
ANNA = Account("Anna", "anna", HASH, 1_700_000_000_000, frozenset({"admin"}))
IVAN = Account("Иван", "иван", HASH, 1_700_000_000_001)
ENTRY = {"name": "Anna", "key": "anna", "hash": HASH, "created": 1, "roles": []}


@pytest.fixture
def users(tmp_path):
    """A users file that is not there yet."""
    return UserFile(tmp_path / "users.json", lock_seconds=5)


def _fill(users, *accounts):
    with users.edit() as stored:
        stored.update({account.key: account for account in accounts})


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# Reading and writing


def test_missing_is_empty(users):
    """No file means no accounts."""
    assert users.load() == {}
    assert users.stamp() is None


def test_round_trip(users):
    """What was stored is read again, in its order and by everybody."""
    _fill(users, IVAN, ANNA)
    assert list(UserFile(users.path).load().items()) == [("иван", IVAN), ("anna", ANNA)]


def test_layout(users):
    """The file is JSON that an operator can read."""
    _fill(users, ANNA, IVAN)
    document = json.loads(users.path.read_text())
    assert document["version"] == 1
    assert document["users"][0] == {
        "name": "Anna",
        "key": "anna",
        "hash": HASH,
        "created": 1_700_000_000_000,
        "roles": ["admin"],
    }
    assert "Иван" in users.path.read_text()


def test_unchangeable(users):
    """What `load` gives cannot be changed by accident."""
    _fill(users, ANNA)
    with pytest.raises(TypeError):
        users.load()["anna"] = IVAN


def test_exception_writes_nothing(users):
    """An edit that fails leaves the file as it was."""
    _fill(users, ANNA)
    before = users.stamp()
    with pytest.raises(KeyError), users.edit() as stored:
        del stored["anna"], stored["nobody"]
    assert users.stamp() == before
    assert users.load() == {"anna": ANNA}


def test_no_change_writes_nothing(users):
    """Nobody reads a file again in which nothing changed."""
    _fill(users, ANNA)
    before = users.stamp()
    _fill(users, ANNA)
    assert users.stamp() == before


def test_stamp(users):
    """Every change changes the stamp, also one of the same length in the same moment."""
    before = users.stamp()
    for created in range(20):
        _fill(users, Account("Anna", "anna", HASH, 1_000 + created))
        assert users.stamp() != before
        before = users.stamp()


def test_fresh_inside_edit(users):
    """An edit starts from what others wrote meanwhile."""
    other = UserFile(users.path)
    _fill(users, ANNA)
    _fill(other, IVAN)
    with users.edit() as stored:
        assert stored == {"anna": ANNA, "иван": IVAN}


# Secrets


@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_mode_from_the_first_moment(users, monkeypatch, umask):
    """Nobody else can open the file at any time, and its owner always can."""
    seen = {}
    real = os.open

    def watched(path, flags, mode=0o777, **rest):
        descriptor = real(path, flags, mode, **rest)
        if flags & os.O_CREAT:
            seen[os.fspath(path)] = stat.S_IMODE(os.fstat(descriptor).st_mode)
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    old = os.umask(umask)
    try:
        _fill(users, ANNA)
    finally:
        os.umask(old)
    assert len(seen) == 2
    assert all(mode & 0o077 == 0 for mode in seen.values()), seen
    assert _mode(users.path) == 0o600


def test_open_mode_is_repaired(users):
    """A file that others can read is read, and closed with the next change."""
    _fill(users, ANNA)
    users.path.chmod(0o644)
    assert users.load() == {"anna": ANNA}
    _fill(users, IVAN)
    assert _mode(users.path) == 0o600


def test_hash_is_never_shown(users):
    """Neither a repr nor an exception quotes a hash (law 7)."""
    assert HASH not in repr(ANNA)
    users.path.write_text(json.dumps({"version": 1, "users": [ENTRY]})[:-4])
    with pytest.raises(UsersError) as caught:
        users.load()
    told = caught.value
    while told is not None:
        assert HASH not in repr(told) + repr(vars(told))
        told = told.__cause__ or told.__context__


def test_made_by_root(users, monkeypatch):
    """A change made with sudo leaves the file to the folder's owner, so that the server goes on reading it."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(users.path.parent, 12345, 23456)
    _fill(users, ANNA)
    for path in users.path.parent.iterdir():
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456), path


# What cannot be right


def _entry(**changes):
    return json.dumps({"version": 1, "users": [ENTRY | changes]})


BROKEN = {
    "empty": b"",
    "cut off": _entry()[:60],
    "not UTF-8": b'{"version": 1, "users": ["\xff"]}',
    "half a surrogate pair": _entry(name="\ud800"),
    "a list": "[]",
    "a number": "1",
    "too deep": "[" * 100_000,
    "too long a number": '{"version": ' + "1" * 5000 + "}",
    "no version": '{"users": []}',
    "version 0": '{"version": 0, "users": []}',
    "version true": '{"version": true, "users": []}',
    "no users": '{"version": 1}',
    "users of the wrong type": '{"version": 1, "users": {}}',
    "unknown field": '{"version": 1, "users": [], "devices": []}',
    "field twice": '{"version": 1, "users": [], "users": []}',
    "user of the wrong type": '{"version": 1, "users": ["anna"]}',
    "user without hash": '{"version": 1, "users": [{"name": "a", "key": "a", "created": 1, "roles": []}]}',
    "user with unknown field": _entry(shoe=[]),
    "empty name": _entry(name=""),
    "name of the wrong type": _entry(name=1),
    "key of the wrong type": _entry(key=None),
    "hash of the wrong type": _entry(hash=["x"]),
    "created true": _entry(created=True),
    "created as text": _entry(created="1"),
    "created before 1970": _entry(created=-1),
    "created after all dates": _entry(created=10**15),
    "roles of the wrong type": _entry(roles="admin"),
    "role of the wrong type": _entry(roles=[1]),
    "account twice": json.dumps({"version": 1, "users": [ENTRY, ENTRY]}),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_broken_file(users, content):
    """A file that cannot be right is named in one sentence with the way out, and stays as it is."""
    data = content if isinstance(content, bytes) else content.encode()
    users.path.write_bytes(data)
    for attempt in (users.load, users.edit().__enter__):
        with pytest.raises(UsersError) as caught:
            attempt()
        sentence = str(caught.value)
        assert sentence.startswith(f"{users.path} ")
        assert "restore a copy or mend it by hand (it was not changed)." in sentence
        assert "\n" not in sentence
        assert "argon2" not in sentence
    assert users.path.read_bytes() == data


def test_newer_version(users):
    """A file of a later securechat is not for this one."""
    users.path.write_text('{"version": 3, "people": {}}')
    with pytest.raises(UsersError, match=r"newer securechat \(version 3\); upgrade"):
        users.load()


def test_too_big(users, monkeypatch):
    """Reading has an end (law 5)."""
    _fill(users, ANNA)
    monkeypatch.setattr(users_module, "MAX_BYTES", 50)
    with pytest.raises(UsersError, match="more than 50 bytes"):
        users.load()


def test_symbolic_link(users, tmp_path):
    """A link would be replaced by a file, and its target forgotten."""
    target = tmp_path / "elsewhere.json"
    target.write_text('{"version": 1, "users": []}')
    users.path.symlink_to(target)
    for attempt in (users.load, users.edit().__enter__):
        with pytest.raises(UsersError, match="is a symbolic link"):
            attempt()
    assert users.path.is_symlink()


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_no_regular_file(users, make):
    """A pipe in its place does not hold anybody up."""
    make(users.path)
    with pytest.raises(UsersError, match=r"users\.json"):
        users.load()


def test_unreadable(users, monkeypatch):
    """Somebody else's file is named, and whose business it is."""

    def denied(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(users_module, "_read_bytes", denied)
    with pytest.raises(UsersError, match=r"Cannot read .*users\.json \(Permission denied\); run this as the user"):
        users.load()


def test_no_folder(tmp_path):
    """A mistyped home is not made."""
    users = UserFile(tmp_path / "typo" / "users.json")
    with pytest.raises(UsersError, match="typo is not a folder"):
        _fill(users, ANNA)
    assert not users.path.parent.exists()
