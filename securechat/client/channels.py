"""What the client knows about one channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from securechat.protocol.names import fold

MAX_CHANNELS: Final = 10_000
MAX_MEMBERS: Final = 100_000
"""How much of what a server claims is remembered (law 5)."""
RANKS: Final = "~&@%+"
"""What can stand before a name in a list of members, highest first (modern-irc, "Channel Membership Prefixes")."""


@dataclass(slots=True)
class Channel:
    """A channel that we are in. Owned by the model. `members` maps casefolded names to names with their rank."""

    name: str
    topic: str = ""
    members: dict[str, str] = field(default_factory=dict)
    incoming: dict[str, str] = field(default_factory=dict)
    """The list of names that the server is telling us at the moment."""

    def tell(self, names: list[str]) -> None:
        """Take a part of the list of names (numeric 353)."""
        for name in names:
            bare = name.lstrip(RANKS)
            if bare and len(self.incoming) < MAX_MEMBERS:
                # With multi-prefix there may be several ranks; the highest is first and says it all.
                rank = name[0] if name[0] in RANKS else ""
                self.incoming[fold(bare)] = rank + bare

    def told(self) -> tuple[str, ...]:
        """End the list of names (numeric 366): it is who is here now. Gives it in order of name."""
        self.members, self.incoming = self.incoming, {}
        return tuple(sorted(self.members.values(), key=lambda name: fold(name.lstrip(RANKS))))

    def add(self, name: str) -> None:
        """Note that somebody came."""
        if len(self.members) < MAX_MEMBERS:
            self.members[fold(name)] = name

    def remove(self, name: str) -> bool:
        """Note that somebody left; say whether they were here."""
        return self.members.pop(fold(name), None) is not None
