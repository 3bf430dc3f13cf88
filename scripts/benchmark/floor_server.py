"""What this machine can do at best: bare SSLSockets in one Python thread, and nothing that looks at a byte.

Accepts whoever comes, many handshakes at a time. Each line on standard input is a command, such as
{"do": "pour", ...}, answered by one line of JSON.
"""

from __future__ import annotations

import resource
import select
import socket
import ssl
import sys
import time
from io import FileIO
from pathlib import Path
from typing import Any

from benchmark.driver.clients import WANT
from benchmark.remote import Obedient
from securechat.net.tls import server_context


class Floor(Obedient):
    """All connections, in the order in which their handshakes ended."""

    def __init__(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        super().__init__()
        self.listener, self.context = listener, context
        self.entering: dict[int, ssl.SSLSocket] = {}
        self.ready: list[ssl.SSLSocket] = []
        self.poll = select.epoll()
        self.talkers = select.epoll()
        self.commands = FileIO(0, closefd=False)  # a buffer would hide lines from epoll
        listener.setblocking(False)
        self.poll.register(listener, select.EPOLLIN)

    def accept(self) -> None:
        """Take in who is waiting."""
        while True:
            try:
                raw, _ = self.listener.accept()
            except BlockingIOError:
                return
            raw.setblocking(False)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            tls = self.context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
            self.entering[tls.fileno()] = tls
            self.poll.register(tls, select.EPOLLIN)

    def handshake(self, descriptor: int) -> None:
        """Go on with a handshake. Afterwards nothing is read: nobody says anything."""
        tls = self.entering[descriptor]
        try:
            tls.do_handshake()
        except WANT:
            return
        self.poll.unregister(descriptor)
        self.talkers.register(descriptor, select.EPOLLIN)
        self.ready.append(self.entering.pop(descriptor))

    def pour(self, size: int, records: int) -> dict[str, Any]:
        """Send records of one size, one to each connection in turns; return this thread's CPU seconds."""
        record = b"x" * size
        for tls in self.ready:
            tls.setblocking(True)
        cpu = time.thread_time()
        for _ in range(records // len(self.ready)):
            for tls in self.ready:
                tls.send(record)
        return {"cpu": time.thread_time() - cpu, "records": records // len(self.ready) * len(self.ready)}

    def take_turns(self, size: int, records: int, turns: int) -> dict[str, Any]:
        """Send so many records to each connection, again whenever a client says something; return CPU seconds."""
        record = b"x" * size
        by_descriptor = {tls.fileno(): tls for tls in self.ready}
        for tls in self.ready:
            tls.setblocking(True)
        cpu = time.thread_time()
        for _ in range(turns):
            for tls in self.ready:
                for _ in range(records):
                    tls.send(record)
            ((descriptor, _), *_) = self.talkers.poll()
            by_descriptor[descriptor].recv(1)
        return {"cpu": time.thread_time() - cpu}

    def tick(self, rate: float, seconds: float, start: float, size: int = 100) -> None:
        """Send everybody a numbered line at each moment of a schedule that starts at `start` (monotonic)."""
        for tls in self.ready:
            tls.setblocking(True)
        for number in range(int(rate * seconds)):
            line = f":floor PRIVMSG #b0 :0000 {number:07} ".encode().ljust(size, b"x") + b"\r\n"
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            for tls in self.ready:
                tls.send(line)

    def run(self) -> None:
        """Accept until a command comes; it is obeyed alone."""
        self.poll.register(self.commands, select.EPOLLIN)
        while True:
            for descriptor, _ in self.poll.poll():
                if descriptor == self.listener.fileno():
                    self.accept()
                elif descriptor in self.entering:
                    self.handshake(descriptor)
                elif not (line := self.commands.readline()):
                    return
                else:
                    self.obey(line)


def main() -> None:
    """Serve on a free port, which the first line of standard output names, until standard input ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    certificate, key = sys.argv[1:]
    context = server_context(Path(certificate), Path(key))
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print(f"floor listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
        Floor(listener, context).run()


if __name__ == "__main__":
    main()
