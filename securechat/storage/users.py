"""The users file: who may log in. Read by the server, changed by commands that may run beside it.

    {"version": 1, "users": [{"name", "key", "hash", "created", "roles"}, ...]}

Each change replaces the whole file, so that a reader finds the old one or the new one and never half of either.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from filelock import FileLock, Timeout

from securechat.records import Account

VERSION: Final = 1
MAX_BYTES: Final = 64 * 1024 * 1024
"""Largest file that is read: some 250 000 accounts."""
LOCK_SECONDS: Final = 10.0
"""How long a change waits for another process to finish its own."""
_LAST_TIME: Final = 253_402_214_400_000  # the day before the year 10000, where dates end
_REQUIRED: Final[dict[str, type]] = {"name": str, "key": str, "hash": str, "created": int, "roles": list}
_FIELDS: Final[dict[str, type]] = _REQUIRED | {"disabled": bool, "kicked": int}
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


class _Malformed(Exception):  # noqa: N818  # becomes a UsersError once the file's name is known
    """What is wrong with the content, without the content; and the way out."""

    def __init__(
        self, wrong: str, way_out: str = "restore a copy or mend it by hand (it was not changed)"
    ) -> None:
        super().__init__(f"{wrong}; {way_out}.")


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
        return MappingProxyType(self._read())

    @contextmanager
    def edit(self) -> Iterator[dict[str, Account]]:
        """Yield the accounts, fresh from disk and locked, to be changed in place; replace the file at the end.

        Leaving by an exception, or with nothing changed, writes nothing. Raises UsersError.
        """
        with self._locked():
            accounts = self._read()
            before = dict(accounts)
            yield accounts
            if accounts != before:
                self._replace(_encode(accounts))

    def stamp(self) -> Stamp:
        """Return what changes whenever the file does; costs one system call and never raises."""
        try:
            status = os.lstat(self.path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def _read(self) -> dict[str, Account]:
        try:
            return _decode(_read_bytes(self.path))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._failed("read", self.path, error) from error
        except _Malformed as error:
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
            raise _Malformed("is not a regular file")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _Malformed(f"has more than {MAX_BYTES} bytes")
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


def _encode(accounts: Mapping[str, Account]) -> bytes:
    users = []
    for key, account in accounts.items():
        assert key == account.key
        fields = {name: getattr(account, name) for name in _FIELDS} | {"roles": sorted(account.roles)}
        users.append({name: value for name, value in fields.items() if name in _REQUIRED or value})
    # Readable by people: an operator looks into it, and Cyrillic names stay Cyrillic.
    return json.dumps({"version": VERSION, "users": users}, ensure_ascii=False, indent=1).encode() + b"\n"


def _decode(data: bytes) -> dict[str, Account]:
    document = _parse(data)
    if not isinstance(document, dict) or not _is(document.get("version"), int):
        raise _Malformed("is not a users file")
    if document["version"] > VERSION:
        newer = f"was written by a newer securechat (version {document['version']})"
        raise _Malformed(newer, "upgrade this one (the file was not changed)")
    if document["version"] != VERSION or document.keys() != {"version", "users"}:
        raise _Malformed("is not a users file of a known version")
    if not isinstance(document["users"], list):
        raise _Malformed("has no list of users")
    accounts: dict[str, Account] = {}
    for number, user in enumerate(document["users"], 1):
        account = _account(user, number)
        if account.key in accounts:
            raise _Malformed(f"has one account twice (entry {number})")
        accounts[account.key] = account
    return accounts


def _parse(data: bytes) -> Any:
    wrong = "is not valid JSON"
    try:
        document = json.loads(data, object_pairs_hook=_object)
        json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair could never be written again
        return document
    except json.JSONDecodeError as error:
        wrong = f"is not valid JSON (line {error.lineno})"
    except (ValueError, RecursionError):
        pass
    # Outside the handler: what json raises carries the whole file.
    raise _Malformed(wrong)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _Malformed("has a field twice in one entry")
    return fields


def _account(user: Any, number: int) -> Account:
    # Strict: a field that is not understood here would be lost with the next change.
    if not isinstance(user, dict) or not _REQUIRED.keys() <= user.keys() <= _FIELDS.keys():
        raise _Malformed(f"has other fields in entry {number} than {', '.join(_FIELDS)}")
    for name, value in user.items():
        if not _is(value, _FIELDS[name]) or value == "":
            raise _Malformed(f"has an unusable {name!r} in entry {number}")
    for name in ("created", "kicked"):
        if not 0 <= user.get(name, 0) <= _LAST_TIME:
            raise _Malformed(f"has an unusable {name!r} in entry {number}")
    if not all(isinstance(role, str) for role in user["roles"]):
        raise _Malformed(f"has an unusable 'roles' in entry {number}")
    return Account(**{**user, "roles": frozenset(user["roles"])})


def _is(value: Any, wanted: type) -> bool:
    return isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)
