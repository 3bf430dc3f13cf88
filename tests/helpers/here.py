"""This machine, as one of alice's devices, and the connections that it makes."""

from __future__ import annotations

from helpers.homes import PASSWORDS
from helpers.peer import TIMEOUT

from securechat.client.connection import Connection
from securechat.client.devices import Device
from securechat.client.dial import trust
from securechat.client.events import Closed, Enrolled, Received
from securechat.client.handshake import claim, credentials
from securechat.client.settings import ClientLimits, Endpoint
from securechat.storage.users import UserFile


class Here:
    """This machine, with a configuration folder of its own, and the connections that it makes as alice."""

    def __init__(self, home, port):
        self.home, self.port = home, port
        self.authority = home.certs / "ca.pem"
        self.opened = []

    @property
    def place(self):
        return Endpoint("localhost", self.port)

    def device(self, *, new=True, account="alice"):
        return Device(account, self.place, self.authority, new=new)

    def connect(self, *, password=True, device=None, **limits):
        secret = credentials("alice", PASSWORDS["alice"]) if password else claim("alice")
        made = Connection(
            self.place,
            trust(self.authority),
            secret,
            limits=ClientLimits(**limits),
            device=device or self.device(),
        )
        self.opened.append(made)
        made.start()
        return made

    def enrolled(self, **how):
        """Log in by password and get a certificate; return the news."""
        connection = self.connect(**how)
        news = until(connection, Enrolled)
        self.leave(connection)
        return news

    def leave(self, connection):
        connection.close([b"QUIT\r\n"])
        until(connection, Closed)
        connection.join()

    def known(self):
        return UserFile(self.home.users).load()["alice"].devices

    def put(self, file):
        """Have this machine keep another key and certificate."""
        path = self.device().path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.read_bytes())


def until(connection, kind):
    """The next event of a kind; what ends it otherwise is in the failure."""
    while not isinstance(event := connection.next_event(TIMEOUT), kind):
        assert event is not None
        assert not isinstance(event, Closed), event
    return event


def barrier(connection):
    """Wait until all that the server has said so far is dealt with."""
    connection.post([b"PING barrier\r\n"])
    while not any(one.command == "PONG" for one in until(connection, Received).messages):
        pass
