"""The `securechat` command: what all families share. Each family is one file with `register(app)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from securechat import __version__
from securechat.cli import certs, connect, devices, history, invites, keeping, sending, serve, setup, users
from securechat.cli.languages import Language, translate
from securechat.cli.options import HERE, HomeBefore, option

FAMILIES = (certs, users, invites, serve, connect, sending, devices, setup, history, keeping)
"""In the order in which a new user needs them, which is the order of the help."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    # No traceback reaches a user, and no local variables ever: they may hold a password (law 7).
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    epilog=(
        "Any option can also stand in the environment (SECURECHAT_INIT_CERTS_DAYS=90) or in HOME/securechat.toml "
        "([init-certs] days = 90); the command line wins, then the environment."
    ),
    context_settings={"auto_envvar_prefix": "SECURECHAT", "help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"securechat {__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    option(
        "--version", help="Show the version.", callback=_print_version, is_eager=True, allow_from_autoenv=False
    ),
]


@app.callback()
def root(
    home: HomeBefore = HERE, lang: Language = None, version: Version = False
) -> None:  # their callbacks do the work
    """Secure group chat you run yourself: IRCv3 over TLS, login first, every line kept."""
    # The callbacks of the options do the work.


for family in FAMILIES:
    family.register(app)


def command() -> Callable[..., Any]:
    """Return the whole command, a new one, with its helps in the language that was chosen."""
    made = typer.main.get_command(app)
    translate(made)
    return made
