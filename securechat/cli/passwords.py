"""How a password gets in: typed without echo, or as the first line of standard input. Never as an argument."""

from __future__ import annotations

import getpass
import sys
import warnings
from typing import Annotated, Final

from securechat.cli import CommandError
from securechat.cli.options import option
from securechat.client.words import _

TRIES: Final = 3
_MAX_LINE: Final = 16 * 1024

PasswordStdin = Annotated[
    bool, option("--password-stdin", help="Take the first line of standard input as the password.")
]


def new_password(from_stdin: bool) -> str:
    """Return a password that may be chosen: the first line of standard input, or typed twice.

    Raises CommandError, PasswordRefused and EOFError.
    """
    from securechat.server.passwords import PasswordRefused, check_new

    if from_stdin:
        password = password_from_stdin()
        check_new(password)
        return password
    for _try in range(TRIES):
        password = ask_password(_("Password: "))
        try:
            check_new(password)
        except PasswordRefused as error:
            print(error, file=sys.stderr)
            continue
        if ask_password(_("The same again: ")) == password:
            return password
        print(_("The two differ."), file=sys.stderr)
    raise CommandError(_("No password was chosen; nothing was changed."))


def ask_password(prompt: str, cannot: str = "") -> str:
    """Return what is typed at the terminal without showing it. Raises CommandError, and EOFError at its end.

    `cannot` is said instead of the usual where no terminal can be asked without showing it.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise CommandError(
            cannot or _("There is no terminal to ask for the password; pipe it in with --password-stdin.")
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except getpass.GetPassWarning:
            why = cannot or _("This terminal would show the password; pipe it in with --password-stdin.")
        except UnicodeError:
            why = _("What was typed is not text in the terminal's encoding.")
    raise CommandError(why)  # outside the handler: what was caught may carry what was typed (law 7)


def password_from_stdin() -> str:
    """Return the first line of standard input without its line end, and leave the rest unread.

    At a terminal it is asked for without echo. Raises CommandError.
    """
    if sys.stdin is not None and sys.stdin.isatty():
        return ask_password(_("Password: "))
    line = b"" if sys.stdin is None else sys.stdin.buffer.readline(_MAX_LINE + 1)
    if not line:
        raise CommandError(_("Standard input ended before a password came."))
    if len(line) > _MAX_LINE:
        raise CommandError(_("The first line of standard input is too long for a password."))
    line = line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line
    try:
        return line.decode()
    except UnicodeError:
        pass
    raise CommandError(_("The password on standard input is not valid UTF-8."))
