"""One line of a conversation, as it is kept for showing. All texts are harmless for a terminal already."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

MAX_REACTIONS: Final = 50
"""Different reactions to one message, and people remembered for each, that are shown (law 5)."""


class Kind(Enum):
    """What an entry is."""

    MESSAGE = "message"
    ACTION = "action"
    NOTICE = "notice"
    EVENT = "event"  # somebody came, left, set a topic: text says it all
    INFO = "info"
    PROBLEM = "problem"


class State(Enum):
    """How far an entry of our own has got."""

    KEPT = "kept"  # the server has it; so is everything of others
    WAITING = "waiting"
    REFUSED = "refused"


SPOKEN: Final = frozenset({Kind.MESSAGE, Kind.ACTION, Kind.NOTICE})


@dataclass(slots=True, eq=False)
class Entry:
    """One message (its lines joined by LF) or event. Owned by its conversation.

    `time` is in milliseconds since 1970, `number` its place in the conversation (0: none). `reply` is the msgid
    that it answers. `version` counts its changes, so that whoever draws it knows when to do so again.
    """

    kind: Kind
    time: int
    text: str
    sender: str = ""
    msgid: str = ""
    number: int = 0
    own: bool = False
    mention: bool = False
    reply: str = ""
    state: State = State.KEPT
    key: str = ""
    why: str = ""
    redacted: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    version: int = 0

    @property
    def order(self) -> tuple[int, int]:
        """What entries of a conversation are sorted by."""
        return self.time, self.number

    @property
    def spoken(self) -> bool:
        """Whether somebody said it."""
        return self.kind in SPOKEN

    def react(self, name: str, reaction: str, *, on: bool) -> None:
        """Note that `name` reacts, or takes that back."""
        names = self.reactions.get(reaction, [])
        if on and name not in names and len(names) < MAX_REACTIONS:
            if reaction in self.reactions or len(self.reactions) < MAX_REACTIONS:
                self.reactions[reaction] = [*names, name]
        elif not on and name in names:
            self.reactions[reaction] = [one for one in names if one != name]
            if not self.reactions[reaction]:
                del self.reactions[reaction]
        self.version += 1

    def redact(self) -> None:
        """Forget what was said."""
        self.text, self.redacted = "", True
        self.reactions.clear()
        self.version += 1
