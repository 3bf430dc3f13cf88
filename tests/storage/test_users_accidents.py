"""The users file under a full disk, kill -9 and several writers: the old file or the new one, never another."""

from __future__ import annotations

import errno
import os
import random
import resource
import signal
import time

import pytest

from securechat.records import Account
from securechat.storage.users import UserFile, UsersError

HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$cGFzc3dvcmQgaGFzaA"
ANNA = Account("Anna", "anna", HASH, 1_700_000_000_000, frozenset({"admin"}))
IVAN = Account("Иван", "иван", HASH, 1_700_000_000_001)


@pytest.fixture
def users(tmp_path):
    """A users file that is not there yet."""
    return UserFile(tmp_path / "users.json", lock_seconds=5)


def _fill(users, *accounts):
    with users.edit() as stored:
        stored.update({account.key: account for account in accounts})


def _left_over(users):
    return sorted(path.name for path in users.path.parent.iterdir()) != ["users.json", "users.json.lock"]


# Full disks


def test_file_size_limit(users):
    """No room for the new file: a sentence, the old file, and nothing half-written."""
    _fill(users, ANNA)
    before = users.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        with pytest.raises(UsersError, match=r"Cannot write .*users\.json \(File too large\)"):
            _fill(users, IVAN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert users.path.read_bytes() == before
    assert not _left_over(users)
    _fill(users, IVAN)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_full_disk(users, monkeypatch, step):
    """The same where the disk is full only when the data must go down."""
    _fill(users, ANNA)
    before = users.path.read_bytes()

    def full(*arguments, **rest):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, step, full)
        with pytest.raises(UsersError, match=r"\(No space left on device\); free some space and try again\."):
            _fill(users, IVAN)
    assert users.path.read_bytes() == before
    assert not _left_over(users)


# Other processes


def _in_child(work):
    """Run `work` in a child process of its own; return its id."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def _wait(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_two_processes_lose_nothing(users):
    """Accounts added by several processes at the same time are all there."""

    def add(writer):
        for number in range(25):
            key = f"{writer}-{number}"
            _fill(users, Account(key, key, HASH, number))

    children = [_in_child(lambda writer=writer: add(writer)) for writer in range(3)]
    assert [_wait(child) for child in children] == [0] * 3
    assert len(users.load()) == 75


def test_killed_while_writing(users):
    """kill -9 at any moment leaves the old file or the new one, and no lock.

    Each generation of the file has one time in all its accounts, so that a mixture would be seen.
    """
    accounts = [f"user{number}" for number in range(200)]
    chance, left = random.Random(2), 0

    def write(progress):
        for generation in range(1_000_000):
            _fill(users, *(Account(name, name, HASH, generation) for name in accounts))
            os.write(progress, b".")

    _fill(users, *(Account(name, name, HASH, 0) for name in accounts))
    for attempt in range(400):
        if attempt >= 40 and left:
            break
        told, progress = os.pipe()
        child = _in_child(lambda progress=progress: write(progress))
        os.read(told, 1)
        begun = time.monotonic()
        os.read(told, 1)  # it has written twice, and goes on
        # Not a wait for anything: the moment in the next write is what is tried out.
        time.sleep(chance.uniform(0, time.monotonic() - begun))
        os.kill(child, signal.SIGKILL)
        assert _wait(child) == -signal.SIGKILL
        os.close(told)
        os.close(progress)
        left += users.path.with_name("users.json.new").exists()
        loaded = users.load()
        assert loaded.keys() == set(accounts)
        assert len({account.created for account in loaded.values()}) == 1
        with users.edit() as stored:
            assert stored == loaded
    assert left > 0, "no kill hit a write, so nothing was tried"
    _fill(users, ANNA)
    assert not _left_over(users)


def test_lock_wait_has_an_end(users):
    """Who cannot get at the file is told so."""
    impatient = UserFile(users.path, lock_seconds=0.05)
    with users.edit():
        child = _in_child(lambda: _expect_locked(impatient))
        assert _wait(child) == 0
    with impatient.edit():
        pass


def _expect_locked(users):
    with pytest.raises(UsersError, match=r"is being changed by another process for more than 0\.05 s"):
        users.edit().__enter__()
