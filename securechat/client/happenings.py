"""What a `Client` tells, as typed and frozen events; and how they are read from the server's messages. Pure.

Texts are as somebody sent them: `clean` makes them harmless for a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from securechat.client import events
from securechat.client.places import Gap, conversation, told
from securechat.client.receipts import Answer, Receipt
from securechat.protocol.message import Message as Line
from securechat.protocol.message import parse_tags
from securechat.protocol.names import fold

Interrupted = events.Interrupted


@dataclass(frozen=True, slots=True)
class Said:
    """What all that somebody sends to a conversation has.

    `time` is aware and the server's; `target` is the channel or the person, and `conversation` what both sides'
    messages have in common: the channel, or the other person. `number` counts a conversation's messages without
    a gap. `tags` are all tags of the line, unescaped.
    """

    msgid: str
    time: datetime
    sender: str
    target: str
    conversation: str
    number: int | None
    own: bool
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Message(Said):
    """A message, of one or several lines. `reply_to` is the msgid that it answers, or empty."""

    text: str
    reply_to: str = ""
    notice: bool = False
    action: bool = False


@dataclass(frozen=True, slots=True)
class Reaction(Said):
    """Somebody reacts with `emoji` to the message `to`, or takes that back (`removed`)."""

    to: str
    emoji: str
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Redaction(Said):
    """The message `redacted` was taken back. In history it stands in that message's place."""

    redacted: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody types in `conversation`: `state` is "active", "paused" or "done"."""

    time: datetime
    sender: str
    conversation: str
    state: str
    own: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """`name` came into a channel; `own`: we did."""

    time: datetime
    name: str
    channel: str
    own: bool


@dataclass(frozen=True, slots=True)
class Left:
    """`name` left a channel, or was removed from it `by` somebody else. No `channel`: they left the server."""

    time: datetime
    name: str
    channel: str
    reason: str
    by: str
    own: bool


@dataclass(frozen=True, slots=True)
class TopicChanged:
    """The topic of a channel is `topic`; no `sender`: it was so when we came."""

    time: datetime
    sender: str
    channel: str
    topic: str
    own: bool


@dataclass(frozen=True, slots=True)
class ReadUpTo:
    """We have read `target` up to `time` on one of our devices; None: nothing yet."""

    target: str
    time: datetime | None


@dataclass(frozen=True, slots=True)
class Connected:
    """We are logged in as `nick`; what was missed follows, and then Resumed. `tls` is such as "TLSv1.3"."""

    nick: str
    tls: str
    again: bool


@dataclass(frozen=True, slots=True)
class Resumed:
    """All that was missed is here, and what waited is said. At the first connection: all channels are known."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The server has one of our messages on disk."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Refused:
    """The server will not have one of our messages; `receipt.error` says why."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Answered:
    """One of our questions has its answer."""

    answer: Answer[Any]


@dataclass(frozen=True, slots=True)
class Raw:
    """Any other message of the server, as it is."""

    message: Line


Event: TypeAlias = (
    Message
    | Reaction
    | Redaction
    | Typing
    | Joined
    | Left
    | TopicChanged
    | ReadUpTo
    | Connected
    | Interrupted
    | Resumed
    | Gap
    | Kept
    | Refused
    | Answered
    | Raw
)

_ACTION: Final = "\x01ACTION "


def read(line: Line, nick: str) -> Event:
    """Return what a message means to `nick`; Raw where it is nothing of the above."""
    reader = _READERS.get(line.command)
    least = _LEAST.get(line.command, 1)
    event = reader(line, parse_tags(line.tags), nick) if reader and len(line.params) >= least else None
    return event or Raw(line)


def moment(stamp: str) -> datetime | None:
    """Return a moment on the wire (IRCv3 server-time) as an aware datetime; None where it is none."""
    try:
        found = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _when(tags: dict[str, str]) -> datetime:
    return moment(tags.get("time", "")) or datetime.now(UTC)


def _who(line: Line) -> str:
    return (line.source or "").partition("!")[0]


def _said(line: Line, tags: dict[str, str], nick: str) -> tuple[str, datetime, str, str, str, int | None, bool]:
    counted = told(line, tags)
    sender = _who(line)
    return (
        tags.get("msgid", ""),
        _when(tags),
        sender,
        line.params[0],
        conversation(line, nick),
        counted.number if counted is not None else None,
        fold(sender) == fold(nick),
    )


def _message(line: Line, tags: dict[str, str], nick: str) -> Event | None:
    text = line.params[1]
    action = text.startswith(_ACTION)
    if text.startswith("\x01") and not action:
        return None  # a request of another client's machinery
    if "!" not in (line.source or "") and "msgid" not in tags:
        return None  # from the server itself
    text = text.removeprefix(_ACTION).removesuffix("\x01") if action else text
    reply = tags.get("+draft/reply", "") or tags.get("+reply", "")
    return Message(*_said(line, tags, nick), tags, text, reply, line.command == "NOTICE", action)


def _tagmsg(line: Line, tags: dict[str, str], nick: str) -> Event | None:
    to = tags.get("+draft/reply", "") or tags.get("+reply", "")
    for name, removed in (("+draft/react", False), ("+draft/unreact", True)):
        if name in tags:
            return Reaction(*_said(line, tags, nick), tags, to, tags[name], removed)
    if "+typing" not in tags:
        return None
    sender = _who(line)
    return Typing(_when(tags), sender, conversation(line, nick), tags["+typing"], fold(sender) == fold(nick))


def _redact(line: Line, tags: dict[str, str], nick: str) -> Event:
    return Redaction(*_said(line, tags, nick), tags, line.params[1], "".join(line.params[2:3]))


def _join(line: Line, tags: dict[str, str], nick: str) -> Event:
    name = _who(line)
    return Joined(_when(tags), name, line.params[0], fold(name) == fold(nick))


def _left(line: Line, tags: dict[str, str], nick: str) -> Event:
    who, params = _who(line), line.params
    if line.command == "KICK":
        return Left(_when(tags), params[1], params[0], "".join(params[2:3]), who, fold(params[1]) == fold(nick))
    channel, reason = ("", params[0:1]) if line.command == "QUIT" else (params[0], params[1:2])
    return Left(_when(tags), who, channel, "".join(reason), "", fold(who) == fold(nick))


def _topic(line: Line, tags: dict[str, str], nick: str) -> Event:
    if line.command == "TOPIC":
        sender, channel, topic = _who(line), *line.params[:2]
        return TopicChanged(_when(tags), sender, channel, topic, fold(sender) == fold(nick))
    return TopicChanged(_when(tags), "", line.params[1], line.params[2], own=False)


def _mark(line: Line, _tags: dict[str, str], _nick: str) -> Event:
    return ReadUpTo(line.params[0], moment(line.params[1].partition("=")[2]))


_READERS: Final[dict[str, Callable[[Line, dict[str, str], str], Event | None]]] = {
    "PRIVMSG": _message,
    "NOTICE": _message,
    "TAGMSG": _tagmsg,
    "REDACT": _redact,
    "JOIN": _join,
    "PART": _left,
    "KICK": _left,
    "QUIT": _left,
    "TOPIC": _topic,
    "332": _topic,
    "MARKREAD": _mark,
}
_LEAST: Final = {"PRIVMSG": 2, "NOTICE": 2, "REDACT": 2, "KICK": 2, "QUIT": 0, "TOPIC": 2, "332": 3, "MARKREAD": 2}
