"""Items as lines of text for a terminal or a pipe. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from securechat.client.items import Item, What
from securechat.client.words import N_, _, ngettext

MAX_NAMES: Final = 200
"""Names shown of one channel; a list beyond that helps nobody."""

_FURTHER: Final = "\n        "
_DIM: Final = "2"
_RED: Final = "31"
_CYAN: Final = "36"
_MAGENTA: Final = "35"
_BOLD: Final = "1"


def _paint(text: str, code: str, *, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour and text else text


class Renderer:
    """Gives each item its look. With `colour` it may use the eight colours that every terminal has."""

    def __init__(self, *, colour: bool = False) -> None:
        self._colour = colour

    def line(self, item: Item, now: int) -> str:
        """Return what to print for `item`, with the time of day, and the day as well unless that is today (`now`).

        What people say begins with a channel or a name, what the client says with "--" or "!!": nobody can
        imitate the client.
        """
        clock = _paint(_clock(item.time, 0 if item.old else now), _DIM, colour=self._colour)
        if item.what in _SPOKEN:
            # Further lines of a message stand in from the edge: none can be taken for another's.
            return f"{clock} {self._spoken(item)}".replace("\n", _FURTHER)
        if item.what is What.PROBLEM:
            return f"{clock} {_paint(f'!! {item.text}', _RED, colour=self._colour)}"
        return f"{clock} {_paint(f'-- {_EVENTS[item.what](item)}', _DIM, colour=self._colour)}"

    def _spoken(self, item: Item) -> str:
        name = _paint(item.sender, _BOLD if item.own else _CYAN, colour=self._colour)
        if item.channel:
            return f"{item.channel} {_SPOKEN[item.what].format(name)} {item.text}"
        sender, recipient = (_("you"), item.recipient) if item.own else (item.sender, _("you"))
        if item.own and item.sender == item.recipient:
            recipient = _("you")
        way = _paint(f"{sender} -> {recipient}:", _MAGENTA, colour=self._colour)
        return f"{way} {_(_DIRECT[item.what]).format(name)}{item.text}"


_SPOKEN: Final = {What.MESSAGE: "<{}>", What.ACTION: "* {}", What.NOTICE: "-{}-"}
"""How the sender stands before what is said in a channel..."""
_DIRECT: Final = {What.MESSAGE: "", What.ACTION: "* {} ", What.NOTICE: N_("(notice) ")}
"""... and what stands before it in a direct message, where the sender stands already."""


def _clock(time: int, now: int) -> str:
    try:
        then, today = datetime.fromtimestamp(time / 1000), datetime.fromtimestamp(now / 1000)  # noqa: DTZ006
    except (ValueError, OverflowError, OSError):  # a server may send any time
        return "[--:--]"
    return f"[{then:%H:%M}]" if then.date() == today.date() else f"[{then:%Y-%m-%d %H:%M}]"


def _why(text: str) -> str:
    return f" ({text})" if text else ""


def _joined(item: Item) -> str:
    if item.own:
        return _("you are in {}").format(item.channel)
    return _("{name} joined {channel}").format(name=item.sender, channel=item.channel)


def _left(item: Item) -> str:
    text = _("you left {channel}") if item.own else _("{name} left {channel}")
    return text.format(name=item.sender, channel=item.channel) + _why(item.text)


def _removed(item: Item) -> str:
    text = (
        _("you were removed from {channel} by {sender}")
        if item.own
        else _("{name} was removed from {channel} by {sender}")
    )
    return text.format(name=item.recipient, channel=item.channel, sender=item.sender) + _why(item.text)


def _quit(item: Item) -> str:
    # Servers put "Quit" before the reason that a person gave, to tell it from their own.
    reason = item.text.removeprefix("Quit").removeprefix(": ")
    return _("{} quit").format(item.sender) + _why(reason)


def _renamed(item: Item) -> str:
    text = _("you are {new} now") if item.own else _("{old} is {new} now")
    return text.format(old=item.sender, new=item.text)


def _topic(item: Item) -> str:
    text = _("topic of {channel}: {topic}") if item.text else _("{channel} has no topic")
    return text.format(channel=item.channel, topic=item.text)


def _topic_set(item: Item) -> str:
    if item.own:
        text = (
            _("you set the topic of {channel}: {topic}")
            if item.text
            else _("you took away the topic of {channel}")
        )
    else:
        text = (
            _("{name} set the topic of {channel}: {topic}")
            if item.text
            else _("{name} took away the topic of {channel}")
        )
    return text.format(name=item.sender, channel=item.channel, topic=item.text)


def _names(item: Item) -> str:
    shown = ", ".join(item.names[:MAX_NAMES])
    beyond = len(item.names) - MAX_NAMES
    more = ngettext(" and {} more", " and {} more", beyond).format(beyond) if beyond > 0 else ""
    people = ngettext("{} person", "{} people", len(item.names)).format(len(item.names))
    return f"{item.channel}: {people}: {shown}{more}"


def _talking(item: Item) -> str:
    if not item.channel:
        return _("you are in no channel now")
    text = _("you talk in {} now") if item.channel.startswith("#") else _("you talk with {} now")
    return text.format(item.channel)


_EVENTS: Final[dict[What, Callable[[Item], str]]] = {
    What.JOINED: _joined,
    What.LEFT: _left,
    What.REMOVED: _removed,
    What.QUIT: _quit,
    What.RENAMED: _renamed,
    What.TOPIC: _topic,
    What.TOPIC_SET: _topic_set,
    What.NAMES: _names,
    What.TALKING: _talking,
    What.INFO: lambda item: item.text,
}
