"""The mutable things of the hub: sessions, the people behind them, channels. Owned by the sequencer thread."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from securechat.protocol.capabilities import VARIANT_MASK
from securechat.protocol.sasl import Credentials, Exchange
from securechat.records import Account, Device

Groups = dict[tuple[int, int], tuple[Any, ...]]
"""(lane, variant) to the links that are served together and read the same bytes."""


@dataclass(slots=True)
class Registration:
    """What a session has said of itself before its login is complete. Gone afterwards."""

    nick: str = ""
    user: str = ""
    realname: str = ""
    negotiating: bool = False
    """CAP LS or REQ was said and CAP END not yet: the login waits."""
    passed: Credentials | None = None
    """From PASS; checked once the rest is there."""
    checking_pass: bool = False
    """The password being checked is that of PASS, not of SASL."""
    exchange: Exchange | None = None
    joining: Credentials | None = None
    """From REGISTER: who somebody with an invite wants to become."""
    tries: int = 0


@dataclass(slots=True)
class Batch:
    """A client's multiline message: its lines so far, joined as `Entry.text` has them."""

    reference: str
    target: str
    tags: str
    label: str
    command: str = ""
    text: str = ""
    lines: int = 0
    size: int = 0
    fault: tuple[str, ...] = ()
    """Code and text of the FAIL that its end will bring."""


class Session:
    """One connection. `link` is whatever the outside knows it by, `lane` which worker serves it.

    `person` is None until the login is complete, `registration` afterwards.
    """

    __slots__ = (
        "account",
        "active",
        "address",
        "asked",
        "away",
        "batch",
        "caps",
        "certificate",
        "device",
        "enrolling",
        "lane",
        "link",
        "monitored",
        "person",
        "proof",
        "registration",
        "seen",
        "since",
    )

    def __init__(self, link: Any, lane: int = 0, address: str = "", certificate: str = "") -> None:
        self.link = link
        self.lane = lane
        self.address = address
        self.certificate = certificate
        """The SHA-256 of the client certificate that the connection proved to have (hex), or empty."""
        self.proof: Device | None = None
        """That certificate as the users file knows it, if it was logged in by."""
        self.caps: int = 0
        self.account: Account | None = None
        """As it was when this session logged in."""
        self.person: Person | None = None
        self.registration: Registration | None = Registration()
        self.device = ""
        """What it calls itself, to be told from others of its account."""
        self.seen = self.asked = 0
        """The entry up to which it certainly got everything, and that of the question whether it has more."""
        self.away = ""
        self.since = self.active = 0
        """When it logged in and when it last said something (ms)."""
        self.monitored: dict[str, str] | None = None
        """MONITOR list: key to name as given."""
        self.enrolling: Exchange | None = None
        """A certificate request that is being received, by the name of its device."""
        self.batch: Batch | None = None
        """A multiline message that is being received."""

    @property
    def nick(self) -> str:
        """What numerics call this session: its account once the login is complete, '*' before (modern-irc)."""
        return self.account.name if self.account and self.registration is None else "*"


class Audience:
    """The sessions that a line goes to, fixed when it was made. Immutable; one object per membership.

    `variants` are those that somebody in it reads.
    """

    __slots__ = ("groups", "variants")

    def __init__(self, sessions: Iterable[Session]) -> None:
        grouped: dict[tuple[int, int], list[Any]] = {}
        for session in sessions:
            variant = session.caps & VARIANT_MASK
            grouped.setdefault((session.lane, variant), []).append(session.link)
        self.groups: Groups = {key: tuple(links) for key, links in grouped.items()}
        self.variants = frozenset(variant for _, variant in self.groups)


class Person:
    """An account that is a member somewhere or has devices here. All its devices are one member."""

    __slots__ = (
        "_audience",
        "bot",
        "channels",
        "key",
        "name",
        "newest",
        "realname",
        "sessions",
        "source",
        "source_size",
    )

    def __init__(self, name: str, key: str) -> None:
        self.name = name
        self.key = key
        self.realname = ""
        self.bot = False
        self.newest = 0
        """The newest direct message's entry, of those since the server began."""
        # A fixed mask that tells nothing of the address; each part names the account, so that a ban of
        # whatever shape a client makes of it hits this account and no other.
        self.source = f"{name}!u@{key}"
        self.source_size = len(self.source.encode())
        self.sessions: list[Session] = []
        self.channels: dict[str, Channel] = {}
        self._audience: Audience | None = None

    @property
    def audience(self) -> Audience:
        """All devices of this person."""
        if self._audience is None:
            self._audience = Audience(self.sessions)
        return self._audience

    @property
    def away(self) -> str:
        """Why this person is away, or empty: somebody is away when every device says so."""
        if self.sessions and all(session.away for session in self.sessions):
            return self.sessions[-1].away
        return ""

    @property
    def active(self) -> int:
        """When this person last said something on any device (ms)."""
        return max((session.active for session in self.sessions), default=0)

    def neighbours(self) -> Iterable[Session]:
        """Give the devices of everybody who shares a channel with this person, their own included, once each."""
        seen = dict.fromkeys(self.sessions)
        for channel in self.channels.values():
            for member in channel.members.values():
                seen |= dict.fromkeys(member.person.sessions)
        return seen

    def devices_changed(self) -> None:
        """Forget every audience that this person's devices are part of."""
        self._audience = None
        for channel in self.channels.values():
            channel.members_changed()


@dataclass(slots=True)
class Topic:
    """A channel's topic, who set it and when (ms)."""

    text: str = ""
    setter: str = ""
    time: int = 0


class ListEntry(NamedTuple):
    """Who put a mask on a list, and when (ms); and the mask compiled, for it is matched with every line."""

    setter: str
    time: int
    pattern: re.Pattern[str]


@dataclass(slots=True)
class Member:
    """One person in one channel, since `since` (ms). `ranks` has "o" and "v"; owning is the channel's."""

    person: Person
    since: int
    ranks: frozenset[str] = frozenset()
    seq: int = 0
    """The entry with which that began."""


@dataclass(slots=True, eq=False)
class Channel:
    """A channel, which lasts whether anybody is in it or not. `owner` is an account's key or empty."""

    name: str
    key: str
    owner: str
    created: int
    topic: Topic = field(default_factory=Topic)
    flags: frozenset[str] = frozenset("nt")
    password: str = ""
    """Mode +k; empty: none."""
    limit: int = 0
    """Mode +l; 0: none."""
    lists: dict[str, dict[str, ListEntry]] = field(default_factory=lambda: {"b": {}, "e": {}, "I": {}})
    """Masks of modes +b, +e and +I."""
    invited: dict[str, int] = field(default_factory=dict)
    """Keys of accounts that may join once, and when they were invited (ms)."""
    members: dict[str, Member] = field(default_factory=dict)
    newest: int = 0
    """The newest message's entry, of those since the server began."""
    _audience: Audience | None = None

    @property
    def audience(self) -> Audience:
        """All devices of all members that are here now."""
        if self._audience is None:
            here = (session for member in self.members.values() for session in member.person.sessions)
            self._audience = Audience(here)
        return self._audience

    def members_changed(self) -> None:
        """Forget the audience; lines already decided keep theirs."""
        self._audience = None

    def present(self) -> list[Person]:
        """Members who have a device here, in the order in which they joined."""
        return [member.person for member in self.members.values() if member.person.sessions]
