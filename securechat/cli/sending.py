"""`send` and `tail`: talking from scripts."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from securechat.cli import CommandError
from securechat.cli.logins import Authority, Host, NoKeyring, Port, ProfileName, User, find
from securechat.cli.options import HERE, HomeOption, option
from securechat.cli.passwords import PasswordStdin

if TYPE_CHECKING:
    from securechat.client.api import Client
    from securechat.client.happenings import Said
    from securechat.client.places import Gap

MAX_INPUT: Final = 64 * 1024

Target = Annotated[str, typer.Argument(metavar="TARGET", help="A channel ('#name') or a person.", envvar=None)]
Text = Annotated[
    str | None,
    typer.Argument(metavar="[TEXT]", help="What to say; without it, all of standard input.", envvar=None),
]
Seconds = Annotated[
    int, option("--timeout", metavar="SECONDS", min=1, help="How long to wait until the server has it on disk.")
]
Targets = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TARGET]...", help="Channels and people (default: all channels).", envvar=None),
]
Json = Annotated[bool, option("--json", help="Print one JSON object a line.")]
Follow = Annotated[bool, option("--follow", "-f", help="Go on with what is said from now on, until Ctrl-C.")]
Lines = Annotated[
    int, option("--lines", "-n", metavar="N", min=0, max=100_000, help="How many messages of each to begin with.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("send")(send)
    app.command("tail")(tail)


def send(
    target: Target,
    text: Text = None,
    user: User = None,
    host: Host = None,
    port: Port = None,
    ca: Authority = None,
    profile: ProfileName = None,
    password_stdin: PasswordStdin = False,
    no_keyring: NoKeyring = False,
    timeout: Seconds = 30,
    home: HomeOption = HERE,
) -> None:
    """Say one message, of one or several lines, and wait until the server has it on disk.

    It ends with 0 only then. With --password-stdin the password is the first line of standard input, and without
    TEXT the message is the rest.
    """
    from securechat.client.errors import ClientError

    if text is None and not password_stdin and (sys.stdin is None or sys.stdin.isatty()):
        raise CommandError("There is nothing to say: give TEXT, or pipe it in.")
    try:
        chat, leftover = _client((user, host, port, ca, profile), password_stdin, no_keyring, home, timeout)
        with chat:
            chat.say(target, _rest(leftover) if text is None else text)
    except ClientError as failure:
        raise CommandError(str(failure)) from None


def _rest(leftover: bytes) -> str:
    """Return the rest of standard input as text. Raises CommandError."""
    data = leftover
    while sys.stdin is not None and len(data) <= MAX_INPUT:
        piece = os.read(sys.stdin.fileno(), MAX_INPUT)
        if not piece:
            break
        data += piece
    if len(data) > MAX_INPUT:
        raise CommandError(f"Standard input has more than {MAX_INPUT} bytes; nothing was sent.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise CommandError("Standard input is not valid UTF-8; nothing was sent.") from None


def tail(
    targets: Targets = None,
    as_json: Json = False,
    follow: Follow = False,
    lines: Lines = 10,
    user: User = None,
    host: Host = None,
    port: Port = None,
    ca: Authority = None,
    profile: ProfileName = None,
    password_stdin: PasswordStdin = False,
    no_keyring: NoKeyring = False,
    home: HomeOption = HERE,
) -> None:
    """Print what was said last, and with --follow what is said from now on, over lost connections too."""
    from securechat.client.errors import ClientError

    try:
        chat, _ = _client((user, host, port, ca, profile), password_stdin, no_keyring, home, 30)
        with chat:
            _print(chat, list(targets or []), lines, follow=follow, as_json=as_json)
    except ClientError as failure:
        raise CommandError(str(failure)) from None
    except BrokenPipeError:  # `| head`: nobody reads any more, which is no failure
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
    except KeyboardInterrupt:
        if not follow:
            raise  # with --follow it is the way to end it


def _print(chat: Client, targets: list[str], count: int, *, follow: bool, as_json: bool) -> None:
    from securechat.client import tail as tailing

    def show(event: Said | Gap) -> None:
        for line in [tailing.as_json(event)] if as_json else tailing.as_text(event):
            print(line, flush=follow)

    names = targets or [channel.name for channel in chat.channels.values()]
    shown = tailing.last(chat, names, count)
    for said in shown:
        show(said)
    sys.stdout.flush()
    if follow:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        for event in tailing.following(chat, targets, shown):
            show(event)


def _client(
    where: tuple[str | None, str | None, int | None, Path | None, str | None],
    password_stdin: bool,
    no_keyring: bool,
    home: Path,
    timeout: float,
) -> tuple[Client, bytes]:
    """Return the client that the options mean, and what was read of standard input behind the password."""
    from securechat.client.api import Client
    from securechat.client.dial import trust

    login = find(*where, home, keyring=not no_keyring)
    trust(login.profile.ca)  # before anybody types a password for nothing
    password, leftover = login.password(password_stdin)
    profile = login.profile
    client = Client(
        profile.host, profile.port, user=profile.user, password=password, ca=profile.ca, timeout=timeout
    )
    return client, leftover
