"""What helps while typing: earlier inputs, and the rest of a name, a channel or a command. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MAX_HISTORY: Final = 500


class History:
    """Earlier inputs, walked with the arrow keys. Owned by the desk."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._at = 0
        self._draft = ""

    def add(self, text: str) -> None:
        """Note what was sent."""
        if text and self._lines[-1:] != [text]:
            self._lines = [*self._lines, text][-MAX_HISTORY:]
        self._at = len(self._lines)

    def back(self, now: str) -> str | None:
        """Give the input before; `now` is what stands there and is kept where it is the newest."""
        if not self._at:
            return None
        if self._at == len(self._lines):
            self._draft = now
        self._at -= 1
        return self._lines[self._at]

    def forth(self) -> str | None:
        """Give the input after, in the end what was being typed."""
        if self._at >= len(self._lines):
            return None
        self._at += 1
        return self._lines[self._at] if self._at < len(self._lines) else self._draft


class Completion:
    """Tab goes through what the word before the cursor can become. Owned by the desk."""

    def __init__(self) -> None:
        self._made = ""
        self._start = 0
        self._choices: list[str] = []
        self._next = 0

    def tab(
        self,
        before: str,
        *,
        commands: Iterable[str],
        channels: Iterable[str],
        names: Iterable[str],
        back: bool = False,
    ) -> str | None:
        """Return what `before` (the text up to the cursor) becomes; None where nothing fits."""
        if not (self._choices and before == self._made):
            self._start = before.rfind(" ") + 1
            self._start = max(self._start, before.rfind("\n") + 1)
            word = before[self._start :]
            self._choices = self._fitting(word, commands, channels, names)
            self._next = len(self._choices) - 1 if back else 0
        elif back:
            self._next = (self._next - 2) % len(self._choices)
        if not self._choices:
            return None
        self._made = before[: self._start] + self._choices[self._next % len(self._choices)]
        self._next = (self._next + 1) % len(self._choices)
        return self._made

    def _fitting(
        self, word: str, commands: Iterable[str], channels: Iterable[str], names: Iterable[str]
    ) -> list[str]:
        folded = word.casefold()
        if word.startswith("/") and not self._start:
            return [f"/{one} " for one in commands if f"/{one}".startswith(folded)]
        if word.startswith("#"):
            return [f"{one} " for one in sorted(channels) if one.casefold().startswith(folded)]
        if not word:
            return []
        bare, at = folded.removeprefix("@"), "@" if word.startswith("@") else ""
        end = " " if self._start or at else ": "
        found = [one for one in names if one.casefold().startswith(bare)]
        return [f"{at}{one}{end}" for one in sorted(found, key=str.casefold)]
