"""A session of the line client without a connection."""

from __future__ import annotations

from securechat.client.events import LoggedIn, Received
from securechat.client.render import Renderer
from securechat.client.session import Session
from securechat.client.settings import Endpoint
from securechat.protocol.message import parse

NOW = 1_700_000_000_000


class Sender:
    """Stands for the connection: remembers what it was asked."""

    def __init__(self):
        self.said = []
        self.closed = False
        self.full = False

    def post(self, lines):
        if not self.full:
            self.said += b"".join(lines).decode().split("\r\n")[:-1]  # several may be one piece
        return not self.full

    def close(self, lines=()):
        self.post(lines)
        self.closed = True

    def take(self):
        said, self.said = self.said, []
        return said


class Scene:
    """A session, its connection, and what it printed without the time of day."""

    def __init__(self, *, barrier=False):
        self.sender = Sender()
        self.session = Session(self.sender, Renderer(), barrier=barrier, now=lambda: NOW)

    def hear(self, *lines):
        return self.plain(self.session.receive(Received(tuple(parse(line.encode()) for line in lines))))

    def type(self, text):
        return self.plain(self.session.typed(text))

    @staticmethod
    def plain(lines):
        return [line.partition("] ")[2] for line in lines]

    def log_in(self):
        event = LoggedIn(Endpoint("::1", 6697), "TLSv1.3", "alice", frozenset({"echo-message"}))
        return self.session.receive(event)

    def settle(self):
        """Let the server answer the question that was asked."""
        assert self.sender.said.pop() == "PING :securechat-settled"
        return self.hear(":s PONG s :securechat-settled")
