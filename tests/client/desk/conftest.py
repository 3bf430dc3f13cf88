"""A talk without a connection: what it sends is looked at, what the server says is told."""

from __future__ import annotations

import pytest
from helpers.session import NOW, Sender

from securechat.client.desk.desk import Desk
from securechat.client.desk.talk import WANTED, Talk
from securechat.client.errors import LostError
from securechat.client.events import Interrupted, LoggedIn, Received
from securechat.client.resume import NEEDED
from securechat.client.settings import Endpoint
from securechat.protocol.message import parse


class Scene:
    """A talk, its desk and what it said."""

    def __init__(self):
        self.sender, self.desk, self.now = Sender(), Desk(), NOW
        self.talk = Talk(self.sender, self.desk, lambda: self.now, token="key")

    def hear(self, *lines):
        self.talk.receive(Received(tuple(parse(line.encode()) for line in lines)))

    def log_in(self, *, history=()):
        """Log in and answer all that is asked; `history` is what #lobby has."""
        caps = NEEDED | WANTED
        self.talk.receive(LoggedIn(Endpoint("localhost", 6697), "TLSv1.3", "alice", caps))
        self.hear(":alice!u@a JOIN #lobby", ":s 353 alice = #lobby :alice ~bob", ":s 366 alice #lobby :End")
        self.settle(history)

    def settle(self, history=()):
        for _ in range(20):
            said = self.sender.take()
            if not said:
                return
            for line in said:
                self.answer(line, history)

    def answer(self, line, history):
        words = line.split(" ")
        if words[0] == "PING":
            self.hear(f":s PONG s {words[1]}")
        elif "CHATHISTORY" in words[:2]:
            label = words[0].removeprefix("@label=")
            lines = [one for one in history if f" {words[3]} " in one]
            lines = lines[-int(words[-1].removeprefix(":")) :] if words[2] == "LATEST" else []
            targets = "-targets" if words[2] == "TARGETS" else ""
            kind = f"draft/chathistory{targets}" if targets else "chathistory"
            self.hear(
                f"@label={label};draft/chathistory-end :s BATCH +b {kind} {words[3]}",
                *(f"@batch=b;{one.removeprefix('@')}" for one in lines),
                ":s BATCH -b",
            )

    def lose(self):
        self.talk.receive(Interrupted(LostError("The connection was lost."), 300))

    def texts(self, name="#lobby"):
        conversation = self.desk.open(name)
        return [conversation.at(index).text for index in range(len(conversation))]


@pytest.fixture
def scene():
    made = Scene()
    made.log_in()
    return made


@pytest.fixture
def fresh():
    return Scene()
