"""Where others find the server, and by what they verify it: for invites and for the settings of clients."""

from __future__ import annotations

import base64
import ipaddress
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from securechat import config
from securechat.cli import CommandError
from securechat.cli.options import SETTINGS, next_command, option
from securechat.config import Home

HostOption = Annotated[
    str | None,
    option(
        "--host", metavar="NAME", show_default=False, help="The server's name (default: from its certificate)."
    ),
]
PortOption = Annotated[
    int | None,
    option("--port", metavar="N", min=1, max=65535, show_default=False, help="Its port (default: that of serve)."),
]


class Reach(NamedTuple):
    """How to reach a server. Its CA's SHA-256 is `authority` in base64url (or "system"), `fingerprint` in hex."""

    host: str
    port: int
    authority: str
    fingerprint: str


def reach(home: Path, host: str | None, port: int | None) -> Reach:
    """Return how others reach the server of a home. Raises CommandError and CertificateError."""
    from securechat import certs
    from securechat.server.invites import SYSTEM

    settings = served(home)
    found = port or int(settings.get("port") or config.DEFAULT_PORT)
    if not found:
        raise CommandError("The server takes any free port; say which with --port.")
    if settings.get("cert"):
        names = certs.names_of(Path(str(settings["cert"])))
        return Reach(_host(home, host, names), found, SYSTEM, "")
    mine = certs.describe(Home(home).certs)
    digest = bytes.fromhex(mine.ca_fingerprint.replace(":", ""))
    authority = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return Reach(_host(home, host, mine.names), found, authority, mine.ca_fingerprint)


def _host(home: Path, wanted: str | None, names: tuple[str, ...]) -> str:
    """Return a name that is in the certificate: the one that was asked for, or the best."""
    from securechat.certs import host_name

    if wanted is not None:
        name = host_name(wanted)
        if name not in names and f"*.{name.partition('.')[2]}" not in names:
            way_out = next_command(home, f"init-certs --host {name}")
            raise CommandError(f"{name} is not in the server's certificate ({', '.join(names)}); run '{way_out}'.")
        return name
    return max(reversed([name for name in names if "*" not in name] or ["localhost"]), key=_rank)


def _rank(name: str) -> int:
    """Names with a dot before addresses, those before the machine's own name, and localhost last."""
    if name == "localhost":
        return 0
    try:
        return 0 if ipaddress.ip_address(name).is_loopback else 2
    except ValueError:
        return 3 if "." in name else 1


def served(home: Path) -> dict[str, Any]:
    """Return the settings of `serve` that decide how it is reached: the environment over the file."""
    try:
        table = tomllib.loads((home / SETTINGS).read_text("utf-8")).get("serve", {})
    except FileNotFoundError:
        table = {}
    for name in ("port", "cert"):
        value = os.environ.get(f"SECURECHAT_SERVE_{name.upper()}")
        if value:
            table[name] = value
    return dict(table)
