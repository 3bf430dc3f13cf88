"""Days in words, in the person's language: no locale of the system need be installed for that. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from securechat.client.words import N_, _

WEEKDAYS: Final = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)
MONTHS: Final = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)
"""As they stand in a date: a language with cases has them in the one that belongs there."""


def named_day(then: datetime) -> str:
    """Return a day as people write it, such as "Thursday, 28 May 2026"."""
    weekday, month = _(WEEKDAYS[then.weekday()]), _(MONTHS[then.month - 1])
    return _("{weekday}, {day} {month} {year}").format(weekday=weekday, day=then.day, month=month, year=then.year)
