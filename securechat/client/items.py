"""What a person is shown: one item per line of the conversation. Front ends give it a look."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class What(Enum):
    """What an item tells. The comment says which fields of Item it uses besides `time`."""

    MESSAGE = "message"  # sender, text; channel or recipient
    ACTION = "action"  # the same, said of oneself: CTCP ACTION
    NOTICE = "notice"  # the same, from a program
    JOINED = "joined"  # sender, channel
    LEFT = "left"  # sender, channel, text (why)
    REMOVED = "removed"  # sender (who did it), recipient, channel, text (why)
    QUIT = "quit"  # sender, text (why)
    RENAMED = "renamed"  # sender, text (the new name)
    TOPIC = "topic"  # channel, text: it is that
    TOPIC_SET = "topic set"  # sender, channel, text: somebody made it that
    NAMES = "names"  # channel, names: who is there
    TALKING = "talking"  # channel (or a person): what is typed goes there from now on (empty: nowhere)
    INFO = "info"  # text: something that the server or the client says
    PROBLEM = "problem"  # text: something that did not work


@dataclass(frozen=True, slots=True)
class Item:
    """What to show. All texts are clean already (text.clean): they can be printed as they are.

    `time` is in milliseconds since 1970. `own` says that it is about ourselves: our words, our joining; `old` that
    it comes from the log. Only what somebody says may have several lines.
    A message has a `channel`, or none and a `recipient`: then it is direct.
    """

    what: What
    time: int
    text: str = ""
    sender: str = ""
    channel: str = ""
    recipient: str = ""
    names: tuple[str, ...] = ()
    own: bool = False
    old: bool = False
