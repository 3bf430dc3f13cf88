"""The file in which a client keeps what it must not lose, for its owner's eyes only."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

from securechat.client.settings import Endpoint

MAX_BYTES: Final = 4 * 1024 * 1024


def place(account: str, endpoint: Endpoint) -> Path:
    """Return where an account's things on a server are kept: in the user's state folder."""
    from platformdirs import user_state_path  # noqa: PLC0415  # only who keeps something needs it

    name = hashlib.sha256(f"{account.casefold()}\n{endpoint}".encode()).hexdigest()[:16]
    return user_state_path("securechat", appauthor=False) / f"{name}.json"


def load(path: Path) -> dict[str, Any]:
    """Return what is in the file; nothing where it is not there or not ours to understand."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def save(path: Path, state: dict[str, Any]) -> None:
    """Keep `state` in the file. Raises OSError."""
    write(path, json.dumps(state, ensure_ascii=False).encode(errors="replace"))


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for its owner only. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def write(path: Path, content: bytes) -> None:
    """Replace the file, as a whole or not at all, readable for its owner only. Raises OSError."""
    make_folder(path.parent)
    new = path.with_suffix(f".{os.getpid()}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
