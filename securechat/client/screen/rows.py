"""Entries as rows of styled text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.segment import Segment
from rich.style import Style

from securechat.client.days import named_day
from securechat.client.desk.conversation import Conversation
from securechat.client.desk.entries import Entry, Kind, State
from securechat.client.links import links
from securechat.client.screen.look import Look
from securechat.client.screen.wrap import clip, in_columns, pad, wrap
from securechat.client.words import _

NAME: Final = 12
GROUP_MS: Final = 5 * 60_000
NARROW: Final = 56

Row = list[Segment]


@dataclass(frozen=True, slots=True)
class Paper:
    """What rows are drawn on: their width, their colours, who reads."""

    width: int
    look: Look
    nick: str

    @property
    def narrow(self) -> bool:
        """Whether names stand above what they said, not beside it."""
        return self.width < NARROW

    @property
    def indent(self) -> int:
        """Cells before what is said."""
        return 2 if self.narrow else 6 + NAME + 2


def rows_of(conversation: Conversation, index: int, paper: Paper, *, selected: bool = False) -> list[Row]:
    """Return the rows of one entry: with the day before it where a new one begins, and the "new" line."""
    entry = conversation.at(index)
    before = conversation.at(index - 1) if index else None
    rows: list[Row] = []
    if before is None or _day(before.time) != _day(entry.time):
        rows.append(_rule(named_day(_local(entry.time)), paper, paper.look.dim))
    line = conversation.line
    if line and entry.time > line and not entry.own and (before is None or before.time <= line):
        rows.append(_rule(_("new"), paper, paper.look.alarm))
    ground = paper.look.selected if selected else paper.look.mention if entry.mention else ""
    said = _spoken(conversation, entry, before, paper) if entry.spoken else _told(entry, paper)
    return rows + [_grounded(row, ground, paper.width) for row in said]


def _grounded(row: Row, ground: str, width: int) -> Row:
    if not ground:
        return row
    style = Style(bgcolor=ground)
    used = sum(segment.cell_length for segment in row)
    row = [*row, Segment(" " * max(0, width - used))]
    return [Segment(text, (own or Style()) + style) for text, own, _control in row]


def _spoken(conversation: Conversation, entry: Entry, before: Entry | None, paper: Paper) -> list[Row]:
    look, rows = paper.look, []
    colour = look.of(entry.sender)
    grouped = _grouped(entry, before)
    dim = Style(color=look.dim)
    mark = {State.WAITING: "  …  ", State.REFUSED: "  !  "}.get(entry.state, _clock(entry.time))
    indent = " " * paper.indent
    name = "" if grouped else entry.sender
    if entry.kind is Kind.ACTION:
        name = "*"
    elif entry.kind is Kind.NOTICE and name:
        name = f"-{name}-"
    bold = Style(color=colour, bold=True)
    if entry.reply:
        answered = conversation.by_id.get(entry.reply)
        gone = _("(taken back)")
        quote = f"{answered.sender}: {answered.text or gone}" if answered else _("an earlier message")
        rows.append([Segment(indent), Segment(clip(f"↱ {quote}", paper.width - paper.indent), dim)])
    first: Row
    if paper.narrow:
        if name:
            rows.insert(0, [Segment(clip(name, paper.width - 7), bold), Segment(f" {mark.strip()}", dim)])
        first = [Segment(indent)]
    else:
        first = [Segment(f"{mark} ", dim), Segment(pad(name, NAME, right=True), bold), Segment("  ")]
    for number, line in enumerate(_body(entry, paper)):
        rows.append([*(first if not number else [Segment(indent)]), *line])
    if entry.why:
        text = clip(_("not sent: {}").format(entry.why), paper.width - paper.indent)
        rows.append([Segment(indent), Segment(text, Style(color=look.alarm))])
    if entry.reactions:
        shown = "  ".join(f"{what} {len(names)}" for what, names in entry.reactions.items())
        rows.append([Segment(indent), Segment(clip(shown, paper.width - paper.indent), Style(color=look.accent))])
    return rows


def _body(entry: Entry, paper: Paper) -> list[Row]:
    look = paper.look
    base = Style(color=look.dim if entry.state is State.WAITING else look.text)
    text = entry.text
    if entry.redacted:
        text, base = _("This message was taken back."), Style(color=look.dim, italic=True)
    elif entry.kind is Kind.ACTION:
        text, base = f"{entry.sender} {text}", base + Style(italic=True)
    spans = [(start, end, text[start:end]) for start, end in links(text)] if "://" in text else []
    return [
        _styled(text, start, end, base, spans, look)
        for start, end in wrap(text, paper.width - paper.indent - 1)[:MAX_ROWS]
    ]


MAX_ROWS: Final = 600
"""Rows of one message that are drawn; the server's longest has 128 lines."""


def _styled(text: str, start: int, end: int, base: Style, spans: list[tuple[int, int, str]], look: Look) -> Row:
    row, at = [], start
    for first, last, address in spans:
        left, right = max(first, start), min(last, end)
        if left < right:
            row.append(Segment(text[at:left], base))
            link = Style(color=look.accent, underline=True, link=address)
            row.append(Segment(text[left:right], link))
            at = right
    row.append(Segment(text[at:end], base))
    return row


def _told(entry: Entry, paper: Paper) -> list[Row]:
    look = paper.look
    alarm = entry.kind is Kind.PROBLEM
    style = Style(color=look.alarm if alarm else look.dim)
    sign = "!" if alarm else "·"
    if paper.narrow:
        head: Row = [Segment(f"{sign} ", style)]
    else:
        head = [
            Segment(f"{_clock(entry.time)} ", Style(color=look.dim)),
            Segment(pad(sign, NAME, right=True), style),
        ]
        head.append(Segment("  "))
    lines = in_columns(entry.text, paper.width - paper.indent - 1)[:MAX_ROWS]
    return [
        [*(head if not number else [Segment(" " * paper.indent)]), Segment(line, style)]
        for number, line in enumerate(lines)
    ]


def _grouped(entry: Entry, before: Entry | None) -> bool:
    """Whether an entry goes on what the one before began: its name is not said again."""
    if before is None or not before.spoken or entry.kind is not before.kind or entry.sender != before.sender:
        return False
    return entry.time - before.time < GROUP_MS and _day(before.time) == _day(entry.time) and not entry.reply


def _rule(text: str, paper: Paper, colour: str) -> Row:
    side = max(2, (paper.width - len(text) - 2) // 2)
    line = f"{'─' * side} {text} {'─' * max(2, paper.width - side - len(text) - 2)}"
    return [Segment(line[: paper.width], Style(color=colour))]


def _clock(time: int) -> str:
    return f"{_local(time):%H:%M}"


def _day(time: int) -> str:
    return f"{_local(time):%Y-%m-%d}"


def _local(time: int) -> datetime:
    try:
        return datetime.fromtimestamp(time / 1000)  # noqa: DTZ006  # this machine's time zone is meant
    except (ValueError, OverflowError, OSError):
        return datetime(1970, 1, 1)  # noqa: DTZ001
