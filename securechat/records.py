"""The nouns that rooms share: what the log holds and who may log in. No behaviour, no imports of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple


class Kind(IntEnum):
    """What an entry says happened. The numbers are stored, so they never change meaning."""

    PRIVMSG = 1
    NOTICE = 2
    """Target "*" is everybody."""
    TAGMSG = 3
    """Tags without a text: a reaction."""
    JOIN = 10
    PART = 11
    TOPIC = 12
    CREATE = 14
    """A channel begins: `text` is its name as first written, `sender` its owner (empty: nobody's)."""
    MODE = 15
    """A channel's modes change: `text` is the change as on the wire, "+o-v bob carol"."""
    KICK = 16
    """`text` is the name of who is kicked, a space and the reason."""
    INVITE = 17
    """`text` is the name of who is invited."""
    FORGET = 13
    """An account is gone for good: its memberships and ranks end."""
    ONLINE = 20
    """The first device of an account arrived."""
    OFFLINE = 21
    """The last device of an account left: others see QUIT."""
    ATTACH = 30
    """A further device of an account arrived. Concerns nobody else, never stored."""
    DETACH = 31
    """A device left and others remain. Never stored."""
    AWAY = 32
    """`text` is why, empty when back."""
    SETNAME = 33
    """`text` is the new real name."""
    TYPING = 34
    """A TAGMSG that nobody will want to read later."""
    BOT = 35
    """`text` is "+" or "-": the person's devices are a program, or not."""


EPHEMERAL: Final = frozenset({Kind.ATTACH, Kind.DETACH, Kind.AWAY, Kind.SETNAME, Kind.TYPING, Kind.BOT})
"""Kinds that take the same path as all others but are not kept."""

STATE: Final = frozenset(kind for kind in Kind if 10 <= kind <= 19)
"""Kinds that, applied in order, rebuild everything that outlives a restart."""


class Draft(NamedTuple):
    """What somebody asked for and was allowed: an entry that has no place in the log yet.

    `target` is the casefolded channel or account name, `sender` the account's name as its owner writes it,
    `text` of a message of several lines has them joined by LF, or by CR where the next continues the same line,
    `tags` the client-only tags in wire form ("+draft/reply=x;+y") or empty.
    """

    kind: Kind
    target: str
    sender: str
    text: str = ""
    tags: str = ""


class Entry(NamedTuple):
    """One line of the ordered log. The fields are the columns of its table, in order.

    `seq` counts up by one, `msgid` is unique for ever, `time` is in milliseconds since 1970 (UTC).
    """

    seq: int
    msgid: str
    time: int
    kind: Kind
    target: str
    sender: str
    text: str = ""
    tags: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """One person of the users file. `key` is the casefolded name; `created` is in milliseconds since 1970."""

    name: str
    key: str
    hash: str = field(repr=False)
    created: int
    roles: frozenset[str] = frozenset()
    disabled: bool = False
    kicked: int = 0
    """Connections that logged in before this moment (ms) are to end."""

    @property
    def admin(self) -> bool:
        """Whether this account runs the server."""
        return "admin" in self.roles
