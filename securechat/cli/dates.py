"""Dates as people type them."""

from __future__ import annotations

from datetime import datetime

from securechat.cli import CommandError
from securechat.client.words import _


def moment(text: str | None) -> int:
    """Return a date, or a date with a time, as milliseconds since 1970; 0 for None. Raises CommandError."""
    if text is None:
        return 0
    try:
        return max(int(datetime.fromisoformat(text).astimezone().timestamp() * 1000), 0)
    except (ValueError, OverflowError, OSError):
        sentence = _("--since {}: want a date, such as 2026-01-31 or 2026-01-31T18:30.")
        raise CommandError(sentence.format(text)) from None
