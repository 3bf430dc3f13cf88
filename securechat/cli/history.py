"""`history` and `search`: the log read by whoever runs the server, beside a running server or without one."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from securechat import config
from securechat.cli import CommandError
from securechat.cli.dates import moment
from securechat.cli.options import HERE, HomeOption, option
from securechat.cli.progress import progress
from securechat.client.words import _

LIMIT: Final = 100

Target = Annotated[
    str | None,
    typer.Argument(
        metavar="[TARGET]",
        show_default=False,
        help="A channel, or an account for its direct messages (default: everything).",
    ),
]
Limit = Annotated[
    int, option(metavar="N", min=0, help="At most so many: the newest, or the first since DATE; 0: all.")
]
Since = Annotated[
    str | None,
    option(metavar="DATE", show_default=False, help="Only from then on, as 2026-01-31 or 2026-01-31T18:30."),
]
Words = Annotated[
    list[str], typer.Argument(metavar="WORDS...", show_default=False, help="All of them are in the message.")
]
Where = Annotated[str | None, option("--in", metavar="CHANNEL", show_default=False, help="Only in this channel.")]
Whose = Annotated[str | None, option("--from", metavar="NAME", show_default=False, help="Only by this account.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("history")(history)
    app.command("search")(search)


def history(target: Target = None, limit: Limit = LIMIT, since: Since = None, home: HomeOption = HERE) -> None:
    """Print what was said."""
    from securechat.client.kept import lines
    from securechat.server.operator import fold
    from securechat.storage.reading import Reading

    start = moment(since)
    with Reading(config.Home(home).log) as reading:
        for line in lines(reading.said(fold(target or ""), start, limit)):
            print(line)


def search(
    words: Words,
    where: Where = None,
    whose: Whose = None,
    since: Since = None,
    limit: Limit = LIMIT,
    home: HomeOption = HERE,
) -> None:
    """Print the messages that have all of these words in them."""
    from securechat.client.kept import lines
    from securechat.server import operator

    start = moment(since)
    if not any(word.strip() for word in words):
        raise CommandError(_("There is nothing to search for: name a word."))
    with progress(_("Indexing")) as show:
        found = operator.search(
            config.Home(home).log,
            words,
            channel=where or "",
            sender=whose or "",
            since=start,
            limit=limit,
            progress=show,
        )
    for line in lines(found):
        print(line)
