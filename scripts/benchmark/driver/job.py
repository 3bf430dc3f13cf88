"""What the driver is told at its start, and what both sides have to agree on."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Job:
    """Which server to load. `caps` are sets of capabilities, taken in turns by the clients; `bare` is TLS only.

    `ordered`: the server has one order for everybody. `devices` is the folder with the certificates that
    clients log in by, instead of the password.
    """

    port: int
    pid: int
    authority: str
    password: str = field(default="", repr=False)
    devices: str = ""
    caps: tuple[str, ...] = ("",)
    bare: bool = False
    ordered: bool = True


def user_name(number: int) -> str:
    """Return the account name of a client: nine characters, which every server allows."""
    return f"user{number:05}"


def device_file(folder: Path, number: int) -> Path:
    """Return where a client's certificate and key are."""
    return folder / f"{user_name(number)}.pem"


def fail(text: str) -> NoReturn:
    """End with one sentence on standard error."""
    sys.exit(f"driver: {text}.")
