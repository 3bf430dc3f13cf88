"""`invite`, `invites` and `uninvite`: a link that makes one account, once."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer

from securechat.cli import CommandError, tables
from securechat.cli.options import HERE, HomeOption, next_command, option
from securechat.cli.reach import HostOption, PortOption, reach
from securechat.cli.users import Admin, Name, user_file

_UNITS = {"m": 60, "h": 3600, "d": 86400}
_MOST_DAYS = 30

Expires = Annotated[
    str,
    option("--expires", metavar="TIME", help="How long it can be used: minutes, hours or days (30m, 48h, 7d)."),
]
NoQr = Annotated[bool, option("--no-qr", help="Draw no QR code.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("invite")(invite)
    app.command("invites")(list_invites)
    app.command("uninvite")(uninvite)


def invite(
    name: Name,
    admin: Admin = False,
    expires: Expires = "48h",
    host: HostOption = None,
    port: PortOption = None,
    no_qr: NoQr = False,
    home: HomeOption = HERE,
) -> None:
    """Print a link by which somebody new makes the account NAME and chooses its password.

    Whoever has the link first can use it, once: send it on a way that you trust. An invite that NAME had is void.
    """
    from securechat.server import invites

    seconds = _seconds(expires)
    place = reach(home, host, port)
    made, token = invites.invite(user_file(home), name, seconds=seconds, admin=admin)
    link = invites.link(place.host, place.port, made.name, place.authority, token)
    print(link)
    if sys.stdout.isatty():
        if not no_qr:
            _draw(link)
        print()
        print(f"For {made.name}{', as an administrator' if admin else ''}, until {_when(made.expires)}, once:")
        print("  securechat join    # then paste the line: as an argument, others there could read it")
        print(f"To take it back: {next_command(home, f'uninvite {made.name}')}")


def list_invites(home: HomeOption = HERE) -> None:
    """List the invites that can still be used."""
    from securechat.server import invites

    found = invites.pending(user_file(home))
    if not found:
        print("There are no invites.")
        return
    rows = [("NAME", "ROLE", "UNTIL", "LEFT")]
    for one in found:
        left = tables.days_left(tables.moment(one.expires))
        rows.append((one.name, "admin" if one.admin else "", _when(one.expires), left))
    tables.show(rows)


def uninvite(name: Name, home: HomeOption = HERE) -> None:
    """Take an invite back before it is used."""
    from securechat.server import invites

    gone = invites.uninvite(user_file(home), name)
    print(f"The invite of {gone.name} is void.")


def _seconds(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < seconds <= _MOST_DAYS * _UNITS["d"]:
        raise CommandError(
            f"--expires {text}: want minutes, hours or days like 30m, 48h or 7d, {_MOST_DAYS}d at most."
        )
    return seconds


def _when(milliseconds: int) -> str:
    return f"{tables.moment(milliseconds).astimezone():%Y-%m-%d %H:%M}"


def _draw(link: str) -> None:
    import segno

    # Light modules are drawn: on a dark terminal, as most are, that reads as it should.
    segno.make(link, error="l", micro=False).terminal(compact=True)
