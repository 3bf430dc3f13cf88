"""`connect`."""

from __future__ import annotations

from typing import Annotated

import typer

from securechat.cli import CommandError
from securechat.cli.logins import (
    Authority,
    Host,
    Login,
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
    reconnect: Reconnect = 300,
    plain: Plain = False,
    home: HomeOption = HERE,
) -> None:
    """Talk: type to say something, /help for more, /quit to leave.

    Without options it goes where the last conversation was. In a pipe each line of standard input is said, and the
    conversation is printed. The password is asked for, or taken from SECURECHAT_PASSWORD or with --password-stdin.
    """
    from securechat.client.dial import trust
    from securechat.client.errors import ClientError, LoginError
    from securechat.client.handshake import credentials
    from securechat.client.line import talk
    from securechat.client.settings import ClientLimits, Endpoint

    login: Login | None = None
    try:
        login = find(user, host, port, ca, profile, home, keyring=not no_keyring)
        remembered = login.profile
        # Before anybody types a password for nothing.
        context = trust(remembered.ca)
        password, leftover = login.password(password_stdin)
        secret = credentials(remembered.user, password)
        endpoint, limits = Endpoint(remembered.host, remembered.port), ClientLimits(reconnect_seconds=reconnect)
        talk(endpoint, context, secret, leftover=leftover, limits=limits, plain=plain, entered=login.remember)
    except ClientError as failure:
        if isinstance(failure, LoginError) and login is not None and login.recalled:
            login.forget()
            why = str(failure).removesuffix(".")
            failure = LoginError(f"{why}; it is out of the keyring now: connect again to type it.")
        raise CommandError(str(failure)) from None
