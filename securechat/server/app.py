"""One server, put together: its parts, its threads, its start and its stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from securechat.chat.hub import Hub
from securechat.chat.people import Session
from securechat.chat.render import error
from securechat.config import ServerConfig
from securechat.net.connection import Connection
from securechat.net.jobs import Stop as StopWorker
from securechat.net.listener import Listener
from securechat.net.worker import Worker
from securechat.protocol.lines import Line
from securechat.protocol.sasl import Credentials
from securechat.records import Enrol, Question, Redeem, Request, Revoke, Search
from securechat.server import checker, passwords
from securechat.server.checker import Checker
from securechat.server.issuer import Issuer
from securechat.server.items import Closed, Item, Lines, Opened, Reread
from securechat.server.items import Stop as StopSequencer
from securechat.server.parts import ServerError, address, authority, gather, load_context, motd, raise_file_limit
from securechat.server.reader import Reader, Searcher
from securechat.server.sequencer import Sequencer
from securechat.server.threads import CoreThread

__all__ = ["Server", "ServerError"]

log = logging.getLogger(__name__)

FAREWELL: Final = error("The server is shutting down")


class Bridge:
    """What a worker tells, passed on to the sequencer and the listener (net.jobs.Handler). Owned by the worker."""

    sequencer: Sequencer
    listener: Listener

    def __init__(self) -> None:
        self._told: list[Item] = []

    def opened(self, connection: Connection) -> None:
        """See Handler."""
        self._told.append(Opened(connection))

    def received(self, connection: Connection, lines: list[Line], size: int) -> None:
        """See Handler."""
        self._told.append(Lines(connection, lines, size))

    def closed(self, connection: Connection, reason: str) -> None:
        """See Handler."""
        self._told.append(Closed(connection, reason))

    def refused(self, address: str, reason: str) -> None:
        """See Handler."""
        log.info("refused: %s (%s)", address, reason)

    def released(self, host: str) -> None:
        """See Handler."""
        self.listener.released(host)

    def handover(self) -> None:
        """See Handler."""
        if self._told:
            told, self._told = self._told, []
            self.sequencer.put(*told)


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
        parts = gather(config)
        self._context, self._store = parts.context, parts.store
        bridges = [Bridge() for _ in range(config.workers)]
        ping = f"PING :{config.name}\r\n".encode()
        self._workers = [
            Worker(lane, lambda: self._context, config.limits, bridge, ping) for lane, bridge in enumerate(bridges)
        ]
        self._listener = Listener(parts.sockets, self._workers, config.limits)
        self._issuer = Issuer(config, parts.users, passwords.DEFAULT)
        self._checker = Checker(parts.users, passwords.DEFAULT, config.limits.logins_waiting)
        limits = config.limits
        most, waiting = limits.history_bytes, limits.questions_waiting
        self._reader = Reader(config.home.log, most, waiting)
        self._searcher = Searcher(config.home.log, most, limits.search_seconds, waiting, config.keep_days)
        self._sequencer = Sequencer(
            Hub(parts.rules, parts.directory.accounts, time.time_ns() // 1_000_000),
            (parts.store, parts.newest),
            parts.directory,
            self._workers,
            self._ask,
            self._reload,
            config.limits.turn_lines,
        )
        for bridge in bridges:
            bridge.sequencer, bridge.listener = self._sequencer, self._listener
        self._checker.answer = self._reader.answer = self._searcher.answer = self._sequencer.put
        self._issuer.answer = self._issuer.tell = self._sequencer.put
        self.port: int = parts.sockets[0].getsockname()[1]
        self.addresses = [address(sock) for sock in parts.sockets]

    def start(self) -> None:
        """Start every thread; connections are accepted from here on."""
        raise_file_limit(self._config.limits.connections)
        bodies: list[tuple[str, Callable[[], None]]] = [("sequencer", self._sequencer.run)]
        bodies += [(f"checker-{number}", self._checker.run) for number in range(checker.THREADS)]
        bodies += [("issuer", self._issuer.run), ("reader", self._reader.run), ("searcher", self._searcher.run)]
        bodies += [(f"worker-{lane}", worker.run) for lane, worker in enumerate(self._workers)]
        bodies.append(("listener", self._listener.run))
        self._threads = [CoreThread(name, body, self._fail) for name, body in bodies]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tell every client, keep what was said, end and join every thread. Doing it again does nothing.

        The order is that of the stream: nobody new, then the last turn, then the workers, which send that, say
        farewell and close.
        """
        threads, self._threads = self._threads, []
        steps: list[tuple[str, Callable[[], None]]] = [
            ("listener", self._listener.stop),
            ("sequencer", lambda: self._sequencer.put(StopSequencer())),
            ("checker", self._checker.stop),
            ("issuer", self._issuer.stop),
            ("reader", self._reader.stop),
            ("searcher", self._searcher.stop),
            ("worker", self._stop_workers),
        ]
        for name, step in steps:
            step()
            for thread in threads:
                if thread.name.startswith(name):
                    thread.join()
        self._let_go()

    def reread(self, why: str) -> None:
        """Read users, certificates and message of the day again, from any thread."""
        self._sequencer.put(Reread(why))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _let_go(self) -> None:
        """Close what a thread that never ran, or died, has left open."""
        for worker in self._workers:
            worker.close()
        self._listener.close()
        self._store.close()

    def _stop_workers(self) -> None:
        for worker in self._workers:
            worker.post(StopWorker(FAREWELL))

    def _reload(self, hub: Hub) -> str:
        """Take in certificates and message of the day again; return a sentence if they are unusable.

        Runs on the sequencer's thread, which owns the hub. A new context is for new handshakes: nobody who is
        connected notices. Workers read the attribute, which is replaced whole: they see the old one or the new.
        """
        try:
            context, told = load_context(self._config), authority(self._config)
        except ServerError as error:
            return str(error)
        self._context = context
        hub.rules = replace(hub.rules, motd=motd(self._config.home), authority=told)
        return ""

    def _ask(self, session: Session, question: Credentials | Question | Request) -> bool:
        """Have a question answered by whoever can, on the sequencer's thread."""
        if isinstance(question, Credentials):
            return self._checker.submit(session, question)
        if isinstance(question, Enrol | Revoke | Redeem):
            return self._issuer.submit(session, question)
        if isinstance(question, Search):
            return self._searcher.submit(session, question)
        return self._reader.submit(session, question)

    def _fail(self) -> None:
        self.failed = True
        self._on_failure()
