"""The heart: decides what a message may do, and applies what was decided. Pure and single-threaded.

`decide`, `answer`, `depart` and `accounts_changed` only look, and yield effects; the shared state changes in
`apply` alone. Whoever drives the hub applies each draft before it takes the next effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from securechat.chat import apply, commands, registration, render, welcome
from securechat.chat.effects import Close, Effects, Output, Reply
from securechat.chat.people import Channel, Person, Session
from securechat.chat.rules import Rules
from securechat.protocol import numerics
from securechat.protocol.errors import Fault
from securechat.protocol.message import Message
from securechat.protocol.names import fold
from securechat.protocol.numerics import Numeric, numeric
from securechat.records import Account, Draft, Entry, Kind


class Hub:
    """Everybody and every channel. Owned by the sequencer thread."""

    def __init__(self, rules: Rules, accounts: Mapping[str, Account]) -> None:
        self.rules = rules
        self.accounts = accounts
        """Who may log in, by key. Replaced whole when the users file changes."""
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.isupport = welcome.isupport(rules, (name for name, row in commands.TABLE.items() if row.listed))
        self.lobby = fold(rules.lobby) if rules.lobby else ""

    def open(self, link: Any, lane: int = 0, address: str = "") -> Session:
        """Return the session of a new connection, which has not logged in."""
        return Session(link, lane, address)

    def prepare(self) -> Effects:
        """Decide what has to exist before anybody comes: the lobby."""
        if self.rules.lobby and self.lobby not in self.channels:
            yield Draft(Kind.CREATE, self.lobby, "", self.rules.lobby)

    def decide(self, session: Session, message: Message | Fault) -> Effects:
        """Decide one line of a session; a fault stands for a line that was none."""
        if isinstance(message, Fault):
            return self._refuse(session, message)
        row = commands.TABLE.get(message.command)
        if row is None or (session.person is None and not row.stranger):
            return self._unknown(session, message.command)
        if len(message.params) < row.minimum:
            return iter((self.numeric(session, numerics.ERR_NEEDMOREPARAMS, message.command),))
        limit = self.rules.limits.targets
        if row.listed and message.params and message.params[0].count(",") >= limit:
            return iter((self.numeric(session, numerics.ERR_TOOMANYTARGETS, text=(limit,)),))
        return row.handler(self, session, message)

    def answer(self, session: Session, account: Account | None) -> Effects:
        """Decide what follows from a checked password: the account, or None where it is refused."""
        return registration.answered(self, session, account)

    def depart(self, session: Session, reason: str) -> Effects:
        """Decide the end of a connection; `reason` is what others read. Nothing where it never logged in."""
        person = session.person
        if person is not None and session in person.sessions:
            last = len(person.sessions) == 1
            text = reason if render.excess(person.source_size, "QUIT", "", reason) <= 0 else "Quit"
            yield Draft(Kind.OFFLINE if last else Kind.DETACH, "", person.name, text)

    def accounts_changed(self, accounts: Mapping[str, Account]) -> Effects:
        """Take in a new users file: who is no longer in it leaves, at once and everywhere.

        An account made anew under an old name is somebody else: what the old one had is forgotten first.
        """
        self.accounts = accounts
        for person in list(self.people.values()):
            account = accounts.get(person.key)
            if account is not None and not self._older(person, account):
                continue
            sessions = list(person.sessions)
            if sessions:
                yield Draft(Kind.OFFLINE, "", person.name, "Account deleted")
            for session in sessions:
                yield Close(session, render.error("Your account was deleted"), "account deleted")
            yield Draft(Kind.FORGET, person.key, person.name)
        for channel in self.channels.values():
            owner = accounts.get(channel.owner)
            if channel.owner and (owner is None or owner.created > channel.created):
                yield Draft(Kind.FORGET, channel.owner, channel.owner)

    def apply(self, entry: Entry, origin: Session | None = None) -> list[Output]:
        """Change the state by one entry and return who gets what. `origin` is the session that caused it."""
        return apply.TABLE[entry.kind](self, entry, origin)

    def restore(self, entries: Iterable[Entry]) -> None:
        """Rebuild channels and memberships from the log's state entries, keeping the sessions that are here.

        Used at the start, and when a commit failed: then the hub goes back to what the disk says.
        """
        here = [person for person in self.people.values() if person.sessions]
        self.channels, self.people = {}, {person.key: person for person in here}
        for person in here:
            person.channels = {}
        for entry in entries:
            self.apply(entry)
        for person in here:
            person.devices_changed()

    def person(self, name: str) -> Person:
        """Return the person with this account name; one who is not known here is new and not kept."""
        key = fold(name)
        return self.people.get(key) or Person(name, key)

    def numeric(self, session: Session, reply: Numeric, *params: str, text: tuple[object, ...] = ()) -> Reply:
        """Return a numeric reply for one session; `text` fills the {} of its text."""
        return Reply(session, numeric(self.rules.server, session.nick, reply, *params, text=text))

    def fail(self, session: Session, command: str, code: str, text: str) -> Reply:
        """Return a FAIL for one session (IRCv3 standard-replies)."""
        return Reply(session, render.fail(self.rules.server, command, code, text=text))

    def operates(self, person: Person, channel: Channel) -> bool:
        """Whether a person runs a channel: its owner does, and in the lobby every admin."""
        account = self.accounts.get(person.key)
        return channel.owner == person.key or (channel.key == self.lobby and account is not None and account.admin)

    def prefix(self, person: Person, channel: Channel) -> str:
        """Return the rank signs of a member, highest first: "~@" owner, "@" operator, "" anybody."""
        if channel.owner == person.key:
            return "~@"
        return "@" if self.operates(person, channel) else ""

    @staticmethod
    def _older(person: Person, account: Account) -> bool:
        """Whether this person was here before the account of that name was created."""
        return any(
            session.account and session.account.created != account.created for session in person.sessions
        ) or any(channel.members[person.key].since < account.created for channel in person.channels.values())

    def _refuse(self, session: Session, fault: Fault) -> Effects:
        if fault is Fault.TOO_LONG:
            text = "Your line was too long and was not sent; send it in several"
            yield self.numeric(session, numerics.ERR_INPUTTOOLONG, text=(text,))
        elif fault is Fault.BAD_UTF8:
            yield self.fail(session, "*", "INVALID_UTF8", "Your line was not sent: set your client to UTF-8")
        elif fault is Fault.BAD_BYTES:
            yield self.fail(session, "*", "INVALID_LINE", "Your line was not sent: it has NUL or CR inside")
        elif fault is Fault.BAD_SHAPE:
            yield self.fail(session, "*", "INVALID_LINE", "Your line was not sent: it is not an IRC message")
        else:
            yield from self.depart(session, "Line without end")
            yield Close(session, render.error("A line without end was sent."), "sent a line without end")

    def _unknown(self, session: Session, command: str) -> Effects:
        if session.person is None:
            yield self.numeric(session, numerics.ERR_NOTREGISTERED)
        else:
            yield self.numeric(session, numerics.ERR_UNKNOWNCOMMAND, command[:32])
