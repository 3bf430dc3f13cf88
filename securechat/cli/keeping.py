"""`export`, `import`, `backup`, `restore` and `prune`: the log as something to keep, to move and to shorten."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from securechat import config
from securechat.cli import CommandError
from securechat.cli.options import HERE, HomeOption, option
from securechat.cli.progress import progress

T = TypeVar("T")

EVERY: Final = 1000
"""Lines between two looks at how far it is."""


class Format(StrEnum):
    """What `export` writes."""

    JSONL = "jsonl"
    TEXT = "text"


Output = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", show_default=False, help="Where to write (default: standard output)."),
]
Source = Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="What to read.")]
Shape = Annotated[Format, option("--format", help="JSON Lines, which lose nothing, or lines to read.")]

Copy = Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="Where the copy goes.")]
Force = Annotated[bool, option("--force", help="Replace FILE if it is there.")]

Keep = Annotated[
    int,
    option(
        "--keep", metavar="DAYS", min=1, max=config.MOST_DAYS, show_default=False, help="How much is to be left."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("export")(export)
    app.command("import")(import_)
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("prune")(prune)


def export(file: Output = None, shape: Shape = Format.JSONL, home: HomeOption = HERE) -> None:
    """Write the whole log; a server may run meanwhile."""
    from securechat.client.kept import lines
    from securechat.storage.reading import Reading
    from securechat.storage.transfer import dump

    with Reading(config.Home(home).log) as reading, progress("Exporting") as show:
        reading.snapshot()
        entries = _counted(reading.entries(), reading.count(), show)
        _write(file, lines(entries) if shape is Format.TEXT else dump(entries, reading.latest()))


def import_(file: Source, home: HomeOption = HERE) -> None:
    """Put an export into the log; the server must be stopped.

    What is there already is skipped; everything else must be newer than the newest entry of the log.
    """
    from securechat.server.operator import conversation
    from securechat.storage.log import SqliteLog
    from securechat.storage.transfer import load

    with file.open("rb") as source, progress("Importing") as show:
        log = SqliteLog(config.Home(home).log, conversation)
        try:
            added = load(_read(source, os.fstat(source.fileno()).st_size, show), log)
        finally:
            log.close()
    print(f"{added:,} entries imported.")


def backup(file: Copy, force: Force = False, home: HomeOption = HERE) -> None:
    """Copy the log to a file; a server may run meanwhile."""
    from securechat.storage.copies import back_up

    path = config.Home(home).log
    if file.exists() and (not file.is_file() or (path.exists() and file.samefile(path))):
        raise CommandError(f"{file} is not to be replaced; name another file.")
    if file.exists() and not force:
        raise CommandError(f"{file} is there already; name another file, or replace it with --force.")
    with progress("Copying") as show:
        back_up(path, file, show)
    print(f"{file} is a copy of {path}.")


def restore(file: Source, home: HomeOption = HERE) -> None:
    """Replace the log by a backup of it; the server must be stopped.

    The log as it was is kept beside it, as chat.db.before-restore.
    """
    from securechat.storage.copies import put_back

    path = config.Home(home).log
    before = path.exists()
    if not file.is_file():
        raise CommandError(f"There is no file {file}; name one that `securechat backup` made.")
    with progress("Restoring") as show:
        put_back(file, path, show)
    print(f"{path} is as in {file}.")
    if before:
        print(f"What it was is in {path}.before-restore.")


def prune(keep: Keep, home: HomeOption = HERE) -> None:
    """Let go of what is old; a server may run meanwhile.

    What was said more than DAYS ago goes; channels, topics and ranks stay. To do it always: `serve --keep DAYS`.
    """
    from securechat.server import retention

    with progress("Pruning") as show:
        taken = retention.prune(config.Home(home).log, keep, show)
    print(f"{taken:,} entries older than {keep:,} {'day' if keep == 1 else 'days'} are gone.")


def _counted(things: Iterable[T], all_: int, show: Callable[[int, int], None]) -> Iterator[T]:
    for done, thing in enumerate(things, 1):
        yield thing
        if not done % EVERY:
            show(done, all_)


def _read(source: Iterable[bytes], size: int, show: Callable[[int, int], None]) -> Iterator[bytes]:
    done = 0
    for number, line in enumerate(source, 1):
        done += len(line)
        yield line
        if not number % EVERY:
            show(done, size)


def _write(file: Path | None, lines: Iterable[str]) -> None:
    """Write lines to a new file (mode 0600) that appears once it is whole, or to standard output."""
    if file is None:
        for line in lines:
            print(line)
        return
    if file.exists() and not file.is_file():  # a folder, a pipe or a device is not to be replaced
        raise CommandError(f"{file} is no file; leave it out to write to standard output.")
    unfinished = file.with_name(file.name + ".new")
    try:
        os.close(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        with unfinished.open("w", encoding="utf-8") as out:
            out.writelines(f"{line}\n" for line in lines)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
