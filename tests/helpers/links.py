"""Invites as `securechat invite` prints them."""

from __future__ import annotations

import base64
import hashlib
import ssl
from pathlib import Path

from helpers.commands import in_process


def link(home, port: int, name: str = "olga", *words: str) -> str:
    """The line for a new person, by the command itself."""
    done = in_process("invite", name, "--host", "localhost", "--port", str(port), "--home", home.path, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def token(invite: str) -> str:
    return invite.rpartition("=")[2]


def digest(authority: Path) -> str:
    """The SHA-256 of an authority as it is in a link."""
    der = ssl.PEM_cert_to_DER_cert(authority.read_text())
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
