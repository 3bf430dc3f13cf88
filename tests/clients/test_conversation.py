"""A whole conversation through a real irssi and a real WeeChat, with all that people do to one another."""

from __future__ import annotations

import re
import shutil
import socket
from contextlib import ExitStack, suppress
from threading import Thread

import pytest
from helpers.homes import PASSWORDS
from helpers.irssi import Irssi
from helpers.weechat import SERVER, WeeChat

MISSING = [name for name in ("irssi", "tmux", "weechat-headless") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

ODD = re.compile(r"(?i)unknown (?!$)|no such|not enough|error|=!=|irssi: warning|1970|fail\b")
"""What must not be on a screen when all goes well. (A last "Unknown" is irssi's name for our key exchange.)"""
PULLED = ("SSL read error: unexpected eof", "TLS connection was non-properly terminated")
"""What is right to say when the network was pulled out."""


@pytest.fixture
def start(home, tmp_path):
    """start(Irssi or WeeChat, server, nick) runs a client that trusts this home's authority."""
    with ExitStack() as running:

        def run(kind, server, nick):
            folder = tmp_path / f"{kind.__name__}-{nick}"
            client = kind(folder, server.port, home.certs / "ca.pem", nick, password=PASSWORDS[nick])
            return running.enter_context(client).lobby()

        yield run


@pytest.fixture
def both(server, start):
    """alice in irssi and bob in WeeChat, both in the lobby, and bob's own channel #клуб."""
    alice, bob = start(Irssi, server, "alice"), start(WeeChat, server, "bob")
    alice.expect(r"bob \[u@bob\] has joined #lobby$")
    bob.say("/join #клуб")
    bob.expect("Channel created on", "#клуб")
    return alice, bob


def odd(alice: Irssi, bob: WeeChat, *buffers: str, windows: int = 3) -> list[str]:
    """What looks odd in any window of either."""
    shown = alice.screens(windows) + "\n" + "\n".join(bob.log(buffer) for buffer in (SERVER, "#lobby", *buffers))
    return [line for line in shown.splitlines() if ODD.search(line) and not any(said in line for said in PULLED)]


def test_topic_invitation_kick_and_ban(both):
    alice, bob = both
    bob.say("/topic Розы", "#клуб")
    bob.expect('bob has changed topic for #клуб to "Розы"$', "#клуб")
    bob.say("/mode #клуб +i", "#клуб")
    bob.expect(r"Mode #клуб \[\+iH\] by bob$", "#клуб")
    alice.window("(status)")
    alice.say("/join #клуб")
    alice.expect(r"Cannot join to channel #клуб \(You must be invited\)$")
    bob.say("/invite alice", "#клуб")
    alice.expect("bob invites you to #клуб$")
    bob.expect("bob has invited alice to #клуб$")
    alice.say("/join #клуб")
    alice.window("#клуб")
    alice.expect("Topic for #клуб: Розы$")
    alice.expect(r"\[~bob\] \[ alice\]$")
    alice.expect("Irssi: Join to #клуб was synced")
    bob.expect(r"alice .*\(u@alice\) has joined #клуб$", "#клуб")
    bob.say("/kick alice be nice", "#клуб")
    alice.expect(r"alice was kicked from #клуб by bob \[be nice\]$")
    bob.expect(r"bob has kicked alice \(be nice\)$", "#клуб")
    bob.say("/mode #клуб -i", "#клуб")
    bob.say("/ban alice", "#клуб")
    bob.expect(r"Mode #клуб \[\+b alice!\*@\*\] by bob$", "#клуб")
    alice.window("(status)")
    alice.say("/join #клуб")
    alice.expect(r"Cannot join to channel #клуб \(You are banned\)$")
    bob.say("/unban alice", "#клуб")
    bob.expect(r"Mode #клуб \[-b alice!\*@\*\] by bob$", "#клуб")
    alice.say("/join #клуб")
    alice.window("#клуб")
    alice.expect(r"\[~bob\] \[ alice\]$")
    assert bob.log().count("has invited alice") == 1
    assert odd(alice, bob, "#клуб") == []


def test_irssi_bans_whom_it_kicks(both):
    """irssi makes a mask of its own from user and host; it has to hit who was meant, and nobody else."""
    alice, bob = both
    alice.say("/join #сад")
    alice.window("#сад")
    alice.expect("Irssi: Join to #сад was synced")
    bob.say("/join #сад")
    alice.expect(r"bob \[u@bob\] has joined #сад$")
    alice.say("/kickban bob spam")
    alice.expect(r"mode/#сад \[\+b .*\] by alice$")
    alice.expect(r"bob was kicked from #сад by alice \[spam\]$")
    bob.say("/join #сад")
    bob.expect(r"#сад.*Cannot join: you are banned \(\+b\)$", "#сад")
    assert odd(alice, bob, "#сад") == []


def test_away_notify_and_direct_messages(server, both, dial):
    alice, bob = both
    bob.say("/notify add carol")
    bob.expect("notify: carol is offline$")
    alice.say("/set notify_check_time 1s")
    alice.say("/notify carol")
    alice.window("(status)")
    alice.say("/away обед")
    alice.window("(status)")
    alice.expect("You have been marked as being away$")
    bob.say("/query alice приятного аппетита")
    bob.expect("away: обед", "alice")
    alice.window("bob")
    alice.expect("<bob> приятного аппетита$")
    alice.say("спасибо")
    bob.expect("\talice\tспасибо$", "alice")
    alice.say("/away")
    carol = dial(server, "carol")
    bob.expect(r"notify: carol .*connected$")
    alice.window("(status)")
    alice.expect("carol .*has joined")
    carol.send("PRIVMSG bob :psst")
    bob.expect("\tcarol\tpsst$", "carol")
    carol.send("QUIT")
    bob.expect(r"notify: carol .*quit$")
    alice.window("(status)")
    alice.expect("no longer marked as being away$")
    assert odd(alice, bob, "alice", "carol") == []


def test_twenty_lines_pasted(both):
    alice, bob = both
    lines = [f"{'вот ' * (number % 2)}строка {number} of a paste; with ; and \\ in it" for number in range(20)]
    alice.terminal._tmux("set-buffer", "\n".join(lines) + "\n")
    alice.terminal._tmux("paste-buffer", "-p")
    bob.expect("строка 19 ", "#lobby")
    assert [line.split("\t")[2] for line in bob.log("#lobby").splitlines() if "of a paste" in line] == lines
    for line in lines:
        bob.say(line.replace("paste", "reply"), "#lobby")
    alice.expect("< bob> вот строка 19 of a reply")
    shown = [line for line in alice.terminal.screen().splitlines() if "of a reply" in line]
    assert len(shown) == 20
    assert odd(alice, bob, windows=2) == []


class Cable:
    """A way to the server that can be pulled out and is whole again at once."""

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._server)
            self._ends += [near, far]
            self._threads += [Thread(target=_pump, args=ends) for ends in ((near, far), (far, near))]
            for thread in self._threads[-2:]:
                thread.start()

    def pull(self) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        self.pull()
        for thread in self._threads[1:]:
            thread.join()
        for end in self._ends:
            end.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def cable(server):
    cable = Cable(server.port)
    yield cable
    cable.close()


