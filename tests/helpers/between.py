"""Somebody in between: a TLS server with a certificate of its own, who passes on what is said and remembers it."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading

from helpers.leaves import Leaf
from helpers.peer import TIMEOUT


class Between:
    """Poses as the server at port `target`. `heard` has what clients said on each connection, `broken` the others.

    Its one thread serves one connection after the other.
    """

    def __init__(self, target: int, leaf: Leaf, own_authority: str = "") -> None:
        """With `own_authority` (base64), it answers the question for the CA by that instead of the server's."""
        self.heard: list[bytes] = []
        self.broken: list[str] = []
        self._target = target
        self._own = own_authority
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(leaf.pem, leaf.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="between")
        self._thread.start()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            raw.settimeout(TIMEOUT)
            try:
                client = self._context.wrap_socket(raw, server_side=True)
            except OSError as failure:
                self.broken.append(str(failure))
                raw.close()
                continue
            self.heard.append(b"")
            with client, contextlib.suppress(OSError):
                self._serve(client)

    def _serve(self, client: ssl.SSLSocket) -> None:
        blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self._target), timeout=TIMEOUT) as raw,
            blind.wrap_socket(raw, server_hostname="localhost") as server,
        ):
            others = {client: server, server: client}
            while True:
                ready = [sock for sock in others if sock.pending()] or select.select([*others], [], [], TIMEOUT)[0]
                for sock in ready:
                    data = sock.recv(65536)
                    if not data:
                        return
                    if sock is client:
                        self.heard[-1] += data
                        if self._own and b"CA\r\n" in data:
                            client.sendall(f":irc.test CA :{self._own}\r\n".encode())
                            continue
                    others[sock].sendall(data)
