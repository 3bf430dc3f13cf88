"""What happens to the whole process: signals, a dead thread, a full disk, and what its log never says."""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
from contextlib import suppress
from threading import Event

import pytest
from helpers.commands import refused
from helpers.homes import PASSWORDS

from securechat.config import ServerConfig
from securechat.net.jobs import Stop
from securechat.server.app import Server


@pytest.fixture
def login():
    """Connect to a server process: login(server) says nothing yet, login(server, "alice") logs in."""
    wires = []

    def connect(server, name=None):
        wires.append(server.dial())
        return wires[-1] if name is None else wires[-1].login(name, PASSWORDS[name])

    yield connect
    for wire in wires:
        wire.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_tells_twenty_clients_and_ends_cleanly(serving, login, number):
    server = serving("--limit", "linger_seconds=30")  # however slow this machine is, all may read to the end
    names = list(PASSWORDS)
    wires = [login(server, names[index % len(names)]) for index in range(20)]
    stranger = login(server)
    stranger.barrier()  # until it answers, only our half of the handshake is known to have ended
    for wire in wires:
        wire.sock.suppress_ragged_eofs = False
    server.signal(number)
    for wire in [*wires, stranger]:
        assert wire.rest()[-1] == "ERROR :The server is shutting down"
        wire.close()
    assert server.finish() == 0
    assert "Traceback" not in server.said()


def test_two_signals_are_as_good_as_one(serving, login):
    """An impatient operator, or a service manager that sends both."""
    server = serving()
    login(server, "alice")
    server.signal(signal.SIGINT)
    server.signal(signal.SIGTERM)
    assert server.finish() == 0, server.said()


def test_what_was_said_before_the_end_is_there_afterwards(serving, login):
    server = serving()
    alice = login(server, "alice")
    alice.send("JOIN #garden", "TOPIC #garden :roses")
    alice.barrier()
    server.stop()
    again = serving()
    assert "332 alice #garden :roses" in "\n".join(login(again, "alice").seen)
    assert again.stop() == 0


FAULT = """
import threading
from {module} import {name} as Part
real, fuse = Part.{method}, threading.Event()
def faulty(self, *arguments):
    if {when}:
        raise RuntimeError("a fault of ours")
    return real(self, *arguments)
Part.{method} = faulty
"""

THREADS = {
    "listener": FAULT.format(
        module="securechat.net.listener", name="Listener", method="_accept", when="fuse.is_set() or fuse.set()"
    ),
    "worker": FAULT.format(
        module="securechat.net.worker", name="Worker", method="_deliver", when="self._lane == 0"
    ),
    "sequencer": FAULT.format(
        module="securechat.server.sequencer", name="Sequencer", method="end_turn", when="self._desk.sessions"
    ),
    "checker": FAULT.format(
        module="securechat.server.directory", name="Directory", method="refresh", when="not self._loud"
    ),
    "reader": FAULT.format(module="securechat.server.reader", name="Reader", method="_try", when="True"),
    "searcher": FAULT.format(module="securechat.server.reader", name="Searcher", method="_next", when="True"),
}


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("thread", THREADS)
def test_a_dead_thread_stops_the_server_loudly(serving, login, thread, workers):
    server = serving("--workers", workers, code=THREADS[thread])
    for _ in range(3):
        try:
            wire = login(server)
            wire.send("PASS :alice:secret of alice", "NICK alice", "USER a 0 * :a")
        except OSError:
            break
    assert server.finish() == 1, server.said()
    assert re.search(f"CRITICAL thread {thread}", server.said())
    assert "a fault of ours" in server.said()
    assert "The server stopped because of an internal error" in server.log[-1]


@pytest.mark.parametrize("part", ["_listener", "_sequencer", "_workers", "_checker", "_reader", "_searcher"])
def test_a_dead_thread_is_told_to_the_owner_and_stop_still_stops(home, part, monkeypatch, caplog):
    """In one process: `on_failure` is called, and every other thread ends when it is told to."""
    failed = Event()
    server = Server(ServerConfig(home=home, port=0, workers=2), on_failure=failed.set)
    target = getattr(server, part)
    target = target[0] if isinstance(target, list) else target

    def die() -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(target, "run", die)
    server.start()
    threads = list(server._threads)
    assert failed.wait(30)
    try:
        server.stop()
    finally:
        left = [thread.name for thread in threads if thread.is_alive()]
        for worker in server._workers if left else ():
            with suppress(OSError):
                worker.post(Stop(b""))
    assert server.failed
    assert left == []


