"""One server, put together: what it needs from disk, its threads, its start and its stop."""

from __future__ import annotations

import logging
import resource
import socket
import ssl
import textwrap
import time
import unicodedata
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

import securechat
from securechat.chat.hub import Hub
from securechat.chat.rules import Rules
from securechat.config import Home, ServerConfig
from securechat.net.connection import Connection, Line
from securechat.net.jobs import Stop as StopWorker
from securechat.net.listener import Listener, listen
from securechat.net.tls import server_context
from securechat.net.worker import Worker
from securechat.protocol.names import NameRefused, check_channel
from securechat.server import checker, passwords
from securechat.server.checker import Checker
from securechat.server.directory import Directory
from securechat.server.items import Closed, Lines, Opened
from securechat.server.items import Stop as StopSequencer
from securechat.server.sequencer import Sequencer
from securechat.server.threads import CoreThread
from securechat.storage.log import LogError, SqliteLog
from securechat.storage.users import UserFile, UsersError

log = logging.getLogger(__name__)

MOTD_LINES: Final = 100
MOTD_WIDTH: Final = 80


class ServerError(Exception):
    """The server cannot start. The text is one sentence that names the file or command that mends it."""


class Bridge:
    """What the workers tell, passed on to the sequencer and the listener (net.worker.Handler)."""

    sequencer: Sequencer
    listener: Listener

    def opened(self, connection: Connection) -> None:
        """See Handler."""
        self.sequencer.put(Opened(connection))

    def received(self, connection: Connection, lines: list[Line], size: int) -> None:
        """See Handler."""
        self.sequencer.put(Lines(connection, lines, size))

    def closed(self, connection: Connection, reason: str) -> None:
        """See Handler."""
        self.sequencer.put(Closed(connection, reason))

    def refused(self, address: str, reason: str) -> None:
        """See Handler."""
        log.info("refused: %s (%s)", address, reason)

    def released(self, host: str) -> None:
        """See Handler."""
        self.listener.released(host)


