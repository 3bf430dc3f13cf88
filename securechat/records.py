"""The nouns that rooms share: what the log holds, what may be asked of it, who may log in. No behaviour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from itertools import count, repeat
from typing import Final, NamedTuple, TypeAlias


class Kind(IntEnum):
    """What an entry says happened. The numbers are stored, so they never change meaning."""

    PRIVMSG = 1
    NOTICE = 2
    """Target "*" is everybody."""
    TAGMSG = 3
    """Tags without a text: a reaction."""
    REDACT = 4
    """A message is taken back: `text` is its msgid and, after a space, why."""
    REDACTED = 5
    """What is left of a message that was taken back: its place. Never drafted; REDACT turns messages into it."""
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
    MARK = 40
    """`sender`, a key, has read `target` (a channel or an account) up to the moment `text` (ms since 1970)."""
    SEEN = 41
    """The device `target` of `sender`, a key, has got everything up to the entry `text`; empty: forget it."""


EPHEMERAL: Final = frozenset({Kind.ATTACH, Kind.DETACH, Kind.AWAY, Kind.SETNAME, Kind.TYPING, Kind.BOT})
"""Kinds that take the same path as all others but are not kept."""

STATE: Final = frozenset(kind for kind in Kind if 10 <= kind <= 19)
"""Kinds that, applied in order, rebuild everything that outlives a restart."""

SAID: Final = frozenset({Kind.PRIVMSG, Kind.NOTICE, Kind.TAGMSG, Kind.REDACT, Kind.REDACTED})
"""Kinds that make up a conversation: each has a number in it."""

LATEST: Final = frozenset({Kind.MARK, Kind.SEEN})
"""Kinds of which only the newest by sender and target is kept; they have no place in the order."""


class Draft(NamedTuple):
    """What somebody asked for and was allowed: an entry that has no place in the log yet.

    `target` is the casefolded channel or account name, `sender` the account's name as its owner writes it,
    `text` of a message of several lines has them joined by LF, or by CR where the next continues the same line,
    `tags` the client-only tags in wire form ("+draft/reply=x;+y") or empty, `key` the sender's idempotency key.
    """

    kind: Kind
    target: str
    sender: str
    text: str = ""
    tags: str = ""
    key: str = ""


FOREIGN: Final = "~"
"""What `Entry.run` begins with where it is a whole msgid: beyond all that a run of this server is called."""


class Entry(NamedTuple):
    """One line of the ordered log. The fields are the columns of its table, in order.

    `seq` counts up by one, `time` is in milliseconds since 1970 (UTC), never less than that of the entry before.
    `run` names the run of the server in which the entry came to be; see `msgid`. `conversation` is what the entry
    is part of: a channel's key, or both accounts' keys in order with a space between, or empty. `number` counts
    what was said in it (`SAID`), from 1; else 0.
    """

    seq: int
    run: str
    time: int
    kind: Kind
    target: str
    sender: str
    text: str = ""
    tags: str = ""
    key: str = ""
    conversation: str = ""
    number: int = 0

    @property
    def msgid(self) -> str:
        """What others call the entry, unique for ever; empty where it has no `run`.

        It is made of what is there anyway: few read it, and kept with each entry it would need an index.
        """
        run = self.run
        return f"{run}-{self.seq:x}" if run and run < FOREIGN else run[1:]

    @property
    def draft(self) -> Draft:
        """What was asked for."""
        return Draft(*self[3:9])


def alike(first: Entry, texts: Iterable[str]) -> list[Entry]:
    """Return an entry and those after it that are like it but for their texts: `seq` and `number` count up.

    Made column by column, in C: each takes half as long as one by itself.
    """
    seq, run, time, kind, target, sender, _, tags, key, conversation, number = first
    before = map(repeat, (run, time, kind, target, sender))
    after = map(repeat, (tags, key, conversation))
    return list(map(_entry, zip(count(seq), *before, texts, *after, count(number), strict=False)))


_entry = partial(tuple.__new__, Entry)
"""`Entry._make` without its look at the length."""


def run_of(msgid: str, seq: int) -> str:
    """Return the `run` of the entry `seq` with this msgid, which may have been given elsewhere."""
    run, _, number = msgid.rpartition("-")
    return run if "" < run < FOREIGN and number == f"{seq:x}" else FOREIGN + msgid


@dataclass(frozen=True, slots=True)
class Device:
    """A certificate by which an account logs in. Times are in milliseconds since 1970.

    `fingerprint` is the SHA-256 of the whole certificate (DER) in hex: it stands for one key, one owner and one
    period, where that of the key alone would outlive a revocation if the key were certified again.
    """

    name: str
    fingerprint: str
    created: int
    not_after: int


@dataclass(frozen=True, slots=True)
class Invite:
    """Leave for somebody new to make the account `name`, once and before `expires` (ms).

    `hash` is the SHA-256 of the token in hex: a token is 128 random bits, so nothing slower is needed.
    """

    name: str
    key: str
    hash: str = field(repr=False)
    created: int
    expires: int
    admin: bool = False


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
    devices: tuple[Device, ...] = ()
    """What it logs in by instead of a password. A device that renewed has several of one name for a while."""

    @property
    def admin(self) -> bool:
        """Whether this account runs the server."""
        return "admin" in self.roles


class Place(NamedTuple):
    """A place in a conversation: a message by its id, or where that is empty a moment (ms since 1970)."""

    msgid: str = ""
    time: int = 0


class Scope(NamedTuple):
    """A conversation as far as somebody may read it: from the entry `seq` and the moment `time` (ms) on."""

    conversation: str
    seq: int = 0
    time: int = 0


class Reader(NamedTuple):
    """Who asks and what they may read: their channels, and their direct messages since `since` (ms)."""

    account: str
    channels: tuple[Scope, ...]
    since: int


class Page(NamedTuple):
    """Ask for what was said in a conversation between two places, both excluded; None is its beginning or end.

    At most `limit` entries: the newest of them if `newest`, else the oldest. Places in the wrong order are
    exchanged, and `newest` with them. `around` asks for what stands around a place instead. `events` adds
    joins, modes and the like, `redacted` what was taken back and that it was. Answered by a Stretch.
    """

    scope: Scope
    limit: int
    after: Place | None = None
    before: Place | None = None
    newest: bool = False
    around: Place | None = None
    events: bool = False
    redacted: bool = False


class Targets(NamedTuple):
    """Ask for the conversations whose newest message is between two moments (ms), both excluded.

    Counted from the first moment. Answered by a list of (conversation, time), oldest first.
    """

    reader: Reader
    first: int
    last: int
    limit: int


class Missed(NamedTuple):
    """Ask for entries of these kinds after the entry `seq`, the newest `limit` of them. Answered by a Stretch."""

    reader: Reader
    seq: int
    limit: int
    kinds: tuple[Kind, ...] = (Kind.PRIVMSG, Kind.NOTICE)


class Search(NamedTuple):
    """Ask for messages that have every word of `text` in them. Answered by a Stretch, oldest first.

    `conversation` and `sender` (an account's key) narrow it down; `after` and `before` are in ms. With `after`
    the first `limit` from there on are found, else the newest. `reader` is None for whoever runs the server.
    """

    reader: Reader | None
    text: str
    limit: int
    conversation: str = ""
    sender: str = ""
    after: int | None = None
    before: int | None = None


class Lookup(NamedTuple):
    """Ask for one entry by its msgid, or by who sent it (`sender` as written) with which `key`. May be None."""

    msgid: str = ""
    sender: str = ""
    key: str = ""


Question: TypeAlias = Page | Targets | Missed | Search | Lookup


class Enrol(NamedTuple):
    """Ask for a certificate for the device `device` of an account (its key). `request` is a PKCS #10 in DER.

    Whoever asks is the account made at `created`, and logged in by the certificate `proof` (its fingerprint;
    empty: by a password): both must still hold when it is noted. Answered by (Device, its certificate in DER).
    """

    account: str
    device: str
    request: bytes
    created: int
    proof: str = ""


class Revoke(NamedTuple):
    """Ask that the certificates of a device of an account (its key) are known no more. Answered by a number."""

    account: str
    device: str


@dataclass(frozen=True, slots=True)
class Redeem:
    """Ask for the account that an invite is for. Answered by the Account. Its repr has no secret (law 7)."""

    name: str
    token: str = field(repr=False)
    password: str = field(repr=False)


Request: TypeAlias = Enrol | Revoke | Redeem
"""Questions that change the users file. Any of them can be answered by Unanswered."""


class Stretch(NamedTuple):
    """Entries in their order; `complete` says that there are no more in the direction that was asked for."""

    entries: list[Entry]
    complete: bool


class Unanswered(NamedTuple):
    """Why a question has no answer: `code` is for programs, `text` one sentence for whoever asked."""

    code: str
    text: str
