"""One client of the chaos run: a blocking TLS connection at a time, and the resume model over all of them."""

from __future__ import annotations

import random
import select
import socket
import ssl
import threading
import time
from typing import Final, NamedTuple

from securechat.client.errors import ClientError
from securechat.client.handshake import Login
from securechat.client.places import Gap, conversation
from securechat.client.resume import NEEDED, Resume
from securechat.client.unacknowledged import Kept, Refused
from securechat.protocol.capabilities import ORDER_TAG
from securechat.protocol.errors import Fault
from securechat.protocol.framing import MAX_BODY, MAX_SERVER_TAGS, LineBuffer
from securechat.protocol.message import Message, build, parse, parse_tags
from securechat.protocol.names import fold
from securechat.protocol.sasl import Credentials

TICK_SECONDS: Final = 0.02
SILENT_SECONDS: Final = 20.0
"""Silence of the server after which a connection is given up."""
AGAIN_SECONDS: Final = 5.0
"""How long messages may go without an answer before they are said again on the same connection."""
MOST_WAITING: Final = 50
PASSWORD: Final = "chaos and order"


class Seen(NamedTuple):
    """One line as a client was given it."""

    conversation: str
    number: int
    msgid: str
    sender: str
    text: str


class Client(threading.Thread):
    """Says numbered lines until it is told to be calm, and retries until all of them are kept.

    Its thread owns everything. Others set `calm`, after which nothing new is said (`done`: all is kept), `settle`,
    for which it connects once more (`settled`: it has all that others said), and `stop`.
    """

    def __init__(
        self, name: str, device: int, port: int, context: ssl.SSLContext, targets: list[str], seed: str
    ) -> None:
        super().__init__(name=f"{name}@{device}")
        self.account = name
        self.calm = threading.Event()
        self.stop = threading.Event()
        self.done = threading.Event()
        self.settle = threading.Event()
        self.settled = threading.Event()
        self.said: list[tuple[str, str]] = []  # target, text
        self.kept: list[str] = []
        self.seen: list[Seen] = []
        self.problems: list[str] = []
        self.retried = 0
        self.connections = 0
        self._sent: set[bytes] = set()
        self._port = port
        self._trust = context
        self._targets = targets
        self._random = random.Random(seed)
        self._resume = Resume(f"{seed}-{device}", whole=True)
        self._count = 0

    def state(self) -> str:
        """Return how far it is, for a message."""
        resume = self._resume
        return f"ready {resume.ready}, {len(resume.unacknowledged)} unacknowledged, {self.connections} connections"

    def run(self) -> None:
        """Connect again and again; all that can go wrong on a connection is expected here."""
        while not self.stop.is_set():
            try:
                self._connection()
            except (OSError, ClientError):
                pass
            except Exception as mistake:
                self.problems.append(f"{self.name}: {mistake!r}")
                raise
            self._resume.lost()
            time.sleep(self._random.uniform(0.01, 0.1))

    def _connection(self) -> None:
        with (
            socket.create_connection(("127.0.0.1", self._port), timeout=SILENT_SECONDS) as raw,
            self._trust.wrap_socket(raw, server_hostname="localhost") as sock,
        ):
            lines = LineBuffer(MAX_SERVER_TAGS + MAX_BODY)
            login = Login(Credentials(self.account, PASSWORD), more=NEEDED | {"draft/chathistory"})
            self._send(sock, login.begin())
            while not login.nick:
                for message in _read(sock, lines):
                    if login.nick or message.command == "PING":
                        self._take(sock, message)
                        continue
                    self._send(sock, login.feed(message))
                    if login.nick:
                        self._send(sock, self._resume.connected(login.nick, login.capabilities))
            if not self._resume.able:
                self.problems.append(f"{self.name}: the server offers too little")
            self.connections += 1
            self._send(sock, [build("JOIN", target) for target in set(self._targets) if target.startswith("#")])
            self._talk(sock, lines)

    def _talk(self, sock: ssl.SSLSocket, lines: LineBuffer) -> None:
        heard = asked = time.monotonic()
        last = self.settle.is_set()
        while not self.stop.is_set():
            now = time.monotonic()
            if sock.pending() or select.select([sock], [], [], TICK_SECONDS)[0]:
                heard = now
                for message in _read(sock, lines):
                    self._take(sock, message)
            if now - heard > SILENT_SECONDS:
                raise TimeoutError
            unacknowledged = self._resume.unacknowledged
            if self._resume.ready and unacknowledged and now - asked > AGAIN_SECONDS:
                asked = now
                self._send(sock, unacknowledged.again())
            self._speak(sock)
            if self.calm.is_set() and self._resume.ready and not unacknowledged:
                self.done.set()
                if last:
                    self.settled.set()
                elif self.settle.is_set():
                    return

    def _speak(self, sock: ssl.SSLSocket) -> None:
        if self.calm.is_set() or len(self._resume.unacknowledged) >= MOST_WAITING:
            return
        for _ in range(self._random.randint(0, 2)):
            self._count += 1
            target, text = self._random.choice(self._targets), f"{self.name} says {self._count}"
            self.said.append((target, text))
            self._send(sock, self._resume.say(target, text))

    def _take(self, sock: ssl.SSLSocket, message: Message) -> None:
        if message.command == "PING":
            self._send(sock, [build("PONG", *message.params[-1:])])
            return
        step = self._resume.feed(message)
        for given in step.given:
            if isinstance(given, Kept):
                self.kept.append(given.text)
            elif isinstance(given, Gap | Refused):
                self.problems.append(f"{self.name}: {given}")
            elif isinstance(given, Message) and given.command == "PRIVMSG":
                self._note(given)
        self._send(sock, step.lines)

    def _note(self, message: Message) -> None:
        tags = parse_tags(message.tags)
        where = fold(conversation(message, self.account))
        sender = (message.source or "").partition("!")[0]
        number = int(tags.get(ORDER_TAG, 0))
        self.seen.append(Seen(where, number, tags.get("msgid", ""), sender, message.params[1]))

    def _send(self, sock: ssl.SSLSocket, lines: list[bytes]) -> None:
        for line in lines:
            if b"securechat/key" in line:
                self.retried += line in self._sent
                self._sent.add(line)
        if lines:
            sock.sendall(b"".join(lines))


def _read(sock: ssl.SSLSocket, lines: LineBuffer) -> list[Message]:
    """Return the next messages. Raises TimeoutError, and other OSErrors where the connection is over."""
    data = sock.recv(65536)
    if not data:
        raise ConnectionResetError
    found = lines.feed(data)
    return [parse(line, MAX_SERVER_TAGS) for line in found if not isinstance(line, Fault)]