class Server:
    """A chat server. `start` and `stop` it, or use it in a `with` statement; both from one thread.

    Raises ServerError where something that it needs is missing or unusable; then nothing was started.
    `on_failure` is called, on the thread that failed, if a core thread dies: the owner should then stop.
    """

    def __init__(self, config: ServerConfig, on_failure: Callable[[], None] = lambda: None) -> None:
        self._config = config
        self.failed = False
        self._on_failure = on_failure
        self._threads: list[CoreThread] = []
        with ExitStack() as undo:
            self._context = _load_context(config)
            users = UserFile(config.home.users)
            directory = _load_users(users)
            try:
                store = SqliteLog(config.home.log)
                undo.callback(store.close)
                began = store.began()
            except LogError as error:
                raise ServerError(str(error)) from None
            sockets = _listen(config)
            for sock in sockets:
                undo.callback(sock.close)
            undo.pop_all()
        self._bridge = Bridge()
        ping = f"PING :{config.name}\r\n".encode()
        self._workers = [
            Worker(lane, lambda: self._context, config.limits, self._bridge, ping)
            for lane in range(config.workers)
        ]
        self._listener = Listener(sockets, self._workers, config.limits)
        self._checker = Checker(users, passwords.DEFAULT, config.limits.logins_waiting)
        hub = Hub(_rules(config, began), directory.accounts, time.time_ns() // 1_000_000)
        self._sequencer = Sequencer(
            hub, store, directory, self._workers, self._checker.submit, self._reload, config.limits.turn_lines
        )
        self._bridge.sequencer, self._bridge.listener = self._sequencer, self._listener
        self._checker.answer = self._sequencer.put
        self.port: int = sockets[0].getsockname()[1]
        self.addresses = [_address(sock) for sock in sockets]

    def start(self) -> None:
        """Start every thread; connections are accepted from here on."""
        _raise_file_limit(self._config.limits.connections)
        bodies: list[tuple[str, Callable[[], None]]] = [("sequencer", self._sequencer.run)]
        bodies += [(f"checker-{number}", self._checker.run) for number in range(checker.THREADS)]
        bodies += [(f"worker-{lane}", worker.run) for lane, worker in enumerate(self._workers)]
        bodies.append(("listener", self._listener.run))
        self._threads = [CoreThread(name, body, self._fail) for name, body in bodies]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tell every client, keep what was said, end and join every thread. Doing it again does nothing.

        The order is that of the stream: nobody new, then the last turn with its farewells, then the workers,
        which send those and close.
        """
        threads, self._threads = self._threads, []
        if not threads:
            return
        steps: list[tuple[str, Callable[[], None]]] = [
            ("listener", self._listener.stop),
            ("sequencer", lambda: self._sequencer.put(StopSequencer())),
            ("checker", self._checker.stop),
            ("worker", self._stop_workers),
        ]
        for name, step in steps:
            step()
            for thread in threads:
                if thread.name.startswith(name):
                    thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _stop_workers(self) -> None:
        for worker in self._workers:
            worker.post(StopWorker())

    def _reload(self, hub: Hub) -> str:
        """Take in certificates and message of the day again; return a sentence if they are unusable.

        Runs on the sequencer's thread, which owns the hub. A new context is for new handshakes: nobody who is
        connected notices.
        """
        try:
            self._context = _load_context(self._config)
        except ServerError as error:
            return str(error)
        hub.rules = replace(hub.rules, motd=_motd(self._config.home))
        return ""

    def _fail(self) -> None:
        self.failed = True
        self._on_failure()


def _load_context(config: ServerConfig) -> ssl.SSLContext:
    certificate, key = config.home.certs / "server.pem", config.home.certs / "server.key"
    if not certificate.exists() or not key.exists():
        raise ServerError(f"There is no server certificate in {config.home.certs}: run `securechat init-certs`.")
    try:
        return server_context(certificate, key, tls12=config.tls12)
    except ssl.SSLError:
        raise ServerError(
            f"{certificate} and {key} are damaged or do not belong together: run `securechat init-certs`."
        ) from None
    except OSError as error:
        raise ServerError(
            f"{error.filename or key} cannot be read ({error.strerror}): run this as the user who owns it."
        ) from None


def _load_users(users: UserFile) -> Directory:
    try:
        directory = Directory(users, loud=True)
    except UsersError as error:
        raise ServerError(str(error)) from None
    if not directory.accounts:
        raise ServerError(f"There are no users in {users.path}: run `securechat adduser NAME`.")
    return directory


def _listen(config: ServerConfig) -> list[socket.socket]:
    try:
        return listen(config.host, config.port)
    except socket.gaierror:
        raise ServerError(f"--host {config.host} is not an address of this machine.") from None
    except OSError as error:
        raise ServerError(
            f"Cannot listen on {config.host} port {config.port} ({error.strerror}): "
            "stop what uses it, or choose another with --host and --port."
        ) from None


def _rules(config: ServerConfig, began: int | None) -> Rules:
    if config.lobby is not None:
        try:
            check_channel(config.lobby)
        except NameRefused as refused:
            raise ServerError(f"--lobby {config.lobby}: {refused}") from None
    since = datetime.fromtimestamp(began / 1000, UTC) if began else datetime.now(UTC)
    return Rules(
        server=config.name,
        limits=config.limits,
        lobby=config.lobby,
        version=securechat.__version__,
        started=f"{since:%Y-%m-%d %H:%M} UTC",
        motd=_motd(config.home),
    )


def _motd(home: Home) -> tuple[str, ...]:
    """Return the message of the day in lines that fit, without control characters; empty where there is none."""
    try:
        text = home.motd.read_text("utf-8", errors="replace")
    except OSError:
        return ()
    lines = []
    for line in text.splitlines()[:MOTD_LINES]:
        clean = "".join(char for char in line if unicodedata.category(char) != "Cc")
        lines += textwrap.wrap(clean, MOTD_WIDTH) or [""]
    return tuple(lines)


def _raise_file_limit(connections: int) -> None:
    """Let the process open as many sockets as it may serve, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 64
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        if most < wanted:
            log.warning("the system allows %d open files: fewer connections than --limit connections", most)


def _address(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
