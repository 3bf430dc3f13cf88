"""How the full screen is laid out, in Textual's style sheets, and its two themes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter
from textual.theme import Theme

from securechat.client.screen.look import DARK, LIGHT, Look

SHEET: Final = """
Screen { background: $background; color: $foreground; }
#topic { dock: top; height: 1; background: $panel; }
#status { dock: bottom; height: 1; background: $panel; }
#middle { height: 1fr; }
#conversations { width: 22; background: $panel; padding: 1 0; }
#members { width: 18; background: $panel; padding: 1 0; }
#talking { width: 1fr; }
#timeline { height: 1fr; padding: 0 1; }
#typing { height: 1; padding: 0 1; }
#prompt, #prompt:focus {
    height: auto; min-height: 1; max-height: 8; border: none; padding: 0 1; background: $surface;
    border-left: thick $accent;
}
#prompt { border-left: thick $panel; }
.-normal #members, .-narrow #members, .-narrow #conversations { display: none; }
.-more-people #members, .-more-list #conversations { display: block; }
.-less-people #members, .-less-list #conversations { display: none; }
.-narrow.-more-list #conversations { width: 100%; }
.-narrow.-more-list #talking { display: none; }
Finding, Reacting, Helping { align: center middle; background: $background 60%; }
#finding { width: 90%; max-width: 100; height: 80%; background: $panel; padding: 1 2; }
#words { border: none; background: $surface; height: 1; padding: 0 1; }
#found { height: 1fr; margin-top: 1; }
#found-help { color: $secondary; height: 1; }
#reacting { width: 36; height: 13; background: $panel; padding: 1 2; }
#reactions { height: 1fr; }
#helping { width: 90%; max-width: 100; height: 90%; background: $panel; padding: 1 2; }
ToastRack { dock: top; align: right top; margin: 1 0; }
"""


def theme(name: str, look: Look, *, dark: bool) -> Theme:
    """Return a theme with these colours."""
    return Theme(
        name=name,
        primary=look.accent,
        secondary=look.dim,
        accent=look.accent,
        error=look.alarm,
        foreground=look.text,
        background=look.background,
        surface=look.panel,
        panel=look.panel,
        dark=dark,
        variables={"block-cursor-background": look.accent, "input-cursor-background": look.text},
    )


class Colourless(LineFilter):
    """Takes all colours out, for NO_COLOR: what is picked is reversed, where people are called is bold."""

    def __init__(self, looks: Iterable[Look]) -> None:
        super().__init__()
        self._reversed = {Color.parse(one) for look in looks for one in (look.selected, look.accent, look.text)}
        self._bold = {Color.parse(look.mention) for look in looks}

    def apply(self, segments: list[Segment], background: object) -> list[Segment]:  # noqa: ARG002  # see LineFilter
        """Return the same text without colours."""
        return [Segment(text, self._style(style), control) for text, style, control in segments]

    def _style(self, style: Style | None) -> Style | None:
        if style is None:
            return None
        reverse = bool(style.reverse) or style.bgcolor in self._reversed
        bold = bool(style.bold) or style.bgcolor in self._bold
        plain = style.without_color + Style(bold=bold, reverse=reverse)
        return plain.update_link(style.link) if style.link else plain


THEMES: Final = (theme("dark", DARK, dark=True), theme("light", LIGHT, dark=False))
LOOKS: Final = {"dark": DARK, "light": LIGHT}
