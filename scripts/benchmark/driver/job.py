"""What the driver is told at its start, and what both sides have to agree on."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Job:
    """Which server to load. `caps` are sets of capabilities, taken in turns by the clients; `bare` is TLS only."""

    port: int
    pid: int
    authority: str
    password: str = field(default="", repr=False)
    caps: tuple[str, ...] = ("",)
    bare: bool = False


def user_name(number: int) -> str:
    """Return the account name of a client: nine characters, which every server allows."""
    return f"user{number:05}"


def fail(text: str) -> NoReturn:
    """End with one sentence on standard error."""
    sys.exit(f"driver: {text}.")
