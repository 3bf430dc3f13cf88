"""Processes that take commands: one line of JSON each way, {"do": NAME, ...} and {"answer": NUMBER, ...}."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from running import Failed, Program

SECONDS = 400


class Remote:
    """The side that gives the commands. `other` is whose last words help to understand a failure."""

    def __init__(self, process: Program, other: Program | None = None) -> None:
        self.process, self.other = process, other
        self._asked = 0

    def tell(self, do: str, **words: object) -> None:
        """Give a command, and do not wait for its end."""
        self._asked += 1
        self.process.type(json.dumps({"do": do, **words}))

    def answer(self) -> dict[str, Any]:
        """Return the answer to the last command; raise Failed where it failed."""
        try:
            found = self.process.wait_for(rf'^\{{"answer": {self._asked}, .*\}}$', SECONDS)
        except Failed as problem:
            if self.other is None:
                raise
            raise Failed(f"{problem}\n{self.other.name} said last:\n{self.other.tail()}") from None
        answer: dict[str, Any] = json.loads(found[0])
        return answer

    def ask(self, do: str, **words: object) -> dict[str, Any]:
        """Give a command and return its answer."""
        self.tell(do, **words)
        return self.answer()


class Obedient:
    """The side that obeys: a command names one of its methods, which takes the rest and may return figures."""

    def __init__(self) -> None:
        self.obeyed = 0

    def obey(self, line: str | bytes) -> None:
        """Do what one line says and answer it."""
        command = json.loads(line)
        method: Callable[..., dict[str, Any] | None] = getattr(self, command.pop("do"))
        figures = method(**command) or {"done": True}
        self.obeyed += 1
        sys.stdout.write(json.dumps({"answer": self.obeyed, **figures}) + "\n")
        sys.stdout.flush()
