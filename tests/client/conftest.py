"""What the client's tests need: an authority, a scripted server, and a connection that is always ended."""

from __future__ import annotations

import pytest
from helpers.here import Here
from helpers.leaves import Authority
from helpers.peer import TIMEOUT, Listener

from securechat.client.connection import Connection
from securechat.client.dial import trust
from securechat.client.events import Closed, Received
from securechat.client.handshake import credentials
from securechat.client.settings import ClientLimits, Endpoint


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """The authority that clients trust."""
    return Authority(tmp_path_factory.mktemp("pki") / "ours")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    """Another authority of the same name."""
    return Authority(tmp_path_factory.mktemp("pki") / "theirs")


@pytest.fixture
def listen(authority):
    """Make scripted servers: listen() with a good certificate, or with the given one."""
    listeners = []

    def make(leaf=None):
        listeners.append(Listener(leaf or authority.leaf()))
        return listeners[-1]

    yield make
    for listener in listeners:
        listener.close()


class Talk:
    """A connection and what it told us so far."""

    def __init__(self, connection):
        self.connection = connection

    def event(self):
        event = self.connection.next_event(TIMEOUT)
        assert event is not None, "the connection says nothing"
        return event

    def closed(self):
        """Everything up to the end; the reason as text, or None for an end that was wanted."""
        while not isinstance(event := self.event(), Closed):
            pass
        return None if event.error is None else str(event.error)

    def messages(self, count):
        """The next `count` messages, in however many pieces they come."""
        found = []
        while len(found) < count:
            event = self.event()
            assert isinstance(event, Received), event
            found += event.messages
        return found


@pytest.fixture
def talk(authority):
    """Connect to a listener: talk(listener, **limits)."""
    talks = []

    def connect(listener, host="localhost", secret="secret of alice", **limits):
        connection = Connection(
            Endpoint(host, listener.port),
            trust(authority.pem),
            credentials("alice", secret),
            limits=ClientLimits(**limits),
        )
        talks.append(Talk(connection))
        connection.start()
        return talks[-1]

    yield connect
    for one in talks:
        one.connection.abort()
        one.connection.join()


@pytest.fixture
def start(home, monkeypatch):
    """This machine, called laptop, beside a server: start(server)."""
    made = []
    monkeypatch.setattr("socket.gethostname", lambda: "laptop.example.org")

    def begin(server):
        made.append(Here(home, server.port))
        return made[-1]

    yield begin
    for here in made:
        for connection in here.opened:
            connection.abort()
            connection.join()


@pytest.fixture
def here(start, server):
    """This machine beside the server."""
    return start(server)
