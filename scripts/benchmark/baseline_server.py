"""The shape this project began with, for scripts/bench to measure against: one blocking thread per client.

Whoever sends a line loops over everybody else in the channel and calls sendall, under one lock. Just enough IRC
for the driver: PASS is not checked and nothing is kept. TLS is set up as in our server (TLS 1.3, P-256), so that
only the shape differs.
"""

from __future__ import annotations

import argparse
import signal
import socket
import ssl
import threading
from pathlib import Path

from securechat.net.tls import server_context

NAME = "baseline"


class Baseline:
    """Everybody who is connected. Every thread reads and writes `members`, under `lock`."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.members: dict[str, dict[str, ssl.SSLSocket]] = {}

    def serve(self, client: socket.socket, context: ssl.SSLContext) -> None:
        """Talk to one client until it goes. Runs in the client's own thread."""
        nick = "*"
        try:
            with context.wrap_socket(client, server_side=True) as tls:
                buffer = b""
                while data := tls.recv(16384):
                    *lines, buffer = (buffer + data).split(b"\n")
                    for line in lines:
                        nick = self.handle(tls, nick, line.rstrip(b"\r").decode())
        except OSError:
            pass
        finally:
            with self.lock:
                for channel in self.members.values():
                    channel.pop(nick, None)

    def handle(self, tls: ssl.SSLSocket, nick: str, line: str) -> str:
        """Do what one line says, and return the nick that its sender has from now on."""
        command, _, rest = line.partition(" ")
        if command == "PRIVMSG":
            self.broadcast(rest.partition(" ")[0], nick, line)
        elif command == "NICK":
            nick = rest
        elif command == "USER":
            self.reply(tls, f"001 {nick} :Welcome")
        elif command == "JOIN":
            with self.lock:
                self.members.setdefault(rest, {})[nick] = tls
            self.broadcast(rest, nick, line)
            self.reply(tls, f"366 {nick} {rest} :End of NAMES list")
        elif command == "PING":
            self.reply(tls, f"PONG {NAME} {rest}")
        return nick

    def reply(self, tls: ssl.SSLSocket, text: str) -> None:
        """Answer one client; the others' threads write to the same socket."""
        with self.lock:
            tls.sendall(f":{NAME} {text}\r\n".encode())

    def broadcast(self, channel: str, sender: str, line: str) -> None:
        """Send a line to all but its sender, one after another."""
        data = f":{sender}!{sender}@{NAME} {line}\r\n".encode()
        with self.lock:
            for nick, tls in self.members.get(channel, {}).items():
                if nick != sender:
                    tls.sendall(data)


def main() -> None:
    """Serve on a free port until SIGTERM; the first line of standard output names the port."""
    parser = argparse.ArgumentParser(description="What scripts/bench measures against.")
    parser.add_argument("certificate", type=Path)
    parser.add_argument("key", type=Path)
    options = parser.parse_args()
    context = server_context(options.certificate, options.key)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    baseline = Baseline()
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        print(f"baseline listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=baseline.serve, args=(client, context), daemon=True).start()


if __name__ == "__main__":
    main()
