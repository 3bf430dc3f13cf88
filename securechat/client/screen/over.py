"""Small screens over the big one. They close once, however fast somebody types."""

from __future__ import annotations

from typing import Any, TypeVar

from textual.command import CommandPalette
from textual.screen import ModalScreen

T = TypeVar("T")


class _Once:
    """A screen that may be told to close several times, as Enter pressed twice does."""

    _told_to_close = False

    def dismiss(self, result: Any = None) -> Any:
        """Close, the first time."""
        if self._told_to_close:
            return None
        self._told_to_close = True
        return super().dismiss(result)  # type: ignore[misc]  # it is mixed into a screen


class Over(_Once, ModalScreen[T]):
    """A screen over the others."""


class Palette(_Once, CommandPalette):
    """The command palette."""
