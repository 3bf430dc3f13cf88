"""A TCP proxy that cuts connections after so many bytes, wherever in a line or a TLS record that is."""

from __future__ import annotations

import random
import selectors
import socket
import struct
import threading
from contextlib import suppress
from typing import Final

CHUNK: Final = 4096
TURN_SECONDS: Final = 0.05


class Cutter:
    """Passes on what clients and server say to each other. Its thread owns all sockets.

    Other threads may read `cuts` and `port`, and set `target` (the server's port) and `calm`.
    """

    def __init__(self, seed: str, least: int, most: int) -> None:
        self.target = 0
        self.calm = False
        self.cuts = 0
        self._random = random.Random(seed)
        self._range = least, most
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._stopping = False
        self._pairs: dict[socket.socket, tuple[socket.socket, list[int]]] = {}
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, name="cutter")

    def start(self) -> None:
        """Begin to pass on."""
        self._thread.start()

    def stop(self) -> None:
        """Cut everything and end."""
        self._stopping = True
        self._thread.join()

    def _run(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ)
        while not self._stopping:
            for key, _ in self._selector.select(TURN_SECONDS):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj in self._pairs:
                    assert isinstance(key.fileobj, socket.socket)
                    self._pass_on(key.fileobj)
        while self._pairs:
            self._end(next(iter(self._pairs)))
        self._selector.close()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            client, _ = self._listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=1)
            except OSError:  # killed a moment ago
                client.close()
                return
            left = [self._random.randint(*self._range)]  # shared by both directions
            for sock, other in ((client, server), (server, client)):
                sock.settimeout(5)
                self._pairs[sock] = other, left
                self._selector.register(sock, selectors.EVENT_READ)

    def _pass_on(self, sock: socket.socket) -> None:
        other, left = self._pairs[sock]
        try:
            data = sock.recv(CHUNK)
            if not data:
                self._end(sock)
                return
            if self.calm or left[0] > len(data):
                left[0] -= len(data)
                other.sendall(data)
                return
            other.sendall(data[: max(0, left[0])])
        except OSError:
            self._end(sock)
            return
        self.cuts += 1
        self._end(sock, hard=self._random.random() < 0.5)

    def _end(self, sock: socket.socket, *, hard: bool = False) -> None:
        """Close both sides; `hard` throws away what they have not sent yet."""
        other, _ = self._pairs[sock]
        for one in (sock, other):
            if self._pairs.pop(one, None) is not None:
                self._selector.unregister(one)
            if hard:
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()
