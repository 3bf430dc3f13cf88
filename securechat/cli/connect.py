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
    lang: Language = None,  # noqa: ARG001  # its callback does the work
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

    try:
        login = find(user, host, port, ca, profile, home, keyring=not no_keyring)
        remembered = login.profile
        # Before anybody types a password for nothing.
        context = trust(remembered.ca)
        endpoint, limits = Endpoint(remembered.host, remembered.port), ClientLimits(reconnect_seconds=reconnect)
        while True:
            password, leftover = login.password(password_stdin)
            secret = credentials(remembered.user, password)
            entered = login.remember
            try:
                talk(endpoint, context, secret, leftover=leftover, limits=limits, plain=plain, entered=entered)
                return
            except LoginError as failure:
                again = login.recalled and failure.wrong and sys.stdin is not None and sys.stdin.isatty()
                why = login.refused(failure)
                if not again:
                    raise CommandError(why) from None
                print(f"securechat: {why}", file=sys.stderr)
    except ClientError as failure:
        raise CommandError(str(failure)) from None
