"""Lines in a row from one session: decided as one, and nothing that anybody can see tells the difference."""

from __future__ import annotations

from collections import defaultdict

from helpers.house import account
from hypothesis import given
from hypothesis import strategies as st

from securechat.chat import burst
from securechat.chat.hub import Hub
from securechat.chat.rules import Rules
from securechat.config import Limits
from securechat.protocol.errors import Fault
from securechat.protocol.lines import read
from securechat.records import Stretch
from securechat.server.desk import Desk
from securechat.server.items import Answered, Opened
from securechat.server.ledger import Ledger

NAMES = ("alice", "bob", "carol", "Иван")
CAPS = {
    "alice": "",
    "bob": "message-tags server-time echo-message securechat/order",
    "carol": "account-tag",
    "Иван": "message-tags",
}


class Link:
    """Stands for a connection."""

    lane = 0
    certificate = ""

    def __init__(self, name: str) -> None:
        self.name = self.address = name


class Office:
    """A desk and nothing else: takes one turn for everything that it is given. Implements `desk.Driver`."""

    def __init__(self) -> None:
        self.accounts = {one.key: one for one in map(account, NAMES)}
        rules = Rules(server="s.example", limits=Limits(), lobby="#lobby", started="today")
        self.hub = Hub(rules, self.accounts, 1_700_000_000_000)
        self.turn = Ledger(1)
        self.kept = []
        self.restored = 0
        self.desk = Desk(self.hub, None, self)
        self.desk._run, self.desk.now = "run", self.hub.now
        self.desk.decide(None, "", self.hub.prepare)
        self.links = {name: Link(name) for name in NAMES}
        for name, link in self.links.items():
            self.desk.opened(Opened(link))
            self.take(
                name, f"CAP REQ :{CAPS[name]}", f"PASS {name}:secret", f"NICK {name}", "USER u 0 * :u", "CAP END"
            )
            while self.turn.questions:
                ask = self.turn.questions.pop(0)
                found = Stretch([], complete=True)
                answer = self.accounts[name.lower()] if hasattr(ask.question, "password") else found
                self.desk.answered(Answered(ask.session, answer))
        self.take("alice", "JOIN #a")
        self.take("bob", "JOIN #a")
        self.end_turn()

    def take(self, name, *lines):
        """Let somebody say lines that came in together."""
        session = self.desk.sessions.get(self.links[name])
        if session is not None:
            self.desk.take(
                session, read([line if isinstance(line, Fault) else line.encode() for line in lines]), 9
            )

    def end_turn(self):
        for part in self.turn.bursts:
            assert 0 <= part.start < part.stop <= len(self.turn.entries)
            assert {entry[1:6] for entry in self.turn.entries[part]} == {self.turn.entries[part.start][1:6]}
        self.kept += self.turn.entries
        out, self.turn = self.turn.out, Ledger(1)
        return heard(out)

    def restore(self):
        self.restored += 1

    def number(self, conversation):
        numbers = [
            entry.number for entry in (*self.kept, *self.turn.entries) if entry.conversation == conversation
        ]
        return max(numbers, default=0)

    def rehash(self):
        return ""


def heard(out):
    """What each link is sent."""
    sent = defaultdict(bytes)
    for _, turn in out.turns():
        for links, pieces in turn.sends:
            for link in links:
                sent[link.name] += b"".join(pieces)
    return dict(sent)


LINES = st.sampled_from(
    [
        "PRIVMSG #lobby :hello",
        "PRIVMSG #lobby :hello",
        "PRIVMSG #lobby :привет",
        "privmsg #LOBBY word",
        "PRIVMSG #a :in another channel",
        "NOTICE #lobby :a notice",
        "NOTICE #nowhere :a notice",
        "PRIVMSG #nowhere :lost",
        "PRIVMSG #lobby :",
        "PRIVMSG #lobby",
        "PRIVMSG #lobby,#a :to two",
        "PRIVMSG #lobby :\x01ACTION waves\x01",
        "PRIVMSG #lobby :\x01VERSION\x01",
        "PRIVMSG bob :to one person",
        f"PRIVMSG #lobby :{'x' * 480}",
        f"PRIVMSG #lobby :{'ю' * 241}",
        "@+draft/reply=x PRIVMSG #lobby :with a tag",
        "@+securechat/key=k PRIVMSG #lobby :with a key",
        "PING :here",
        "MODE #a +m",
        "PART #a",
        "PART #lobby",
        "JOIN #lobby",
        "TOPIC #lobby :new",
        Fault.BAD_UTF8,
        "QUIT :bye",
    ]
)


