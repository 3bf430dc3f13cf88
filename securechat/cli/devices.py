"""`issue-cert`, `devices`, `revoke` and `certs`: what logs in by certificate. They act on a running server too."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from securechat.cli import tables
from securechat.cli.options import HERE, HomeOption, next_command, option
from securechat.cli.reach import served
from securechat.cli.signing import CaOffline, PassphraseFile, key_place
from securechat.cli.users import Name, user_file
from securechat.config import Home

DAYS: Final = 90  # as certs.DEVICE_DAYS; see cli.certs

Out = Annotated[Path, option("--out", metavar="FILE", show_default=False, help="Where key and certificate go.")]
Force = Annotated[bool, option("--force", help="Replace FILE if it is there.")]
DeviceName = Annotated[
    str | None,
    option("--device", metavar="DEVICE", show_default=False, help="What to call the device (default: as FILE)."),
]
Days = Annotated[int, option(metavar="N", min=1, max=825, help="How long the certificate is valid, in days.")]
Metrics = Annotated[bool, option("--metrics", help="Print their ends for Prometheus' textfile collector.")]
SomeName = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="Whose devices (default: everybody's).", show_default=False)
]
SomeDevice = Annotated[
    str | None, typer.Argument(metavar="[DEVICE]", help="Which one (default: all of them).", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("issue-cert")(issue_cert)
    app.command("devices")(list_devices)
    app.command("revoke")(revoke)
    app.command("certs")(show_certs)


def issue_cert(
    name: Name,
    out: Out,
    device: DeviceName = None,
    days: Days = DAYS,
    force: Force = False,
    ca_offline: CaOffline = None,
    passphrase_file: PassphraseFile = None,
    home: HomeOption = HERE,
) -> None:
    """Make a key and a certificate for WeeChat, irssi or a bot, which then needs no password.

    Run again for the same device it renews: the certificate before it is good for another week.
    """
    from securechat import certs
    from securechat.certs.files import one_sentence
    from securechat.server import accounts, devices

    called = devices.check_device(device or out.stem)
    key, place = certs.new_key(), key_place(ca_offline, passphrase_file)
    users = user_file(home)
    name = accounts.find(users, name).name
    owner = (users, Home(home).certs, name)
    # The file first: where it cannot be written, no device is noted whose key nobody has.
    with one_sentence(out), certs.secret_file(out, force=force) as file:
        made, certificate = devices.enrol(*owner, called, key.public_key(), days=days, place=place)
        file.write(certs.bundle(key, certificate))
    print(
        f"{out} logs {name} in as {made.name} until {tables.day(made.not_after)}; keep it as secret as a password."
    )
    print()
    print(f"Settings for a client: {next_command(home, f'client-setup weechat {name} --cert {out}')}")
    print(f"To take it back: {next_command(home, f'revoke {name} {made.name}')}")


def list_devices(name: SomeName = None, home: HomeOption = HERE) -> None:
    """List what logs in by certificate."""
    rows = rows_of(home, name)
    if len(rows) == 1:
        print(f"{f'{name} has' if name else 'There are'} no devices that log in by certificate.")
        return
    tables.show(rows)


def rows_of(home: Path, name: str | None) -> list[tuple[str, ...]]:
    """Return the table of devices of one account, or all."""
    from securechat.server import accounts, devices

    users = user_file(home)
    found = [accounts.find(users, name)] if name is not None else users.load().values()
    rows: list[tuple[str, ...]] = [("NAME", "DEVICE", "SINCE", "UNTIL", "LEFT")]
    for account in sorted(found, key=lambda one: one.key):
        for device in devices.newest(account):
            left = tables.days_left(tables.moment(device.not_after))
            rows.append(
                (account.name, device.name, tables.day(device.created), tables.day(device.not_after), left)
            )
    return rows


def revoke(name: Name, device: SomeDevice = None, home: HomeOption = HERE) -> None:
    """Revoke the certificate of a device, or those of all devices of an account; its sessions end."""
    from securechat.server import devices

    users = user_file(home)
    gone = sorted({one.name for one in devices.revoke(users, name, device)})
    if not gone:
        print(f"{name} has no devices that log in by certificate.")
        return
    print(f"Revoked: {', '.join(gone)}. A running server ends their sessions within a second.")
    print(f"{name} may still log in by password; to change it: {next_command(home, f'passwd {name}')}")


def show_certs(metrics: Metrics = False, home: HomeOption = HERE) -> None:
    """Show the certificates of authority, server and devices, and how long each is good."""
    from securechat import certs

    place, foreign = Home(home), served(home).get("cert")
    if foreign is None:
        certs.describe(place.certs)  # says what to do where something is missing
    leaf = place.certs / "server.pem" if foreign is None else Path(str(foreign))
    own = foreign is None or (place.certs / "ca.pem").exists()
    known = _known(place, leaf, own=own)
    if metrics:
        _measure(known)
        return
    tables.show([("CERTIFICATE", "FOR", "UNTIL", "LEFT"), *(_row(*one) for one in known)])
    print()
    if not own:
        print(f"{leaf} is of another authority; there is none here that could sign for devices.")
        return
    print(f"Authority, SHA-256: {certs.fingerprint(place.certs / 'ca.pem')}")
    if not (place.certs / "ca.key").exists():
        print("Its key is kept elsewhere: the server renews nothing by itself (see init-certs --ca-offline).")


def _known(place: Home, leaf: Path, *, own: bool) -> list[tuple[str, str, datetime]]:
    """Return what there is: its kind, whom it is for, and its end."""
    from securechat import certs
    from securechat.server import devices

    known = [("authority", "", certs.period(place.certs / "ca.pem").end)] if own else []
    known.append(("server", ", ".join(certs.names_of(leaf)), certs.period(leaf).end))
    accounts = user_file(place.path).load().values() if place.users.exists() else ()
    known += [
        ("device", f"{account.name}@{device.name}", tables.moment(device.not_after))
        for account in sorted(accounts, key=lambda one: one.key)
        for device in devices.newest(account)
    ]
    return known


def _measure(known: list[tuple[str, str, datetime]]) -> None:
    """Print the same for programs that watch over servers (Prometheus text format 0.0.4)."""
    name = "securechat_certificate_end_seconds"
    print(f"# HELP {name} When a certificate ends, in seconds since 1970.")
    print(f"# TYPE {name} gauge")
    for kind, whom, end in known:
        label = whom.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        print(f'{name}{{kind="{kind}",for="{label}"}} {end.timestamp():.0f}')


def _row(what: str, whom: str, end: datetime) -> tuple[str, ...]:
    return what, whom, f"{end:%Y-%m-%d}", tables.days_left(end)
