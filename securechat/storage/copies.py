"""The log as a file to put away: copied beside a running server, and put back while there is none."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from securechat.storage.log import LogError
from securechat.storage.reading import OLDEST, connect, failed
from securechat.storage.schema import copy

Progress = Callable[[int, int], None]


def back_up(path: Path, file: Path, progress: Progress) -> None:
    """Copy the log in `path` to `file` (mode 0600), which appears once it is whole. Raises LogError."""
    with closing(connect(path)) as database:
        try:
            # All of it as it is now: SQLite would begin anew whenever a server writes meanwhile.
            database.execute("BEGIN")
            database.execute("SELECT 1 FROM entries LIMIT 1").fetchone()
            copy(database, file, progress)
        except OSError as error:
            raise LogError(f"{file} cannot be written: {error.strerror}.") from None
        except sqlite3.Error as error:
            raise LogError(f"{file} cannot be written: {error}.") from None


def put_back(file: Path, path: Path, progress: Progress) -> None:
    """Let the log in `path` be that in `file`; what is in `path` is kept as "PATH.before-restore".

    No server may run. Either all of it happens or none. Raises LogError.
    """
    if file.exists() and path.exists() and file.samefile(path):
        raise LogError(f"{file} is the log itself: name a backup of it.")
    new, old = (path.with_name(path.name + ending) for ending in (".restored", ".before-restore"))
    with _alone(path):
        try:
            with closing(connect(file, oldest=OLDEST)) as database:
                _check(file, database)
                copy(database, new, progress)
            if path.exists():
                _keep(path, old)
            # A write-ahead log that is left would be taken for that of the new file.
            for name in (f"{path.name}-wal", f"{path.name}-shm", "search.db", "search.db-wal", "search.db-shm"):
                path.with_name(name).unlink(missing_ok=True)
            new.replace(path)
            _sync(path.parent)
        except OSError as error:
            raise LogError(f"{path} cannot be written: {error.strerror}.") from None
        except sqlite3.Error as error:
            raise failed(path, "written", error) from None
        finally:
            with suppress(OSError):
                new.unlink(missing_ok=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock that a server holds. Raises LogError."""
    if not path.parent.is_dir():
        raise LogError(f"{path} has no folder to be in: make that, or name another with --home.")
    lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LogError(f"{path} is in use by another securechat server: stop it first.") from None
    except OSError as error:
        raise LogError(f"{path} cannot be written: {error.strerror}.") from None
    try:
        yield
    finally:
        lock.release()


def _check(file: Path, database: sqlite3.Connection) -> None:
    try:
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise LogError(f"{file} is damaged ({found.splitlines()[-1]}): take another backup.")


def _keep(path: Path, old: Path) -> None:
    """Copy a log with what is still in its write-ahead log; one that SQLite cannot read as it lies there."""
    for ending in ("-wal", "-shm"):
        old.with_name(old.name + ending).unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            copy(database, old)
    except sqlite3.Error:
        for ending in ("", "-wal"):
            source, target = (one.with_name(one.name + ending) for one in (path, old))
            target.unlink(missing_ok=True)
            if source.exists():
                os.link(source, target)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