@given(st.sampled_from(NAMES), st.lists(LINES, max_size=12))
def test_a_burst_is_what_its_lines_are(name, lines):
    """The same entries, and to everybody the same bytes, as if each line had come alone."""
    together, alone = Office(), Office()
    together.take(name, *lines)
    for line in lines:
        alone.take(name, line)
    assert together.turn.entries == alone.turn.entries
    assert together.hub.recent == alone.hub.recent
    assert together.desk.seq == alone.desk.seq
    refused = [heard(office.turn.refused("s.example")) for office in (together, alone)]
    assert refused[0] == refused[1]
    assert together.end_turn() == alone.end_turn()


def test_a_burst_goes_on_with_the_numbers():
    """Of entries and of messages in the conversation, with single lines before and behind."""
    office = Office()
    before = office.desk.seq
    office.take("alice", "PRIVMSG #a :1")
    office.take("bob", *[f"PRIVMSG #a :{number}" for number in range(2, 6)])
    office.take("alice", "PRIVMSG #a :6")
    said = [(entry.seq - before, entry.number, entry.text) for entry in office.turn.entries]
    assert said == [(number, number, str(number)) for number in range(1, 7)]


def test_plain_lines_take_the_short_way(monkeypatch):
    """Or nothing here would test it."""
    bursts, apply = [], burst.apply
    monkeypatch.setattr(
        burst, "apply", lambda hub, said, kept: bursts.append(said.texts) or apply(hub, said, kept)
    )
    office = Office()
    office.take("alice", "PRIVMSG #a :1", "PRIVMSG #a :2", "NOTICE #a :3", "NOTICE #a :4", "PRIVMSG #a :5")
    assert bursts == [["1", "2"], ["3", "4"]]
    assert [entry.text for entry in office.turn.entries] == ["1", "2", "3", "4", "5"]


def test_a_burst_that_fails_never_was(monkeypatch):
    """Our mistake costs its sender the connection; what came before is kept, and numbers go on behind that."""
    office = Office()
    before = office.desk.seq
    office.take("bob", "PRIVMSG #a :before")
    with monkeypatch.context() as patch:
        patch.setattr(burst, "apply", lambda *_: 1 / 0)
        office.take("alice", "PRIVMSG #a :1", "PRIVMSG #a :2", "PRIVMSG #a :3")
    assert [entry.text for entry in office.kept if entry.seq > before] == ["before"]
    assert office.restored == 1
    assert office.links["alice"] not in office.desk.sessions
    office.take("bob", "PRIVMSG #a :after", "PRIVMSG #a :and more")
    said = [entry for entry in office.turn.entries if entry.conversation == "#a" and entry.number]
    assert [(entry.number, entry.text) for entry in said] == [(2, "after"), (3, "and more")]
    seqs = [entry.seq for entry in (*office.kept, *office.turn.entries) if entry.seq]
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_burst_that_fails_is_not_kept_as_one(monkeypatch):
    """The log is told of those before it alone: a slice too many would keep entries that are not there."""
    office, apply, ended = Office(), burst.apply, []
    end_turn = office.end_turn
    monkeypatch.setattr(office, "end_turn", lambda: ended.append(list(office.turn.bursts)) or end_turn())
    monkeypatch.setattr(
        burst, "apply", lambda hub, said, kept: 1 / 0 if "bad" in said.texts else apply(hub, said, kept)
    )
    office.take("bob", "PRIVMSG #a :1", "PRIVMSG #a :2")
    office.take("alice", "PRIVMSG #a :good", "PRIVMSG #a :bad")
    assert ended == [[slice(0, 2)]]


def test_the_refusal_of_a_burst_is_one_for_each_line():
    """Whoever counts the answers to what they said finds as many as they said."""
    office = Office()
    office.take("alice", "PRIVMSG #a :1", "PRIVMSG #a :2", "PRIVMSG #a :3")
    told = heard(office.turn.refused("s.example"))
    assert list(told) == ["alice"]
    assert told["alice"].count(b"FAIL PRIVMSG NOT_STORED") == 3
