"""`init-certs`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from securechat.cli.options import HERE, HomeOption, next_command, option
from securechat.config import Home

LEAF_DAYS: Final = 397  # as certs.LEAF_DAYS; to import it would make every `--help` wait for cryptography

Hosts = Annotated[
    list[str] | None,
    option("--host", metavar="NAME", help="A further name or address of this server; may be repeated."),
]
Days = Annotated[
    int, option(metavar="N", min=1, max=3650, help="How long the server certificate is valid, in days.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("init-certs")(init_certs)


def init_certs(host: Hosts = None, days: Days = LEAF_DAYS, home: HomeOption = HERE) -> None:
    """Make the certificates that the server needs, or renew its own.

    The first run makes a certificate authority and a server certificate for localhost, this machine's name and
    each --host. Every further run keeps the authority and the names, and renews the server certificate.
    """
    from securechat.certs import issue

    place = Home(home)
    first = not (place.certs / "ca.pem").exists()
    made = issue(place.certs, host or (), days)
    print(
        f"Certificate authority, {'new' if first else 'kept'}, valid until {made.ca_not_after:%Y-%m-%d}, SHA-256:"
    )
    print(f"  {made.ca_fingerprint}")
    print(f"Server certificate, {'new' if first else 'renewed'}, valid until {made.not_after:%Y-%m-%d}, for:")
    print(f"  {', '.join(made.names)}")
    print(f"Give {made.authority} to everybody who connects. Keep ca.key and server.key secret.")
    print()
    if place.users.exists():
        print(f"Next: {next_command(home, 'serve')}")
    else:
        print(f"Next: {next_command(home, 'adduser NAME --admin')}")
