"""The language of the command line: `--lang` before or after a command's name, and all helps in that language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

import typer

from securechat.cli.options import option
from securechat.client.words import LANGUAGES, N_, _, choose


def _chosen(value: str | None) -> str | None:
    if value is not None:
        if value not in LANGUAGES:
            raise typer.BadParameter(_("there is no {!r} yet, only {}").format(value, ", ".join(LANGUAGES)))
        choose(value)
    return value


Language = Annotated[
    str | None,
    option(
        "--lang",
        metavar="LANGUAGE",
        callback=_chosen,
        show_default=False,
        help="The language to speak: en or ru (default: what the locale says).",
    ),
]
"""For the commands of the client, and before any command."""


_TYPERS: Final = (N_("default: "), N_("required"), N_("env var: "), N_("Show this message and exit."))
_HEADINGS: Final = (N_("Arguments"), N_("Options"), N_("Commands"))


class _Formatter(typer.Context.formatter_class):  # type: ignore[misc,valid-type]  # its only public name
    """Writes a help with headings in the person's language."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or _("Usage: "))

    def write_heading(self, heading: str) -> None:
        super().write_heading(_(heading))

    def write_dl(self, rows: Iterable[tuple[str, str]], *args: Any, **settings: Any) -> None:
        super().write_dl([(name, _typers(text)) for name, text in rows], *args, **settings)


def _typers(text: str) -> str:
    """Return what Typer adds to a list of options in the person's language: it knows none but English."""
    for word in _TYPERS[:3]:
        text = text.replace(f"[{word}", f"[{_(word)}")
    return _(text) if text in _TYPERS else text


class _Context(typer.Context):
    """A context whose help is in the person's language."""

    formatter_class = _Formatter


def helps(command: Any) -> Iterator[tuple[Any, str]]:
    """Give whatever has a help in a command and those below it, with the name of the attribute that holds it."""
    for name in ("help", "epilog"):
        if getattr(command, name, None):
            yield command, name
    for parameter in command.params:
        if getattr(parameter, "help", None):
            yield parameter, "help"
    for below in getattr(command, "commands", {}).values():
        yield from helps(below)


def translate(command: Any) -> None:
    """Put all helps of a command, which nobody else has, into the person's language."""
    for thing, name in helps(command):
        setattr(thing, name, _(getattr(thing, name)))
    for one in (command, *getattr(command, "commands", {}).values()):
        one.context_class = _Context
