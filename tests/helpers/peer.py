"""A server that does what the test tells it, over real TLS. What was said is in every failure."""

from __future__ import annotations

import re
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager

TIMEOUT = 30.0
"""Only ever reached when something is broken."""
CAPS = "account-tag cap-notify echo-message extended-join message-tags multi-prefix sasl=PLAIN server-time"


class Peer:
    """One accepted connection: the test says what the server says, and asserts what it is told."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.said: list[str] = []
        self._buffer = b""

    def send(self, *lines: str) -> None:
        self.said += [f"  server: {line}" for line in lines]
        self.sock.sendall("".join(line + "\r\n" for line in lines).encode())

    def line(self) -> str | None:
        """The next line of the client; None at its end."""
        try:
            while b"\n" not in self._buffer:
                data = self.sock.recv(65536)
                if not data:
                    return None
                self._buffer += data
        except ConnectionError:
            return None
        raw, _, self._buffer = self._buffer.partition(b"\n")
        self.said.append(f"  client: {raw.decode().rstrip()}")
        return raw.decode().removesuffix("\r")

    def expect(self, pattern: str) -> re.Match[str]:
        """The next line must match `pattern` as a whole."""
        try:
            line = self.line()
        except TimeoutError:
            line = "(nothing)"
        found = re.fullmatch(pattern, line) if line is not None else None
        assert found, f"want {pattern!r}, got {line!r}; the wire said:\n" + "\n".join(self.said)
        return found

    def expect_end(self) -> None:
        """The client must be gone, having said nothing more."""
        line = self.line()
        assert line is None, f"want the end, got {line!r}; the wire said:\n" + "\n".join(self.said)

    def authenticate(self, caps: str = CAPS) -> None:
        """Play the login up to the password, which is taken whatever it is."""
        self.expect("CAP :?LS :?302")
        self.expect("NICK :.*")
        self.expect("USER .*")
        self.send(f":irc.test CAP * LS :{caps}")
        wanted = self.expect("CAP REQ :(.*)")[1]
        self.send(f":irc.test CAP * ACK :{wanted}")
        self.expect("AUTHENTICATE :PLAIN")
        self.send("AUTHENTICATE +")
        self.expect("AUTHENTICATE :.*")

    def login(self, nick: str = "alice", *, caps: str = CAPS) -> None:
        """Play a whole login that ends in no channel."""
        self.authenticate(caps)
        self.send(f":irc.test 900 * {nick}!u@h {nick} :You are in", ":irc.test 903 * :Login succeeded")
        self.expect("CAP :?END")
        # In one piece: who has waited shortly after the first is not to be interrupted by the last.
        self.send(
            f":irc.test 001 {nick} :Welcome",
            f":irc.test 005 {nick} CHANTYPES=# :are supported",
            f":irc.test 422 {nick} :No message of the day",
        )

    def lobby(self, nick: str = "alice", *others: str) -> None:
        """Join the client to #lobby, answering the question that it asks after its login."""
        token = self.expect("PING :(.*)")[1]
        self.send(f":{nick}!u@h JOIN #lobby {nick} :{nick}")
        self.send(f":irc.test 353 {nick} = #lobby :{' '.join((nick, *others))}")
        self.send(f":irc.test 366 {nick} #lobby :End")
        self.send(f":irc.test PONG irc.test :{token}")

    def pong(self) -> None:
        """Answer the PING that must come now."""
        token = self.expect("PING :(.*)")[1]
        self.send(f":irc.test PONG irc.test :{token}")

    def goodbye(self) -> None:
        """End our side after the client's QUIT; it must end its own, having said nothing more."""
        self.send("ERROR :Goodbye")
        self.sock.unwrap().close()

    def cut(self) -> None:
        """Cut the connection: the client gets a reset and no goodbye."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()


class Listener:
    """A listening socket of its own port; accepts with a certificate, or bare."""

    def __init__(self, certificate=None) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(TIMEOUT)
        self.port = self._socket.getsockname()[1]
        self.peers: list[Peer] = []
        self._context = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate.pem, certificate.key)

    def accept_raw(self) -> socket.socket:
        sock, _ = self._socket.accept()
        sock.settimeout(TIMEOUT)
        self.peers.append(Peer(sock))
        return sock

    def accept(self) -> Peer:
        """The next connection, once its TLS handshake is done. Raises OSError where the client breaks it off."""
        sock = self.accept_raw()
        peer = self.peers[-1]
        peer.sock = self._context.wrap_socket(sock, server_side=True)
        return peer

    def close(self) -> None:
        for peer in self.peers:
            peer.close()
        self._socket.close()


@contextmanager
def deserted() -> Iterator[int]:
    """A port at which nobody listens for as long as this lasts, apart from a server that is told to by its number.

    It stays taken: one that is merely given back is anybody's, and another test may be listening there at once.
    """
    with socket.socket() as held:
        # It lets a server in that asks for this port, and the kernel still gives it to nobody who asks for any.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
