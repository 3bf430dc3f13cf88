"""The heart: decides what a message may do, and applies what was decided. Pure and single-threaded.

`decide`, `depart`, `confirm` and `accounts_changed` only look, and yield effects; the shared state changes in
`apply` alone. (A session's own affairs are not shared: its capabilities, its open batch, its MONITOR list, when it
last spoke, what it was asked.) Whoever drives the hub applies each draft before it takes the next effect.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from securechat.chat import apply, commands, faults, multiline, render, replay, welcome
from securechat.chat.effects import Close, Effects, Output, Reply
from securechat.chat.people import Channel, Person, Session
from securechat.chat.retry import Keys
from securechat.chat.rules import Rules
from securechat.protocol import numerics
from securechat.protocol.errors import Fault
from securechat.protocol.message import Message
from securechat.protocol.names import fold
from securechat.protocol.numerics import Numeric, numeric
from securechat.records import Account, Draft, Entry, Kind


class Hub:
    """Everybody and every channel. Owned by the sequencer thread."""

    def __init__(self, rules: Rules, accounts: Mapping[str, Account], now: int = 0) -> None:
        self.rules = rules
        self.people: dict[str, Person] = {}
        self.here: dict[str, Person] = {}
        """Those with a device here, by key: every login counts them."""
        self.channels: dict[str, Channel] = {}
        self.secret: set[str] = set()
        """Those with mode +s, by key."""
        self._know(accounts)
        self.watchers: dict[str, dict[Session, None]] = {}
        """Who watches an account, by its key (MONITOR)."""
        self.commands = commands.TABLE
        self.isupport = welcome.isupport(rules, (name for name, row in commands.TABLE.items() if row.listed))
        self.lobby = fold(rules.lobby) if rules.lobby else ""
        self.born = self.now = now
        """When it began, and the time of this turn (ms); set by the driver: there is no clock here."""
        self.restoring = False
        """Entries are being applied again: nobody is to hear of them."""
        self.most = 0
        """Most people here at once."""
        self.newest = 0
        """The number of the newest entry."""
        self.recent: deque[Entry] = deque(maxlen=rules.limits.recent)
        """The newest messages."""
        self.keys = Keys(rules.limits.keys)
        self.marks: dict[str, dict[str, int]] = {}
        """Up to where a person has read (ms): by account, then channel or account."""
        self.seen: dict[str, dict[str, int]] = {}
        """Up to which entry a device has got everything: by account, then device."""
        self.confirm_at = 0

    def open(self, link: Any, lane: int = 0, address: str = "", certificate: str = "") -> Session:
        """Return the session of a new connection, which has not logged in."""
        return Session(link, lane, address, certificate)

    def prepare(self) -> Effects:
        """Decide what has to exist before anybody comes: the lobby."""
        if self.rules.lobby and self.lobby not in self.channels:
            yield Draft(Kind.CREATE, self.lobby, "", self.rules.lobby)

    def decide(self, session: Session, message: Message | Fault) -> Effects:
        """Decide one line of a session; a fault stands for a line that was none."""
        if isinstance(message, Fault):
            return faults.refuse(self, session, message)
        if message.tags and (collected := multiline.collect(self, session, message)) is not None:
            return collected
        row = commands.TABLE.get(message.command)
        if row is None or (session.person is None and not row.stranger):
            return iter((self._unknown(session, message.command),))
        if len(message.params) < row.minimum:
            return iter((self.numeric(session, numerics.ERR_NEEDMOREPARAMS, message.command),))
        limit = self.rules.limits.targets
        if 0 < row.listed <= len(message.params) and message.params[row.listed - 1].count(",") >= limit:
            return iter((self.numeric(session, numerics.ERR_TOOMANYTARGETS, text=(limit,)),))
        if row.admin and not (session.person is not None and self.admin(session.person)):
            return iter((self.numeric(session, numerics.ERR_NOPRIVILEGES),))
        return row.handler(self, session, message)

    def welcome(self, session: Session) -> Effects:
        """Say what a client is told when its login is complete."""
        return welcome.burst(self, session)

    def confirm(self) -> Effects:
        """Decide whom to ask whether they have got what was sent to them."""
        return replay.confirm(self)

    def depart(self, session: Session, reason: str) -> Effects:
        """Decide the end of a connection; `reason` is what others read. Nothing where it never logged in."""
        person = session.person
        if person is not None and session in person.sessions:
            last = len(person.sessions) == 1
            text = reason if render.excess(person.source_size, "QUIT", "", reason) <= 0 else "Quit"
            yield Draft(Kind.OFFLINE if last else Kind.DETACH, "", person.name, text)

    def accounts_changed(self, accounts: Mapping[str, Account]) -> Effects:
        """Take in a new users file: who may no longer be here leaves, at once and everywhere.

        An account made anew under an old name is somebody else: what the old one had is forgotten first.
        """
        self._know(accounts)
        for person in list(self.people.values()):
            account = accounts.get(person.key)
            if account is None or _older(person, account):
                yield from self._expel(person, "Account deleted", "Your account was deleted")
                yield Draft(Kind.FORGET, person.key, person.name)
            elif account.disabled:
                yield from self._expel(person, "Account disabled", "Your account is disabled")
            elif any(session.since <= account.kicked for session in person.sessions):
                yield from self._expel(person, "Kicked", "You were disconnected by an administrator")
        for channel in self.channels.values():
            held = {**channel.invited, **({channel.owner: channel.created} if channel.owner else {})}
            for key, since in held.items():
                holder = accounts.get(key)
                if holder is None or holder.created > since:
                    yield Draft(Kind.FORGET, key, key)

    def _know(self, accounts: Mapping[str, Account]) -> None:
        self.accounts = accounts
        """Who may log in, by key. Replaced whole when the users file changes."""
        self.admins = [account.key for account in accounts.values() if account.admin]
        self.devices = {
            device.fingerprint: (account, device) for account in accounts.values() for device in account.devices
        }
        """Who logs in by which certificate."""

    def _expel(self, person: Person, shown: str, told: str) -> Effects:
        """End all connections of a person: others see `shown`, they themselves are `told`."""
        sessions = list(person.sessions)
        if sessions:
            yield Draft(Kind.OFFLINE, "", person.name, shown)
        for session in sessions:
            yield Close(session, render.error(told), shown.lower())

    def apply(self, entry: Entry, origin: Session | None = None) -> list[Output]:
        """Change the state by one entry and return who gets what. `origin` is the session that caused it."""
        self.newest = entry.seq or self.newest
        return apply.TABLE[entry.kind](self, entry, origin)

    def restore(
        self, newest: int, entries: Iterable[Entry], latest: Iterable[Draft] = (), keyed: Iterable[Entry] = ()
    ) -> None:
        """Rebuild what outlives a restart from the log, keeping the sessions that are here.

        `newest` is the number of the last entry; the others are what `storage.log.Log` calls state, latest and
        keyed. Used at the start, and when a commit failed: then the hub goes back to what the disk says.
        """
        self.channels, self.people, self.secret = {}, dict(self.here), set()
        for person in self.here.values():
            person.channels = {}
        self.restoring = True
        try:
            for entry in entries:
                self.apply(entry)
            self.marks, self.seen = {}, {}
            for draft in latest:
                self.apply(Entry(0, "", self.now, *draft))
        finally:
            self.restoring = False
        self.newest = newest
        self.recent = deque((entry for entry in self.recent if entry.seq <= newest), self.recent.maxlen)
        self.keys.restore(keyed)
        for person in self.here.values():
            person.devices_changed()

    def person(self, name: str) -> Person:
        """Return the person with this account name; one who is not known here is new and not kept."""
        key = fold(name)
        return self.people.get(key) or Person(name, key)

    def online(self, key: str) -> bool:
        """Whether an account has a device here."""
        person = self.people.get(key)
        return person is not None and bool(person.sessions)

    def admin(self, person: Person) -> bool:
        """Whether a person runs the server."""
        account = self.accounts.get(person.key)
        return account is not None and account.admin

    def operates(self, person: Person, channel: Channel) -> bool:
        """Whether a person runs a channel: its owner, its operators, and in the lobby every admin."""
        member = channel.members.get(person.key)
        if channel.owner == person.key or (member is not None and "o" in member.ranks):
            return True
        return channel.key == self.lobby and self.admin(person)

    def prefix(self, person: Person, channel: Channel, *, several: bool) -> str:
        """Return the rank signs of a member, highest first, or only the highest (ISUPPORT PREFIX)."""
        signs = "~" if channel.owner == person.key else ""
        signs += "@" if self.operates(person, channel) else ""
        member = channel.members.get(person.key)
        signs += "+" if member is not None and "v" in member.ranks else ""
        return signs if several else signs[:1]

    def visible(self, session: Session, channel: Channel) -> bool:
        """Whether a session may know of a channel: outsiders know nothing of a secret one."""
        return "s" not in channel.flags or (session.person is not None and session.person.key in channel.members)

    def find(self, session: Session, name: str, *, outside: bool = False) -> Channel | Reply:
        """Return the channel that a session is in (or, with `outside`, may know of), or the refusal."""
        channel = self.channels.get(fold(name))
        if channel is None or not self.visible(session, channel):
            return self.numeric(session, numerics.ERR_NOSUCHCHANNEL, render.repeatable(name))
        if not outside and (session.person is None or session.person.key not in channel.members):
            return self.numeric(session, numerics.ERR_NOTONCHANNEL, channel.name)
        return channel

    def watch(self, session: Session, names: Mapping[str, str]) -> None:
        """Put accounts (key to name as given) on a session's MONITOR list: its own affair, so no entry."""
        session.monitored = {**(session.monitored or {}), **names}
        for key in names:
            self.watchers.setdefault(key, {})[session] = None

    def unwatch(self, session: Session, keys: Iterable[str]) -> None:
        """Take accounts off a session's MONITOR list."""
        for key in keys:
            (session.monitored or {}).pop(key, None)
            watching = self.watchers.get(key, {})
            watching.pop(session, None)
            if not watching:
                self.watchers.pop(key, None)

    def numeric(self, session: Session, reply: Numeric, *params: str, text: tuple[object, ...] = ()) -> Reply:
        """Return a numeric reply for one session; `text` fills the {} of its text."""
        return Reply(session, numeric(self.rules.server, session.nick, reply, *params, text=text))

    def fail(self, session: Session, command: str, code: str, *context: str, text: str) -> Reply:
        """Return a FAIL for one session (IRCv3 standard-replies)."""
        return Reply(session, render.fail(self.rules.server, command, code, *context, text=text))

    def note(self, session: Session, command: str, code: str, *context: str, text: str) -> Reply:
        """Return a NOTE for one session (IRCv3 standard-replies)."""
        return Reply(session, render.note(self.rules.server, command, code, *context, text=text))

    def not_operator(self, session: Session, channel: Channel) -> Reply:
        """Return the refusal of what only those may do who run a channel."""
        text = "Only those who run this channel may do that"
        return self.numeric(session, numerics.ERR_CHANOPRIVSNEEDED, channel.name, text=(text,))

    def _unknown(self, session: Session, command: str) -> Reply:
        if session.person is None:
            return self.numeric(session, numerics.ERR_NOTREGISTERED)
        return self.numeric(session, numerics.ERR_UNKNOWNCOMMAND, command[:32])


def _older(person: Person, account: Account) -> bool:
    """Whether this person was here before the account of that name was created."""
    return any(
        session.account and session.account.created != account.created for session in person.sessions
    ) or any(channel.members[person.key].since < account.created for channel in person.channels.values())
