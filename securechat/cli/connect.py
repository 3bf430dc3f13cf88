"""`connect`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from securechat.cli import CommandError
from securechat.cli.languages import Language
from securechat.cli.logins import (
    Authority,
    Host,
    Login,
    NoDevice,
    NoKeyring,
    Port,
    ProfileName,
    User,
    find,
)
from securechat.cli.options import HERE, HomeOption, option
from securechat.cli.passwords import PasswordStdin

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
    user: User = None,
    host: Host = None,
    port: Port = None,
    ca: Authority = None,
    profile: ProfileName = None,
    password_stdin: PasswordStdin = False,
    no_keyring: NoKeyring = False,
    no_device: NoDevice = False,
    reconnect: Reconnect = 300,
    plain: Plain = False,
    lang: Language = None,  # noqa: ARG001  # its callback does the work
    home: HomeOption = HERE,
) -> None:
    """Talk: type to say something, /help for more, /quit to leave.

    Without options it goes where the last conversation was. In a pipe each line of standard input is said, and the
    conversation is printed. The password is asked for, or taken from SECURECHAT_PASSWORD or with --password-stdin;
    at a terminal only once, for this device then gets a certificate of its own to log in by.
    """
    from securechat.client.errors import ClientError

    try:
        login = find(user, host, port, ca, profile, home, keyring=not (no_keyring or no_device))
        converse(login, password_stdin=password_stdin, no_device=no_device, reconnect=reconnect, plain=plain)
    except ClientError as failure:
        raise CommandError(str(failure)) from None


def converse(login: Login, *, password_stdin: bool, no_device: bool, reconnect: int, plain: bool) -> None:
    """Log in and talk; ask for a password again where what is kept here is refused. Raises ClientError."""
    from securechat.client.dial import trust
    from securechat.client.errors import LoginError
    from securechat.client.handshake import claim, credentials
    from securechat.client.line import talk
    from securechat.client.settings import ClientLimits

    # Before anybody types a password for nothing.
    context = trust(login.profile.ca)
    limits = ClientLimits(reconnect_seconds=reconnect)
    # Scripts leave no device behind, as they leave no profile. Who says where the password is wants that one.
    somebody = sys.stdin is not None and sys.stdin.isatty()
    device = None if no_device or password_stdin else login.device(new=somebody)
    while True:
        password, leftover = login.proof(device, password_stdin)
        secret = credentials(login.profile.user, password) if password else claim(login.profile.user)
        try:
            talk(
                login.endpoint,
                context,
                secret,
                leftover=leftover,
                limits=limits,
                plain=plain,
                entered=login.remember,
                device=device,
            )
            return
        except LoginError as failure:
            again, why = login.again(failure), login.refused(failure)
            if not again:
                raise CommandError(why) from None
            print(f"securechat: {why}", file=sys.stderr)
