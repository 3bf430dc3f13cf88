"""The users file: who may log in. Read by the server, changed by commands that may run beside it.

What stands in it is told by `users_format`. Each change replaces the whole file, so that a reader finds the old
one or the new one and never half of either.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from filelock import FileLock, Timeout

from securechat.records import Account, Invite
from securechat.storage.users_format import Book, Malformed, decode, encode

MAX_BYTES: Final = 64 * 1024 * 1024
"""Largest file that is read: some 250 000 accounts."""
LOCK_SECONDS: Final = 10.0
"""How long a change waits for another process to finish its own."""
_WAYS_OUT: Final = {
    errno.EACCES: "run this as the user who owns it",
    errno.EPERM: "run this as the user who owns it",
    errno.ENOSPC: "free some space and try again",
    errno.EDQUOT: "free some space and try again",
    errno.EFBIG: "raise the limit on the size of files and try again",
}

Stamp: TypeAlias = tuple[int, int, int] | None
"""What changes when the file does: modification time in ns, inode, size; None where there is no file."""


class UsersError(Exception):
    """A users file that cannot be used. The text is one sentence that names the file and the way out.

    It never quotes the file: what stands there may be a password's hash (law 7).
    """


class UserFile:
    """One users file. A missing one is empty; `lock_seconds` bounds the wait for another process.

    Holds no state but its path, so any thread may use it; changes take a lock that also works between processes.
    """

    def __init__(self, path: Path, *, lock_seconds: float = LOCK_SECONDS) -> None:
        self.path = path
        self._lock_seconds = lock_seconds
        self._lock_path = path.with_name(f"{path.name}.lock")
        self._new_path = path.with_name(f"{path.name}.new")

    def load(self) -> Mapping[str, Account]:
        """Return all accounts by key, in the order of the file, unchangeable. Raises UsersError."""
        return MappingProxyType(self._read().accounts)

    def invites(self) -> Mapping[str, Invite]:
        """Return the open invites by key of the account to be. Raises UsersError."""
        return MappingProxyType(self._read().invites)

    @contextmanager
    def edit(self) -> Iterator[dict[str, Account]]:
        """Yield the accounts, fresh from disk and locked, to be changed in place; replace the file at the end.

        Leaving by an exception, or with nothing changed, writes nothing. Raises UsersError.
        """
        with self.edit_book() as book:
            yield book.accounts

    @contextmanager
    def edit_book(self) -> Iterator[Book]:
        """The same for accounts and invites together: an invite becomes an account in one step."""
        with self._locked():
            book = self._read()
            before = book.copy()
            yield book
            if book != before:
                self._replace(encode(book))

    def stamp(self) -> Stamp:
        """Return what changes whenever the file does; costs one system call and never raises."""
        try:
            status = os.lstat(self.path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def _read(self) -> Book:
        try:
            return decode(_read_bytes(self.path))
        except FileNotFoundError:
            return Book()
        except OSError as error:
            raise self._failed("read", self.path, error) from error
        except Malformed as error:
            raise UsersError(f"{self.path} {error}") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self.path.parent.is_dir():
            # A mistyped --home must not become a new, empty one.
            raise UsersError(
                f"{self.path.parent} is not a folder; make it with mkdir, or name another with --home."
            )
        # Closed to others: whoever can open the lock file could hold it and keep everybody out.
        lock = FileLock(self._lock_path, timeout=self._lock_seconds, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise UsersError(
                f"{self.path} is being changed by another process for more than "
                f"{self._lock_seconds:g} s; try again when that is done."
            ) from None
        except OSError as error:
            raise self._failed("lock", self._lock_path, error) from error
        try:
            self._give_to_owner(self._lock_path)
            yield
        finally:
            lock.release()

    def _replace(self, data: bytes) -> None:
        # One name for the new file is enough, for only the holder of the lock writes it; and one that a killed
        # process left behind is cleared away here instead of staying for ever.
        try:
            self._new_path.unlink(missing_ok=True)
            _write_bytes(self._new_path, data)
            self._give_to_owner(self._new_path)
            self._new_path.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            with suppress(OSError):
                self._new_path.unlink(missing_ok=True)
            raise self._failed("write", self.path, error) from error

    def _give_to_owner(self, path: Path) -> None:
        """Let a change made as root belong to the owner of the folder: the server must go on reading the file."""
        if os.geteuid() == 0:
            owner = self.path.parent.stat()
            with suppress(OSError):  # inside some containers even root may not
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)

    def _failed(self, verb: str, path: Path, error: OSError) -> UsersError:
        if error.errno == errno.ELOOP:
            return UsersError(
                f"{path} is a symbolic link, which a change would replace; put the file itself there."
            )
        way_out = _WAYS_OUT.get(error.errno or 0, "check that path and try again")
        return UsersError(f"Cannot {verb} {path} ({error.strerror or error}); {way_out}.")


def _read_bytes(path: Path) -> bytes:
    # Group or others able to read the file is no reason to refuse: that would lock everybody out over a copy
    # restored with `cp`, after the harm is done. The next change brings it back to 0600, as every change does.
    with open(path, "rb", opener=_open_itself) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Malformed("is not a regular file")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Malformed(f"has more than {MAX_BYTES} bytes")
    return data


def _open_itself(path: str, flags: int) -> int:
    # Not through a symbolic link; and a pipe in the file's place must not hold up the server.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _write_bytes(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)  # a umask may have taken too much
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems do not sync folders
            raise
    finally:
        os.close(descriptor)
