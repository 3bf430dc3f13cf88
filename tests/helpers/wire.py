"""A bare IRC client for tests: real TLS, blocking, and everything it read is in the failure."""

from __future__ import annotations

import base64
import re
import socket
import ssl
from pathlib import Path

TIMEOUT = 30.0
"""Only ever reached when something is broken."""


def connect(
    context: ssl.SSLContext, address: tuple[str, int], session: ssl.SSLSession | None = None
) -> ssl.SSLSocket:
    """A TLS connection to a server that proves to be localhost, or the OSError that prevented it.

    Wrapped before it connects: of a socket that its peer has reset, wrap_socket makes one that nobody can close.
    """
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = context.wrap_socket(socket.socket(family), server_hostname="localhost", session=session)
    try:
        sock.settimeout(TIMEOUT)
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


class Wire:
    """One TLS connection that sends lines and waits for lines."""

    def __init__(
        self, port: int, authority: Path | None, host: str = "127.0.0.1", device: Path | None = None
    ) -> None:
        """Connect, verifying nothing without an authority; `device` has a client certificate and its key."""
        context = ssl.create_default_context(cafile=authority)
        if authority is None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if device is not None:
            context.load_cert_chain(device)
        self.sock = connect(context, (host, port))
        self.seen: list[str] = []
        self._buffer = b""
        self._marks = 0

    def send(self, *lines: str) -> None:
        self.sock.sendall("".join(line + "\r\n" for line in lines).encode())

    def send_raw(self, data: bytes) -> None:
        self.sock.sendall(data)

    def line(self) -> str | None:
        """The next line without its end; None at the end of the stream."""
        while b"\n" not in self._buffer:
            try:
                data = self.sock.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return None
            self._buffer += data
        raw, _, self._buffer = self._buffer.partition(b"\n")
        text = raw.decode().rstrip("\r")
        self.seen.append(text)
        return text

    def expect(self, pattern: str) -> re.Match[str]:
        """Read until a line in which `pattern` is found."""
        try:
            while (line := self.line()) is not None:
                if found := re.search(pattern, line):
                    return found
        except TimeoutError:
            pass
        raise AssertionError(f"no line with {pattern!r}; the wire said:\n  " + "\n  ".join(self.seen))

    def barrier(self) -> list[str]:
        """Wait until everything sent has been dealt with; give the lines that came until then."""
        self._marks += 1
        start = len(self.seen)
        self.send(f"PING mark-{self._marks}")
        self.expect(f"PONG .*mark-{self._marks}$")
        return self.seen[start:-1]

    def rest(self) -> list[str]:
        """Everything up to the end of the stream."""
        start = len(self.seen)
        while self.line() is not None:
            pass
        return self.seen[start:]

    def login(self, name: str, password: str, *caps: str) -> Wire:
        """SASL PLAIN, the given capabilities, and everything up to the end of the first names list."""
        self.send("CAP LS 302", f"NICK {name}", f"USER {name} 0 * :{name} in a test")
        self.send(
            f"CAP REQ :{' '.join(('sasl', *caps))}", "AUTHENTICATE PLAIN", f"AUTHENTICATE {plain(name, password)}"
        )
        self.expect(" 903 ")
        self.send("CAP END")
        self.expect(" (422|376) ")
        self.barrier()
        return self

    def close(self) -> None:
        self.sock.close()


def plain(name: str, password: str) -> str:
    """The SASL PLAIN response."""
    return base64.b64encode(f"\0{name}\0{password}".encode()).decode()
