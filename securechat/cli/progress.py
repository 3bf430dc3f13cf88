"""How far a long command is: a bar on standard error, if that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import typer


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how much is done, and how much there is in all."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    with ExitStack() as end:
        bars: list[Any] = []

        def show(done: int, all_: int) -> None:
            if not bars:  # what is short has none
                bars.append(end.enter_context(typer.progressbar(length=all_, label=label, file=sys.stderr)))
            (bar,) = bars
            bar.length = max(all_, 1)
            bar.update(done - bar.pos)

        yield show
