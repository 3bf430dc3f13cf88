"""Entries of the log as lines to read. Pure but for the time zone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from securechat.client.text import clean
from securechat.client.words import _
from securechat.records import Entry, Kind


def lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Give what was said as lines, with a line before each new day, in this machine's time zone.

    Further lines of a message are indented: they cannot pretend to be somebody else's. A CTCP request and what is
    left of a message that was taken back are not shown.
    """
    day = ""
    for entry in entries:
        if entry.kind not in (Kind.PRIVMSG, Kind.NOTICE):
            continue
        spoken = _spoken(entry)
        if spoken is None:
            continue
        then = datetime.fromtimestamp(entry.time / 1000).astimezone()
        if f"{then:%Y-%m-%d}" != day:
            day = f"{then:%Y-%m-%d}"
            yield f"-- {day}"
        first, *rest = spoken
        yield f"[{then:%H:%M}] {first}"
        yield from (f"        {line}" for line in rest)


def _spoken(entry: Entry) -> list[str] | None:
    text, action = entry.text, entry.text.startswith("\x01ACTION")
    if text.startswith("\x01"):
        if not action:
            return None
        text = text.removeprefix("\x01ACTION").removesuffix("\x01").strip(" ")
    # CR joins pieces of one line that was too long for the wire, LF joins lines.
    first, *rest = [clean(line) for line in text.replace("\r", "").split("\n")]
    sender = clean(entry.sender)
    if not entry.target.startswith("#") and entry.target != "*":
        mark = f"* {sender} " if action else _("(notice) ") if entry.kind is Kind.NOTICE else ""
        return [f"{sender} -> {clean(entry.target)}: {mark}{first}", *rest]
    name = f"* {sender}" if action else f"-{sender}-" if entry.kind is Kind.NOTICE else f"<{sender}>"
    return [f"{clean(entry.target)} {name} {first}", *rest]
