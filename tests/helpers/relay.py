"""A TCP relay between clients and a server that can turn deaf to what the server says, and cut its connections."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from contextlib import suppress

TURN_SECONDS = 0.02


class Relay:
    """Passes on what clients and server say to each other. Its thread owns all sockets.

    `target` is the server's port. While it is `deaf`, what the server says is thrown away; such connections must
    be cut, for what is missing would break their TLS.
    """

    def __init__(self, target: int = 0) -> None:
        self.target = target
        self.deaf = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._others: dict[socket.socket, socket.socket] = {}
        self._clients: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._cutting = threading.Event()
        self._cut = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="relay")
        self._thread.start()

    def cut(self) -> None:
        """Reset all connections; return once they are gone. New ones are passed on in full."""
        self._cut.clear()
        self._cutting.set()
        self._cut.wait()

    def stop(self) -> None:
        self._stopping = True
        self._thread.join()

    def _run(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ)
        while not self._stopping:
            for key, _ in self._selector.select(TURN_SECONDS):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj in self._others:
                    self._pass_on(key.fileobj)
            if self._cutting.is_set():
                self._cutting.clear()
                self._end_all()
                self.deaf = False
                self._cut.set()
        self._end_all()
        self._selector.close()
        self._listener.close()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        self._clients.add(client)
        for sock, other in ((client, server), (server, client)):
            self._others[sock] = other
            self._selector.register(sock, selectors.EVENT_READ)

    def _pass_on(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(65536)
            if data and (sock in self._clients or not self.deaf):
                self._others[sock].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._end(sock)

    def _end(self, sock: socket.socket, *, hard: bool = False) -> None:
        for one in (sock, self._others[sock]):
            del self._others[one]
            self._clients.discard(one)
            self._selector.unregister(one)
            if hard:
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()

    def _end_all(self) -> None:
        while self._others:
            self._end(next(iter(self._others)), hard=True)
