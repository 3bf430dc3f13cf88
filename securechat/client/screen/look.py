"""Colours: two themes, and for each name one of a few hues that are readable on their background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zlib import crc32

from securechat.protocol.names import fold


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of a theme as "#rrggbb". `names` are for people."""

    background: str
    panel: str
    text: str
    dim: str
    accent: str
    alarm: str
    mention: str
    selected: str
    names: tuple[str, ...]

    def of(self, name: str) -> str:
        """Return the colour of a name, the same everywhere."""
        return self.names[crc32(fold(name).encode()) % len(self.names)]


DARK: Final = Look(
    background="#15181e",
    panel="#1b1f27",
    text="#d9dde4",
    dim="#8b93a1",
    accent="#7db7f5",
    alarm="#f28b82",
    mention="#3a3320",
    selected="#2a3342",
    names=(
        *("#f28b82", "#f0a868", "#dfc15a", "#a8d08d", "#6fd3a7"),
        *("#62d0d8", "#7db7f5", "#a5a8ff", "#cf9bf5", "#f29ac5"),
    ),
)
LIGHT: Final = Look(
    background="#fbfaf7",
    panel="#f1efe9",
    text="#22262d",
    dim="#646b76",
    accent="#1a57c0",
    alarm="#b3261e",
    mention="#fbeec2",
    selected="#dde6f4",
    names=(
        *("#b3261e", "#9a4a00", "#7a5b00", "#3f6b00", "#00695c"),
        *("#00658a", "#1a57c0", "#4a42c8", "#7b2fb5", "#a8246f"),
    ),
)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
