"""`connect`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from securechat import config
from securechat.cli import CommandError
from securechat.cli.options import HERE, HomeOption, option
from securechat.cli.passwords import PasswordStdin, ask_password

VARIABLE: Final = "SECURECHAT_PASSWORD"
DEFAULT_HOST: Final = "localhost"  # where `serve` listens unless told otherwise, by its name in the certificate
_MAX_LINE: Final = 16 * 1024

User = Annotated[str, option("--user", metavar="NAME", show_default=False, help="The account to log in as.")]
Host = Annotated[str, option(metavar="NAME", help="Name or address of the server.")]
Port = Annotated[int, option(metavar="N", min=1, max=65535, help="Port of the server.")]
Authority = Annotated[
    Path | None,
    option(
        "--ca",
        metavar="FILE",
        show_default=False,
        help="The server's ca.pem, by which it is known (default: HOME/certs/ca.pem).",
    ),
]

Reconnect = Annotated[
    int,
    option("--reconnect", metavar="SECONDS", min=0, help="How long a lost connection is tried again; 0: never."),
]


Plain = Annotated[
    bool,
    option("--plain", help="Lines only, one below the other: for screen readers and slow terminals."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("connect")(connect)


def connect(
    user: User,
    host: Host = DEFAULT_HOST,
    port: Port = config.DEFAULT_PORT,
    ca: Authority = None,
    password_stdin: PasswordStdin = False,
    reconnect: Reconnect = 300,
    plain: Plain = False,
    home: HomeOption = HERE,
) -> None:
    """Talk: type to say something, /help for more, /quit to leave.

    In a pipe each line of standard input is said, and the conversation is printed. The password is asked for,
    or taken from SECURECHAT_PASSWORD or with --password-stdin.
    """
    from securechat.client.dial import trust
    from securechat.client.errors import ClientError
    from securechat.client.handshake import credentials
    from securechat.client.line import talk
    from securechat.client.settings import ClientLimits, Endpoint

    limits = ClientLimits(reconnect_seconds=reconnect)
    endpoint = Endpoint(host.removeprefix("[").removesuffix("]"), port)
    try:
        # Before anybody types a password for nothing.
        context = trust(ca or config.Home(home).certs / "ca.pem")
        password, leftover = _password(user, password_stdin)
        talk(endpoint, context, credentials(user, password), leftover=leftover, limits=limits, plain=plain)
    except ClientError as failure:
        raise CommandError(str(failure)) from None


def _password(user: str, from_stdin: bool) -> tuple[str, bytes]:
    """Return the password, and what was read of standard input behind it. Raises CommandError, EOFError."""
    if not from_stdin:
        given = os.environ.get(VARIABLE)
        if given:
            return given, b""
        if sys.stdin is None or not sys.stdin.isatty():
            raise CommandError(
                f"There is no terminal to ask for the password: set {VARIABLE}, or pass --password-stdin"
                " to take it from the first line of standard input."
            )
    if sys.stdin is None or sys.stdin.isatty():
        return ask_password(f"Password for {user}: "), b""
    return _first_line()


def _first_line() -> tuple[str, bytes]:
    from securechat.client.pipe import first_line

    line, leftover = first_line(sys.stdin.fileno(), _MAX_LINE)
    if not line:
        raise CommandError("The first line of standard input is empty; the password belongs there.")
    # "surrogateescape" raises nothing: an exception would carry the password (law 7). credentials() refuses it.
    return line.decode(errors="surrogateescape"), leftover
