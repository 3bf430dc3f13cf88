"""What all commands share: `--home` before or after the command's name, and settings from HOME/securechat.toml.

A value comes from the command line, else from the environment (SECURECHAT_<COMMAND>_<OPTION>), else from the file,
else it is the default:

    [serve]
    port = 6697
    limit = ["lines_per_second=50"]
"""

from __future__ import annotations

import os
import shlex
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from securechat.client.errors import reason
from securechat.client.words import _
from securechat.config import ConfigError

HERE: Final = Path()
"""The default of every `--home`."""
SETTINGS: Final = "securechat.toml"
_HOME: Final = "securechat.home"  # in the contexts' shared `meta`
_VARIABLE: Final = "SECURECHAT_HOME"


def settings_path(context: typer.Context) -> Path:
    """Return where the settings of the running command come from."""
    return Path(context.meta.get(_HOME, HERE)) / SETTINGS


def next_command(home: Path, words: str) -> str:
    """Return `words` as a command to type, with `--home` where it would not find this home by itself."""
    if home.resolve() == Path(os.environ.get(_VARIABLE) or ".").resolve():
        return f"securechat {words}"
    return f"securechat {words} --home {shlex.quote(str(home))}"


def _folder(value: str) -> Path:
    if not str(value):
        raise typer.BadParameter(_("it is empty"))  # --home "$UNSET" must not mean the current folder
    return Path(value)


def _remember(context: typer.Context, home: Path) -> Path:
    context.meta[_HOME] = home
    return home


def _settle(context: typer.Context, parameter: typer.CallbackParam, home: Path) -> Path:
    """Return the home that counts, and let the command's other options take their defaults from its settings."""
    source = context.get_parameter_source(parameter.name)
    if source is None or source.name != "COMMANDLINE":
        home = context.meta.get(_HOME, home)
    context.meta[_HOME] = home
    context.default_map = _settings(context)
    return home


def option(*names: str, show_envvar: bool = False, **settings: Any) -> Any:
    """Return a `typer.Option`; the help names the variables of all options in one place instead of at each."""
    return typer.Option(*names, show_envvar=show_envvar, **settings)


HomeBefore = Annotated[
    Path,
    option(
        "--home",
        metavar="DIR",
        envvar=_VARIABLE,
        parser=_folder,
        callback=_remember,
        show_default=False,
        show_envvar=True,
        help="Folder of the server's files (default: the current one). It may also stand after the command.",
    ),
]
HomeOption = Annotated[
    Path,
    option(
        "--home",
        metavar="DIR",
        parser=_folder,
        callback=_settle,
        is_eager=True,  # the other options' defaults depend on it
        allow_from_autoenv=False,
        show_default=False,
        help="Folder of the server's files (default: the current one).",
    ),
]
"""For every command: `def serve(home: HomeOption = HERE, ...)`."""


def _settings(context: typer.Context) -> dict[str, Any]:
    path = settings_path(context)
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):  # a home that is none is the command's own to refuse
        return {}
    except OSError as error:
        raise ConfigError(
            _("{path} cannot be read ({reason}); check its owner and its mode, and those of its folder.").format(
                path=path, reason=reason(error)
            )
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(_("{} is not UTF-8; save it as UTF-8 or move it away.").format(path)) from None
    except tomllib.TOMLDecodeError as error:
        text = _("{path} is not valid TOML: {reason}; correct it or move it away.")
        raise ConfigError(text.format(path=path, reason=error)) from None
    commands = context.parent.command.commands if context.parent is not None else {}  # type: ignore[attr-defined]
    for name, table in document.items():
        if name not in commands or not isinstance(table, dict):
            text = _("{path}: {name!r} is not the table of a command, which are {commands}.")
            raise ConfigError(text.format(path=path, name=name, commands=", ".join(commands)))
    return _defaults(context, path, document.get(context.info_name or "", {}))


def _defaults(context: typer.Context, path: Path, table: dict[str, Any]) -> dict[str, Any]:
    """Return a command's table with the names that its parameters have inside the program."""
    options = {
        option.removeprefix("--"): parameter
        for parameter in context.command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--home"
    }
    defaults = {}
    for name, value in table.items():
        parameter = options.get(name)
        if parameter is None:
            text = _("{path}: {command} has no option {name!r} (it has: {known}).")
            known = ", ".join(options) or _("none")
            raise ConfigError(text.format(path=path, command=context.info_name, name=name, known=known))
        several = parameter.multiple and not isinstance(value, list)
        defaults[parameter.name] = [value] if several else value
    return defaults
