"""What commands share that use the authority's key: where it is, and its passphrase. Never as an argument."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from securechat.cli import CommandError
from securechat.cli.options import option
from securechat.cli.passwords import ask_password

if TYPE_CHECKING:
    from securechat.certs import KeyPlace

_MAX: int = 1024
_MIN: int = 8
_CANNOT = "There is no terminal to ask for the passphrase unseen; name a file with it (--passphrase-file)."

CaOffline = Annotated[
    Path | None,
    option(
        "--ca-offline", metavar="DIR", show_default=False, help="The folder that ca.key is kept in, elsewhere."
    ),
]
PassphraseFile = Annotated[
    Path | None,
    option("--passphrase-file", metavar="FILE", show_default=False, help="A file whose first line opens ca.key."),
]


def key_place(offline: Path | None, file: Path | None, *, protect: bool = False) -> KeyPlace:
    """Return where the key is; its passphrase is asked for if it needs one. Raises CommandError."""
    from securechat.certs import KeyPlace

    def passphrase(key: Path) -> bytes:
        if file is not None:
            return _from(file)
        return ask_password(f"Passphrase of {key}: ", _CANNOT).encode()

    return KeyPlace(offline, passphrase, _chosen(file) if protect else None)


def _chosen(file: Path | None) -> bytes:
    """Return a new passphrase, typed twice unless a file has it."""
    chosen = _from(file) if file is not None else ask_password("New passphrase of ca.key: ", _CANNOT).encode()
    if not _MIN <= len(chosen) <= _MAX:
        raise CommandError(f"A passphrase has {_MIN} to {_MAX} bytes; nothing was changed.")
    if file is None and ask_password("The same again: ", _CANNOT).encode() != chosen:
        raise CommandError("The two differ; nothing was changed.")
    return chosen


def _from(file: Path) -> bytes:
    try:
        with file.open("rb") as source:
            mode = os.fstat(source.fileno()).st_mode
            if stat.S_ISREG(mode) and mode & 0o077:
                raise CommandError(f"{file} can be read by others; close it with 'chmod 600 {file}'.")
            line = source.readline(_MAX + 2)
    except OSError as error:
        raise CommandError(f"{file} cannot be read ({error.strerror}); name another --passphrase-file.") from None
    return line.removesuffix(b"\n").removesuffix(b"\r")
