"""What strangers' text becomes before it is shown, and our own before it is sent. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Formatting codes of IRC clients: colours with their numbers, hex colours, and the single-byte switches.
_FORMATTING: Final = re.compile(
    r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9a-fA-F]{6}(?:,[0-9a-fA-F]{6})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)
# Whole escape sequences (ECMA-48): CSI with its parameters, strings (OSC, DCS, SOS, PM, APC) up to their end,
# and the short ones. An unfinished string loses its introducer only: the rest is text that somebody may miss.
_ESCAPE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_JOINERS: Final = "\u200c\u200d"  # Persian, Indic scripts and emoji are spelled with them
_GONE: Final = frozenset({"Cc", "Cf", "Cs"})
_BLANK: Final = frozenset({"Zl", "Zp"})

_UNSENDABLE: Final = dict.fromkeys(map(ord, "\0\r\n\x01"))


def clean(text: str) -> str:
    """Return `text` harmless for a terminal: no formatting codes, escape sequences, controls or bidi overrides.

    What is left is printable, on one line, and reads in the order in which it was written.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPE.sub("", _FORMATTING.sub("", text.replace("\t", " ")))
    return "".join(map(_shown, text))


def clean_lines(text: str) -> str:
    """Return text of several lines, each harmless for a terminal."""
    return clean(text) if "\n" not in text else "\n".join(map(clean, text.split("\n")))


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    if category in _BLANK:
        return " "
    return "" if category in _GONE and char not in _JOINERS else char


def sendable(text: str) -> str:
    """Return typed text without what cannot stand inside a message: NUL, CR, LF and the mark of CTCP."""
    return text.translate(_UNSENDABLE)


def split(text: str, room: int) -> list[str]:
    """Cut `text` into pieces of at most `room` bytes in UTF-8: at spaces where possible, never inside a character.

    A space at a cut is left out; nothing else is. Raises ValueError where not even one character has room.
    """
    if room < 4:
        raise ValueError(f"no character fits {room} bytes")
    pieces = []
    while len(text.encode()) > room:
        end = len(text.encode()[:room].decode(errors="ignore"))
        # A space in the second half is worth a shorter piece; a whole word of half a line is not a word.
        space = text.rfind(" ", end // 2, end + 1)
        cut, rest = (space, space + 1) if space > 0 else (end, end)
        pieces.append(text[:cut])
        text = text[rest:]
    return [*pieces, text] if text or not pieces else pieces
