"""`join`: from the link of an invite to a conversation."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from securechat.cli import CommandError
from securechat.cli.connect import Plain, converse
from securechat.cli.languages import Language
from securechat.cli.logins import Login, NoDevice
from securechat.cli.options import HERE, HomeOption, option
from securechat.cli.passwords import TRIES, PasswordStdin, chosen_password
from securechat.client.words import _

if TYPE_CHECKING:
    from securechat.client.arrival import Arrival
    from securechat.client.events import Enrolled
    from securechat.client.profiles import Profile

_MAX_LINE: Final = 4096
_RECONNECT_SECONDS: Final = 300

Link = Annotated[
    str | None,
    typer.Argument(
        metavar="[LINK]",
        show_default=False,
        help="The invite, in quotes. Without it, or with '-', it is asked for, or read from standard input.",
        envvar=None,
    ),
]
NoConnect = Annotated[bool, option("--no-connect", help="Only make the account; talk later with 'connect'.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("join")(join)


def join(
    link: Link = None,
    password_stdin: PasswordStdin = False,
    no_device: NoDevice = False,
    no_connect: NoConnect = False,
    plain: Plain = False,
    lang: Language = None,  # noqa: ARG001  # its callback does the work
    home: HomeOption = HERE,  # noqa: ARG001  # its callback does the work
) -> None:
    """Make the account that you were invited to, with a password of your own, and talk.

    The invite is used only once the server has proved that it is the one that the invite is from. It works once:
    what the shell's history keeps of it is good for nothing then.
    """
    from securechat.client import invitation
    from securechat.client.arrival import Arrival
    from securechat.client.errors import ClientError
    from securechat.client.line import is_terminal

    try:
        found = invitation.read(link if link not in (None, "-") else _typed_link())
        arrival = Arrival(found)
        arrival.meet()
        password, profile, enrolled = _enter(arrival, found.name, password_stdin, device=not no_device)
        print(_("The account {} is yours.").format(profile.user))
        if enrolled.text:
            print(enrolled.text)
        if no_connect or not is_terminal():
            print(_("To talk: securechat connect"))
            return
        login = Login(profile, keyring=False, given="" if enrolled.name else password)
        converse(login, password_stdin=False, no_device=no_device, reconnect=_RECONNECT_SECONDS, plain=plain)
    except ClientError as failure:
        raise CommandError(str(failure)) from None


def _typed_link() -> str:
    """Return the invite from standard input, or as it is typed at a terminal; it may be seen there."""
    if sys.stdin is None:
        return ""
    if sys.stdin.isatty():
        return input(_("Invite: "))
    return sys.stdin.buffer.readline(_MAX_LINE).decode(errors="replace")


def _enter(arrival: Arrival, name: str, from_stdin: bool, *, device: bool) -> tuple[str, Profile, Enrolled]:
    """Choose a password and use the invite; again where the server asks for a better one."""
    from securechat.client.errors import JoinError
    from securechat.client.joining import WEAK

    for left in reversed(range(TRIES)):
        password = chosen_password(name, from_stdin)
        try:
            return password, *arrival.enter(password, device=device)
        except JoinError as failure:
            if failure.code != WEAK or from_stdin or not left:
                raise
            print(f"securechat: {failure}", file=sys.stderr)
    raise AssertionError
