"""Telling somebody who looks elsewhere: a notification of the terminal's, and the bell."""

from __future__ import annotations

import os
from typing import Any, Final

from securechat.client.desk.desk import Notice

MAX_TEXT: Final = 200
_URXVT: Final = ("rxvt", "foot", "contour")


def sequence(notice: Notice, term: str) -> str:
    """Return what makes a terminal show a notification: OSC 777 where it has that, else OSC 9."""
    text = _plain(f"{notice.entry.sender}: {notice.entry.text}")
    if term.startswith(_URXVT):
        return f"\x1b]777;notify;{_plain(notice.where)};{text}\x07"
    where = "" if notice.where == notice.entry.sender else f"{_plain(notice.where)} "
    return f"\x1b]9;{where}{text}\x07"


def _plain(text: str) -> str:
    """Return text with nothing in it that could end the sequence or begin another; names are strangers', too."""
    text = text.replace("\n", " ").replace(";", ",")[:MAX_TEXT]
    return "".join(char for char in text if char.isprintable())


def tell(app: Any, notice: Notice) -> None:
    """Tell it, by the terminal that the app draws on."""
    driver = app._driver  # noqa: SLF001  # Textual has no other way to its terminal
    if driver is not None:
        driver.write(sequence(notice, os.environ.get("TERM", "")))
        driver.flush()
    app.bell()