def test_the_network_is_pulled_for_a_moment(server, dial, start, cable):
    """Both come back by themselves, into all their channels, and see them once."""
    carol = dial(server, "carol")
    carol.send("JOIN #клуб")
    alice, bob = start(Irssi, cable, "alice"), start(WeeChat, cable, "bob")
    alice.say("/set server_reconnect_time 1s")
    bob.say("/set irc.server_default.autoreconnect_delay 1")
    alice.say("/join #клуб")
    alice.window("#клуб")
    alice.expect("Irssi: Join to #клуб was synced")
    bob.say("/join #клуб")
    bob.expect("Channel created on", "#клуб")
    carol.expect("^:bob!u@bob JOIN #клуб$")
    cable.pull()
    seen = sorted(carol.expect("^:(alice|bob)!.* (QUIT|JOIN) :?(#.*)?").groups() for _ in range(6))
    assert seen == [
        (name, what, where)
        for name in ("alice", "bob")
        for what, where in (("JOIN", "#lobby"), ("JOIN", "#клуб"), ("QUIT", None))
    ]
    carol.send("PRIVMSG #клуб :welcome back")
    bob.expect("\t~carol\twelcome back$", "#клуб")
    alice.window("#клуб")
    alice.expect("<~carol> welcome back$")
    alice.say("and hello")
    carol.expect("^:alice!u@alice PRIVMSG #клуб :and hello$")
    assert [line for line in carol.barrier() if "JOIN" in line] == []
    bob.expect("Channel created on.*\n(.*\n)*.*Channel created on", "#клуб")
    assert bob.log("#клуб").count("(u@bob) has joined #клуб") == 2, "once, and once again"
    assert odd(alice, bob, "#клуб") == []
