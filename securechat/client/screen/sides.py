"""What stands around the timeline: conversations, members, topic and status, made of the desk."""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from rich.style import Style

from securechat.client.channels import RANKS
from securechat.client.desk.desk import Desk
from securechat.client.desk.talk import Talk
from securechat.client.screen.lists import Line
from securechat.client.screen.look import Look
from securechat.client.screen.wrap import clip
from securechat.client.text import clean
from securechat.client.words import _, ngettext
from securechat.protocol.names import fold

MAX_MEMBERS: Final = 500


def conversations(desk: Desk, look: Look) -> list[Line]:
    """Return the list of conversations: channels, then people; what is new is bold, with its count."""
    lines: list[Line] = []
    group = 0
    for key, one in desk.listed():
        kind = 1 if one.channel else 2
        if key and kind != group:
            group = kind
            if lines:
                lines.append(Line(""))
            lines.append(Line(_("CHANNELS") if kind == 1 else _("PEOPLE"), style=Style(color=look.dim)))
        count = f"@{one.mentions}" if one.mentions else str(one.unread) if one.unread else ""
        chosen = key == desk.current
        loud = bool(one.unread) and not one.muted
        colour = look.text if chosen else look.dim
        if loud:
            colour = look.alarm if one.mentions else look.accent
        style = Style(color=colour, bold=loud or chosen, bgcolor=look.selected if chosen else None)
        waiting = "… " if one.pending else ""
        muted = " ×" if one.muted else ""
        name = f"{waiting}{named(key, one.name)}{muted}"
        lines.append(Line(name, count, key, style, chosen))
    return lines


def named(key: str, name: str) -> str:
    """Return what a conversation is called: by its name, or that of the server's in the person's language."""
    return name if key else _(name)


def _more(count: int) -> str:
    return ngettext("and {} more", "and {} more", count).format(count)


def members(talk: Talk, look: Look) -> list[Line]:
    """Return who is in the channel that is shown, those with rank first."""
    channel = talk.model.channels.get(talk.desk.current) if talk.model is not None else None
    if channel is None:
        return []

    def place(name: str) -> tuple[int, str]:
        rank = RANKS.find(name[0]) if name[0] in RANKS else len(RANKS)
        return rank, fold(name.lstrip(RANKS))

    names = sorted((clean(name) for name in channel.members.values()), key=place)
    head = Line(_("MEMBERS {}").format(len(names)), style=Style(color=look.dim))
    rows = [
        Line(name, key=name.lstrip(RANKS), style=Style(color=look.of(name.lstrip(RANKS))))
        for name in names[:MAX_MEMBERS]
    ]
    more = [Line(_more(len(names) - MAX_MEMBERS))] if len(names) > MAX_MEMBERS else []
    return [head, *rows, *more]


def topic(talk: Talk, look: Look, *, folded: bool) -> list[Segment]:
    """Return the row above: where we are and what it is about; what is new elsewhere where the list is folded."""
    desk = talk.desk
    pieces = [Segment(f" {named(desk.current, desk.here.name)}", Style(bold=True, color=look.text))]
    if folded:
        called = sum(one.mentions for one in desk.conversations.values() if not one.muted)
        new = sum(one.unread for one in desk.conversations.values() if not one.muted)
        if called or new:
            text, colour = (f" @{called}", look.alarm) if called else (f" +{new}", look.accent)
            pieces.append(Segment(text, Style(bold=True, color=colour)))
    channel = talk.model.channels.get(desk.current) if talk.model is not None else None
    if channel is not None and channel.topic:
        pieces.append(Segment(f"  {clean(channel.topic)}", Style(color=look.dim)))
    return pieces


def status(talk: Talk, look: Look, pin: str, host: str, *, width: int) -> list[Segment]:
    """Return the row below: the connection, how it is protected, the lag, what waits."""
    good = talk.link == "connected"
    words = {
        "connecting": _("connecting to {}").format(host),
        "connected": host if talk.ready else _("{}: catching up").format(host),
        "waiting": _("offline, trying {} again").format(host),
        "over": _("not connected"),
    }
    colour = look.names[3] if good and talk.ready else look.alarm if talk.link != "connecting" else look.accent
    pieces = [Segment(" ● ", Style(color=colour)), Segment(words[talk.link], Style(color=look.text))]
    dim = Style(color=look.dim)
    if width >= 60:
        pieces += [Segment(f"  {talk.tls}", dim)] if talk.tls and good else []
        pieces += [Segment(f"  CA {pin}", dim)] if pin else []
    if talk.lag is not None and good:
        pieces.append(Segment(_("  {} ms").format(talk.lag), Style(color=look.alarm) if talk.lag > 2000 else dim))
    if len(talk.waiting) and not talk.ready:
        pieces.append(Segment(_("  {} waiting").format(len(talk.waiting)), Style(color=look.accent)))
    if width >= 112:
        pieces.append(Segment(_("   Ctrl+P commands  Ctrl+F find  F1 help"), dim))
    return pieces


def typists(talk: Talk, now: int, width: int) -> str:
    """Return who is typing here, in a sentence."""
    names = talk.desk.here.typists(now)
    if not names:
        return ""
    text = ngettext("{} is typing …", "{} are typing …", len(names))
    return clip(text.format(", ".join(names)), width)
