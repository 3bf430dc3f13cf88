"""A hub driven by plain calls, as the sequencer drives it: whole conversations without a socket or a clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from helpers.memory import MemoryLog

from securechat.chat import devices
from securechat.chat.conversations import conversation
from securechat.chat.effects import Admit, Ask, Close, Fanout, Output, Refused, Rehash, Reply
from securechat.chat.hub import Hub
from securechat.chat.labels import Response, label_of
from securechat.chat.people import Session
from securechat.chat.rules import Rules
from securechat.config import Limits
from securechat.protocol.capabilities import VARIANT_MASK, request
from securechat.protocol.errors import Fault
from securechat.protocol.message import Message, parse
from securechat.protocol.names import fold
from securechat.protocol.sasl import Credentials
from securechat.records import (
    EPHEMERAL,
    LATEST,
    SAID,
    Account,
    Draft,
    Enrol,
    Entry,
    Question,
    Redeem,
    Request,
    Revoke,
    Unanswered,
    run_of,
)
from securechat.storage.history import UnknownPlace

NAMES = ("Alice", "bob", "carol", "Иван")
SECRET = "correct-horse"


def account(name: str, created: int = 0, *roles: str) -> Account:
    return Account(name, name.lower(), "hash", created, frozenset(roles))


def codes(lines: list[str]) -> list[str]:
    """The command or numeric of each line."""
    return [line.split()[2 if line.startswith("@") else 1] for line in lines]


class Device:
    """One session and the lines that it got."""

    def __init__(self, house: House, session: Session) -> None:
        self.house = house
        self.session = session
        self.lines: list[str] = []
        self.closed = ""

    def say(self, *lines: str) -> list[str]:
        """Say lines; give what this device got since it was last asked."""
        for line in lines:
            self.house.decide(self.session, parse(line.encode()))
        return self.heard()

    def fault(self, fault: Fault) -> list[str]:
        self.house.run(self.session, self.house.hub.decide(self.session, fault))
        return self.heard()

    def leave(self, reason: str = "Connection closed") -> None:
        self.house.run(self.session, self.house.hub.depart(self.session, reason))

    def heard(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines


class House:
    """A hub with some accounts, whose password is SECRET, and all that it decided."""

    def __init__(self, *, lobby: str | None = "#lobby", accounts: Iterable[Account] = (), **limits: int) -> None:
        known = list(accounts) or [account(name) for name in NAMES]
        self.rules = Rules(server="s.example", limits=Limits(**limits), lobby=lobby, started="today")
        self.store = MemoryLog()
        self.now = 1_700_000_000_000
        self.devices: dict[Session, Device] = {}
        self.admitted: list[Session] = []
        self.refusals: list[str] = []
        self.rehashes = 0
        self.requests: list[Request] = []
        self.granted: object = Unanswered("REFUSED", "not in a house")
        """What every request is answered by."""
        self.response: Response | None = None
        self.hub = self.fresh_hub(known)

    def fresh_hub(self, accounts: Iterable[Account]) -> Hub:
        """A hub that knows what the log says, as after a restart."""
        self.hub = Hub(self.rules, MappingProxyType({one.key: one for one in accounts}), self.now)
        self.restore()
        self.run(None, self.hub.prepare())
        return self.hub

    def restore(self) -> None:
        """Make the hub anew from the log."""
        store = self.store
        self.hub.restore(len(self.log), store.state(), store.latest(), store.keyed(0, 1000))

    @property
    def log(self) -> list[Entry]:
        """All that was kept, in order."""
        return self.store.entries

    def change(self, key: str, **fields) -> None:
        """Do what a command in the shell does to the users file, and let the hub see it."""
        accounts = {**self.hub.accounts, key: replace(self.hub.accounts[key], **fields)}
        self.run(None, self.hub.accounts_changed(accounts))
        for session in devices.revoked(self.hub):
            self.run(session, devices.end(self.hub, session))

    def connect(self, certificate: str = "") -> Device:
        session = self.hub.open(object(), 0, "192.0.2.1:5", certificate)
        session.link = device = Device(self, session)
        self.devices[session] = device
        return device

    def login(self, name: str, *caps: str) -> Device:
        """A device that is logged in, with these capabilities, and has heard nothing yet."""
        device = self.connect()
        granted = request(" ".join(caps), device.session.caps)
        assert granted is not None
        device.session.caps = granted
        device.say(f"PASS {name}:{SECRET}", "NICK whatever", f"USER u 0 * :{name} Person")
        assert device.session.person is not None, device.lines
        for each in self.devices.values():
            each.heard()
        return device

    def decide(self, session: Session, message: Message) -> None:
        label = label_of(session, message)
        if not label:
            self.run(session, self.hub.decide(session, message))
            return
        self.response = Response(session, label, self.rules.server)
        self.run(session, self.hub.decide(session, message))
        response, self.response = self.response, None
        self._send(response.finish())

    def run(self, session: Session | None, effects: Iterable[object]) -> None:
        for effect in effects:
            if isinstance(effect, Draft):
                self._record(effect, session)
            elif isinstance(effect, Reply):
                self._send(effect)
            elif isinstance(effect, Close):
                self._send(Reply(effect.session, effect.data))
                self.devices[effect.session].closed = effect.reason
            elif isinstance(effect, Ask):
                self.run(effect.session, effect.then(self._answer(effect.question)))
            elif isinstance(effect, Admit):
                self.admitted.append(effect.session)
            elif isinstance(effect, Refused):
                self.refusals.append(effect.why)
            else:
                assert isinstance(effect, Rehash)
                self.rehashes += 1

    def _answer(self, question: Credentials | Question | Request) -> object:
        if isinstance(question, Enrol | Revoke | Redeem):
            self.requests.append(question)
            return self.granted
        if not isinstance(question, Credentials):
            try:
                return self.store.answer(question)
            except UnknownPlace as unknown:
                return Unanswered("UNKNOWN_PLACE", str(unknown))
        return self.hub.accounts.get(fold(question.account)) if question.password == SECRET else None

    def _record(self, draft: Draft, origin: Session | None) -> None:
        self.now += 1
        self.hub.now = self.now
        placeless = draft.kind in EPHEMERAL | LATEST
        seq = 0 if placeless else len(self.log) + 1
        where = "" if placeless else conversation(draft.kind, draft.target, draft.sender, draft.text)
        number = self.store.number(where) + 1 if where and draft.kind in SAID else 0
        entry = Entry(seq, run_of(f"id{seq}", seq) if seq else "", self.now, *draft, where, number)
        if draft.kind not in EPHEMERAL:
            self.store.append([entry])
        for output in self.hub.apply(entry, origin):
            self._send(output)

    def _send(self, output: Output) -> None:
        left = self.response.take(output) if self.response is not None else output
        if isinstance(left, Fanout):
            self._spread(left)
        elif left is not None:
            self._give(left.session, left.data)

    def _spread(self, fanout: Fanout) -> None:
        for (_, variant), links in fanout.audience.groups.items():
            for device in links:
                assert variant == device.session.caps & VARIANT_MASK
                if device.session is not fanout.skip and variant in fanout.lines:
                    self._give(device.session, fanout.lines[variant])

    def _give(self, session: Session, data: bytes) -> None:
        for line in data.split(b"\r\n")[:-1]:
            body = line.split(b" ", 1)[1] if line.startswith(b"@") else line
            assert len(body) <= 510, body
            self.devices[session].lines.append(line.decode())
