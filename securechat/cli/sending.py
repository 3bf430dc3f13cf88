"""`send` and `tail`: talking from scripts."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from securechat.cli import CommandError
from securechat.cli.languages import Language
from securechat.cli.logins import Authority, Host, Login, NoKeyring, Port, ProfileName, User, find
from securechat.cli.options import HERE, HomeOption, option
from securechat.cli.passwords import PasswordStdin
from securechat.client.words import _, ngettext

if TYPE_CHECKING:
    from securechat.client.api import Client
    from securechat.client.happenings import Interrupted

MAX_INPUT: Final = 64 * 1024
UNKNOWN: Final = 3
"""Exit code of `send` where the message may have been kept or not."""

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
    lang: Language = None,  # noqa: ARG001  # its callback does the work
    home: HomeOption = HERE,
) -> None:
    """Say one message, of one or several lines, and wait until the server has it on disk.

    It ends with 0 only then, with 1 where it was not sent, and with 3 where it had left and nobody knows what
    became of it. With --password-stdin the password is the first line of standard input,
    and without TEXT the message is the rest.
    """
    from securechat.client.errors import ClientError

    if text is None and not password_stdin and (sys.stdin is None or sys.stdin.isatty()):
        raise CommandError(_("There is nothing to say: give TEXT, or pipe it in."))
    try:
        entrance, leftover = _entrance((user, host, port, ca, profile), password_stdin, no_keyring, home, timeout)
        # All of it before we connect: what makes it may take its time.
        said = _rest(leftover) if text is None else _argument(text)
        if text is None and not said.strip():
            raise CommandError(
                _("There is nothing to say: standard input holds no text; give TEXT, or pipe it in.")
            )
        with entrance as chat:
            _say(chat, target, said)
    except ClientError as failure:
        raise CommandError(str(failure)) from None


def _say(chat: Client, target: str, text: str) -> None:
    """Say it and wait. Raises CommandError where nobody knows what became of it, else ClientError."""
    from securechat.client.errors import ClientError, RefusedError

    receipt = chat.say_soon(target, text)
    try:
        receipt.wait()
    except RefusedError:
        raise
    except ClientError as failure:
        why = str(failure).partition(";")[0].removesuffix(".")
        if chat.withdraw(receipt):
            raise CommandError(_("{}; the message was not sent.").format(why)) from None
        text = _("{}; the message may be there or not: look with 'securechat tail' before you send it again.")
        raise CommandError(text.format(why), UNKNOWN) from None


def _argument(text: str) -> str:
    """Return TEXT. Raises CommandError where it is not what a terminal or a script of our time gives."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise CommandError(_("TEXT is not valid UTF-8; nothing was sent."))
    return text


def _rest(leftover: bytes) -> str:
    """Return the rest of standard input as text. Raises CommandError."""
    data = leftover
    while sys.stdin is not None and len(data) <= MAX_INPUT:
        try:
            piece = os.read(sys.stdin.fileno(), MAX_INPUT)
        except OSError as failure:
            text = _("Standard input cannot be read: {}; nothing was sent.").format(failure.strerror)
            raise CommandError(text) from None
        if not piece:
            break
        data += piece
    if len(data) > MAX_INPUT:
        raise CommandError(_("Standard input has more than {} bytes; nothing was sent.").format(MAX_INPUT))
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise CommandError(_("Standard input is not valid UTF-8; nothing was sent.")) from None


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
    lang: Language = None,  # noqa: ARG001  # its callback does the work
    home: HomeOption = HERE,
) -> None:
    """Print what was said last, and with --follow what is said from now on, over lost connections too."""
    from securechat.client.errors import ClientError

    try:
        entrance, _leftover = _entrance((user, host, port, ca, profile), password_stdin, no_keyring, home, 30)
        with entrance as chat:
            _print(chat, list(targets or []), lines, follow=follow, as_json=as_json)
    except ClientError as failure:
        raise CommandError(str(failure)) from None
    except BrokenPipeError:  # `| head`: nobody reads any more, which is no failure
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


def _print(chat: Client, targets: list[str], count: int, *, follow: bool, as_json: bool) -> None:
    from securechat.client import tail as tailing
    from securechat.client.happenings import Said
    from securechat.client.places import Gap

    def show(event: Said | Gap | Interrupted) -> None:
        if not isinstance(event, Said | Gap):
            again = ngettext(
                "Trying again for {:g} second.", "Trying again for {:g} seconds.", round(event.seconds)
            )
            print(f"securechat: {event.error} {again.format(event.seconds)}", file=sys.stderr)
            return
        for line in [tailing.as_json(event)] if as_json else tailing.as_text(event):
            print(line, flush=follow)

    targets = tailing.without_doubles(targets)
    names = targets or [channel.name for channel in chat.channels.values()]
    shown = tailing.last(chat, names, count)
    for said in shown:
        show(said)
    sys.stdout.flush()
    if follow:
        signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(0))  # how a service is ended: no failure
        for event in tailing.following(chat, targets, shown):
            show(event)


def _entrance(
    where: tuple[str | None, str | None, int | None, Path | None, str | None],
    password_stdin: bool,
    no_keyring: bool,
    home: Path,
    timeout: float,
) -> tuple[AbstractContextManager[Client], bytes]:
    """Return the way into the client that the options mean, and what of standard input follows the password."""
    from securechat.client.dial import trust

    login = find(*where, home, keyring=not no_keyring)
    trust(login.profile.ca)  # before anybody types a password for nothing
    password, leftover = login.proof(None if password_stdin else login.device(new=False), password_stdin)
    return _inside(login, password or None, timeout), leftover


@contextmanager
def _inside(login: Login, password: str | None, timeout: float) -> Iterator[Client]:
    from securechat.client.errors import LoginError

    try:
        try:
            client = _entered(login, password, timeout)
        except LoginError as failure:
            if password is not None or not login.again(failure):
                raise
            print(f"securechat: {failure}", file=sys.stderr)
            client = _entered(login, login.password(False)[0], timeout)
        try:
            yield client
        finally:
            client.close()
    except LoginError as failure:
        raise CommandError(login.refused(failure)) from None


def _entered(login: Login, password: str | None, timeout: float) -> Client:
    from securechat.client.api import Client

    place = login.profile
    client = Client(place.host, place.port, user=place.user, password=password, ca=place.ca, timeout=timeout)
    return client.__enter__()
