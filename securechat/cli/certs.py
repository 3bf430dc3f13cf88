"""`init-certs`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from securechat.cli.options import HERE, HomeOption, next_command, option
from securechat.cli.signing import CaOffline, PassphraseFile, key_place
from securechat.config import Home

LEAF_DAYS: Final = 397  # as certs.LEAF_DAYS; to import it would make every `--help` wait for cryptography

Hosts = Annotated[
    list[str] | None,
    option("--host", metavar="NAME", help="A further name or address of this server; may be repeated."),
]
Passphrase = Annotated[
    bool,
    option("--passphrase", allow_from_autoenv=False, help="Ask for a passphrase that ca.key is encrypted with."),
]
Days = Annotated[
    int, option(metavar="N", min=1, max=3650, help="How long the server certificate is valid, in days.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("init-certs")(init_certs)


def init_certs(
    host: Hosts = None,
    days: Days = LEAF_DAYS,
    passphrase: Passphrase = False,
    passphrase_file: PassphraseFile = None,
    ca_offline: CaOffline = None,
    home: HomeOption = HERE,
) -> None:
    """Make the certificates that the server needs, or renew its own.

    The first run makes a certificate authority and a server certificate for localhost, this machine's name and
    each --host. Every further run keeps the authority and the names, and renews the server certificate.

    The authority's key can be protected: by --passphrase, which this and issue-cert then ask for, or by keeping it
    in another folder with --ca-offline, a USB stick say. A running server can sign nothing then: it renews neither
    its own certificate nor those of devices.
    """
    from securechat.certs import issue

    place, key = Home(home), key_place(ca_offline, passphrase_file, protect=passphrase)
    first = not (place.certs / "ca.pem").exists()
    made = issue(place.certs, host or (), days, place=key)
    print(
        f"Certificate authority, {'new' if first else 'kept'}, valid until {made.ca_not_after:%Y-%m-%d}, SHA-256:"
    )
    print(f"  {made.ca_fingerprint}")
    print(f"Server certificate, {'new' if first else 'renewed'}, valid until {made.not_after:%Y-%m-%d}, for:")
    print(f"  {', '.join(made.names)}")
    kept = f"ca.key is in {ca_offline}" if ca_offline is not None else "Keep ca.key and server.key secret"
    print(f"Give {made.authority} to everybody who connects. {kept}.")
    print()
    if place.users.exists():
        print(f"Next: {next_command(home, 'serve')}")
    else:
        print(f"Next: {next_command(home, 'adduser NAME --admin')}")
