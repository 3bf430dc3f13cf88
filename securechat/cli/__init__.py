"""Typer commands, one file per family: read the arguments, call, print.

Whatever goes wrong ends in one sentence on standard error and an exit code: 1, 2 where the command line itself
is wrong, 3 where nobody knows whether `send` has sent, 130 after Ctrl-C.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, Final

from securechat.client.words import LANGUAGES, _, choose

if TYPE_CHECKING:
    from typer import TyperException

__all__ = ["CommandError", "main", "run"]


FORESEEN: Final = {
    "securechat.cli": "CommandError",
    "securechat.certs.files": "CertificateError",
    "securechat.client.errors": "ClientError",
    "securechat.config": "ConfigError",
    "securechat.server.accounts": "AccountRefused",
    "securechat.server.parts": "ServerError",
    "securechat.server.passwords": "PasswordRefused",
    "securechat.storage.log": "LogError",
    "securechat.storage.search": "TooSlow",
    "securechat.storage.transfer": "BadFile",
    "securechat.storage.users": "UsersError",
}
"""The exceptions whose text is a sentence for the user. By name: trouble in one room need not load the others."""


class CommandError(Exception):
    """Something that stops a command. The text is one sentence for the person who typed it."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def main() -> None:
    """Run the command line of this process; the console script and `python -m securechat` start here."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # a terminal that cannot show a name shows its code points instead of a traceback
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """Run one command line and return its exit code. Raises nothing but SystemExit."""
    try:
        choose(asked_for(args))
        from securechat.cli.app import command

        # Not standalone: the sentences are ours. Typer still turns Ctrl-C into 130.
        code = command()(args=args, prog_name="securechat", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        return _explain(error)
    if code == 130:
        print(file=sys.stderr)
        return _tell(_("Interrupted."), 130)
    return code if isinstance(code, int) else 0


def asked_for(args: list[str]) -> str | None:
    """Return the language that a command line asks for with --lang, before anything else reads it.

    Its helps, and the sentence about whatever else is wrong with it, are in that language.
    """
    for word, following in zip(args, [*args[1:], ""], strict=False):
        if word == "--":
            break
        language = following if word == "--lang" else word.removeprefix("--lang=")
        if language in LANGUAGES and word.startswith("--lang"):
            return language
    given = os.environ.get("SECURECHAT_LANG")
    return given if given in LANGUAGES else None


def _explain(error: Exception) -> int:
    import typer

    if isinstance(error, typer.TyperException):
        return _usage(error)
    if any(FORESEEN.get(kind.__module__) == kind.__name__ for kind in type(error).__mro__):
        return _tell(str(error), error.code if isinstance(error, CommandError) else 1)
    if isinstance(error, EOFError | typer.Abort):
        return _tell(_("Input ended before the command had what it needs."))
    if isinstance(error, OSError):
        _settle_output()
        if isinstance(error, BrokenPipeError):  # `securechat users | head -1`: nobody is reading any more
            return 1
        where = f"{error.filename}: " if error.filename is not None else ""
        return _tell(f"{where}{_(error.strerror) if error.strerror else error}.")
    if os.environ.get("SECURECHAT_DEBUG"):
        traceback.print_exception(error)
    # Not the text of the error: nobody checked that it has no secret in it (law 7).
    text = _("Unexpected {}; SECURECHAT_DEBUG=1 in the environment shows where it comes from.")
    return _tell(text.format(type(error).__name__))


def _usage(error: TyperException) -> int:
    from securechat.cli.options import settings_path

    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    message = error.format_message()
    if context is None:
        return _tell(message, 2)
    if message == context.get_help():  # no arguments at all
        print(message, file=sys.stderr)
        return 2
    source = context.get_parameter_source(parameter.name) if parameter is not None else None
    if source is not None and source.name == "DEFAULT_MAP":
        return _tell(f"{settings_path(context)}, [{context.info_name}]: {message.rstrip('.')}.")
    end = "" if message.endswith((".", "?")) else "."
    see = _("See '{} --help'.").format(context.command_path)
    return _tell(f"{message}{end} {see}", 2)


def _tell(sentence: str, code: int = 1) -> int:
    """Print one line, whatever is in it, and return the exit code."""
    line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in sentence)
    print(f"securechat: {line}", file=sys.stderr)
    return code


def _settle_output() -> None:
    """Bring out what is still buffered; where that fails, drop it, so that it does not fail again at exit."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