def test_a_disk_that_fills_up_and_is_cleared(serving, login):
    """Every write fails, as on a full disk; then there is room again."""
    server = serving()
    alice, bob = login(server, "alice"), login(server, "bob")
    alice.barrier()
    server.limit_files(0)
    alice.send("PRIVMSG #lobby :lost")
    alice.expect("FAIL PRIVMSG NOT_STORED :")
    bob.send("JOIN #garden")
    bob.expect("FAIL JOIN NOT_STORED :")
    assert not [line for line in bob.barrier() if "lost" in line or "garden" in line]
    server.limit_files(None)
    alice.send("PRIVMSG #lobby :found")
    bob.expect("^:alice!u@alice PRIVMSG #lobby :found$")
    assert "lost" not in "\n".join(bob.seen)
    assert server.stop() == 0, server.said()
    assert server.said().count("cannot be written") == 1
    assert "the log can be written again" in server.said()


SECRETS = ["hunter2-hunter2", "тайна-тайна"]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_password_is_never_logged(serving, login, secret):
    """However wrongly it is said: as a name, as a command, without a user, in a broken response."""
    server = serving("--log-level", "debug")
    raw = base64.b64encode(f"\0alice\0{secret}".encode()).decode()
    lines = [
        f"PASS {secret}", f"PASS :{secret}", f"PASS {secret}:alice", f"PASS alice:{secret}",
        f"PASS :alice:{secret}\0",
        f"AUTHENTICATE {secret}", f"AUTHENTICATE PLAIN {secret}", secret, f":{secret}",
        f"@{secret}", f"NICK {secret}",
        f"USER {secret} 0 * :{secret}", f"CAP {secret}", f"CAP REQ :{secret}", f"PING {secret}", f"JOIN {secret}",
        "PASS :alice:" + secret * 60, f"PRIVMSG NickServ :IDENTIFY {secret}",
        f"OPER alice {secret}", f"QUIT :{secret}",
    ]  # fmt: skip
    for line in lines:
        wire = login(server)
        wire.send(line, "NICK a", "USER a 0 * :a", "QUIT")
        wire.rest()
        wire.close()
    for response in (raw, raw[:-1], raw + "=", raw[::-1], secret, base64.b64encode(secret.encode()).decode()):
        wire = login(server)
        wire.send("CAP REQ :sasl", "AUTHENTICATE PLAIN", f"AUTHENTICATE {response}", "QUIT")
        wire.rest()
        wire.close()
    wire = login(server)
    wire.send_raw(f"PASS alice:{secret}".encode() + b"\xff\n" + f"PASS :{secret}".encode() + b"x" * 70_000)
    wire.close()
    assert server.stop() == 0
    log = server.announced + server.said()
    assert "login refused: wrong password for alice" in log
    for hidden in (secret, raw, base64.b64encode(secret.encode()).decode(), ascii(secret)[1:-1]):
        assert hidden not in log, log


def test_a_right_password_is_never_logged(serving, login):
    server = serving("--log-level", "debug")
    for name in PASSWORDS:
        login(server, name).send("JOIN #x", "QUIT")
    assert server.stop() == 0
    assert "login: alice from 127.0.0.1:" in server.said()
    for password in PASSWORDS.values():
        assert password not in server.said()
        assert base64.b64encode(password.encode()).decode()[:-3] not in server.said()


class TestStart:
    """One sentence, exit code 1, and nothing on standard output."""

    def test_a_port_in_use(self, home):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            sentence = refused("serve", "--home", str(home.path), "--port", str(port))
        assert f"port {port} (Address already in use)" in sentence

    def test_a_home_in_use(self, home, serving):
        serving()
        sentence = refused("serve", "--home", str(home.path), "--port", "0")
        assert "chat.db is in use by another securechat server" in sentence

    def test_missing_certificates(self, home):
        (home.certs / "server.key").unlink()
        assert "run `securechat init-certs`" in refused("serve", "--home", str(home.path), "--port", "0")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_an_unreadable_key(self, home):
        (home.certs / "server.key").chmod(0)
        assert "server.key" in refused("serve", "--home", str(home.path), "--port", "0")

    def test_a_broken_log(self, home):
        home.log.write_bytes(b"nonsense" * 1000)
        assert "chat.db" in refused("serve", "--home", str(home.path), "--port", "0")
