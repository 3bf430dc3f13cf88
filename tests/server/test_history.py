"""History over real TLS and over a killed server: nothing lost, nothing twice."""

from __future__ import annotations

import re
from threading import Event

import pytest
from helpers.homes import PASSWORDS
from helpers.process import Serving
from helpers.wire import Wire

from securechat.storage.history import SqliteHistory

CAPS = ("batch", "server-time", "message-tags", "echo-message", "labeled-response", "draft/chathistory")


@pytest.fixture
def enter():
    """Log in at a server process: enter(server, "alice", *caps, device="...")."""
    wires = []

    def login(server, name, *caps, device=""):
        wires.append(server.dial())
        return wires[-1].login(f"{name}@{device}" if device else name, PASSWORDS[name], *caps)

    yield login
    for wire in wires:
        wire.close()


def page(wire: Wire, line: str) -> list[str]:
    """The messages of a batch that a command brings."""
    wire.send(line)
    wire.expect(r"BATCH \+h ")
    start = len(wire.seen)
    wire.expect("BATCH -h")
    return wire.seen[start:-1]


def texts(lines: list[str]) -> list[str]:
    return [line.split(" :")[-1] for line in lines if re.search(" (PRIVMSG|NOTICE) ", line)]


def kill(server: Serving) -> None:
    server.process.kill()
    server.finish()


def test_what_was_echoed_is_there_after_a_kill(serving, enter):
    server = serving()
    alice = enter(server, "alice", *CAPS)
    for number in range(20):
        alice.send(f"PRIVMSG #lobby :line {number}")
        alice.expect(f"PRIVMSG #lobby :line {number}$")
    echoed = [line for line in alice.seen if " PRIVMSG #lobby :line" in line]
    kill(server)
    bob = enter(serving(), "bob", *CAPS)
    lines = page(bob, "CHATHISTORY LATEST #lobby * 100")
    assert [line.removeprefix("@batch=h;") for line in lines] == [line.removeprefix("@") for line in echoed]
    middle = re.search("msgid=([^; ]+)", echoed[10])[1]
    assert texts(page(bob, f"CHATHISTORY BEFORE #lobby msgid={middle} 3")) == ["line 7", "line 8", "line 9"]
    assert texts(page(bob, f"CHATHISTORY AFTER #lobby msgid={middle} 2")) == ["line 11", "line 12"]


def test_a_retry_after_a_kill_is_no_second_message(serving, enter):
    server = serving()
    alice = enter(server, "alice", *CAPS)
    line = "@+securechat/key=0f;label=a PRIVMSG #lobby :Только один раз"
    alice.send(line)
    alice.expect("PRIVMSG #lobby :Только один раз$")
    first = alice.seen[-1]
    kill(server)
    server = serving()
    alice, bob = enter(server, "alice", *CAPS), enter(server, "bob", *CAPS)
    alice.send(line, line)
    for _ in range(2):
        alice.expect("PRIVMSG #lobby :Только один раз$")
        assert alice.seen[-1] == first
    assert texts(page(bob, "CHATHISTORY LATEST #lobby * 100")) == ["Только один раз"]
    assert texts(bob.barrier()) == []
    assert server.stop() == 0


def test_a_device_that_cannot_ask_gets_what_it_missed(serving, enter):
    server = serving()
    bob = enter(server, "bob", "server-time", device="irssi")
    alice = enter(server, "alice")
    alice.send("PRIVMSG #lobby :seen")
    bob.expect(":seen$")
    bob.send("QUIT")
    bob.rest()
    alice.send("PRIVMSG #lobby :missed", "PRIVMSG bob :missed too")
    alice.barrier()
    kill(server)
    server = serving()
    bob = enter(server, "bob", "server-time", device="irssi")
    assert texts(bob.seen) == ["missed", "missed too"]
    assert bob.seen.index(next(line for line in bob.seen if " 366 " in line)) < bob.seen.index(
        next(line for line in bob.seen if "missed" in line)
    )
    (token,) = (line.split(" PING ")[1].removeprefix(":") for line in bob.seen if " PING " in line)
    bob.send(f"PONG :{token}")
    bob.barrier()
    kill(server)
    assert texts(enter(serving(), "bob", "server-time", device="irssi").seen) == []


def test_markers_and_redactions_survive(serving, enter):
    server = serving()
    caps = (*CAPS, "draft/read-marker", "draft/message-redaction")
    alice = enter(server, "alice", *caps)
    alice.send("PRIVMSG #lobby :secret word", "PRIVMSG #lobby :stays")
    alice.expect(":stays$")
    spoken = [line for line in alice.seen if " PRIVMSG " in line]
    (msgid, _), (_, stamp) = (
        (re.search("msgid=([^; ]+)", line)[1], re.search("time=([^; ]+)", line)[1]) for line in spoken
    )
    alice.send(f"REDACT #lobby {msgid}", f"MARKREAD #lobby timestamp={stamp}")
    alice.expect("MARKREAD #lobby timestamp=")
    kill(server)
    bob, alice = (enter(server, name, *caps) for server in [serving()] for name in ("bob", "alice"))
    assert f":securechat.local MARKREAD #lobby timestamp={stamp}" in alice.seen
    assert texts(page(bob, "CHATHISTORY LATEST #lobby * 9")) == ["stays"]
    assert texts(page(bob, "SEARCH text=secret")) == []
    assert texts(page(bob, "SEARCH text=sta")) == ["stays"]


def test_a_question_holds_up_its_asker_only_and_keeps_the_order(serve, dial):
    server = serve(lines_per_second=0)
    alice, bob = dial(server, "alice", *CAPS), dial(server, "bob", *CAPS)
    alice.send("PRIVMSG #lobby :one", "CHATHISTORY LATEST #lobby * 9", "PRIVMSG #lobby :two")
    lines = [line for line in alice.barrier() if " PRIVMSG " in line or " BATCH " in line]
    assert [line.split(" :")[-1] for line in lines[:1]] == ["one"], "the echo"
    assert " BATCH +h" in lines[1]
    assert lines[2].endswith(":one"), "what was said before the question is in its answer"
    assert " BATCH -h" in lines[3]
    assert lines[4].endswith(":two")
    bob.expect(":two$")


def test_too_many_questions_are_refused_in_a_sentence(serve, dial, monkeypatch):
    """One question is being answered, one waits, and there is no room for a third."""
    asked, go = Event(), Event()
    real = SqliteHistory.page

    def slow(*arguments):
        asked.set()
        assert go.wait(30)
        return real(*arguments)

    monkeypatch.setattr(SqliteHistory, "page", slow)
    server = serve(questions_waiting=1)
    alice, bob, carol = (dial(server, name, *CAPS) for name in ("alice", "bob", "carol"))
    alice.send("CHATHISTORY LATEST #lobby * 5")
    assert asked.wait(30)
    bob.send("CHATHISTORY LATEST #lobby * 5")
    carol.barrier()
    while server._reader._jobs.empty():
        carol.barrier()
    carol.send("@label=q CHATHISTORY LATEST #lobby * 5")
    carol.expect("^@label=q .* FAIL CHATHISTORY MESSAGE_ERROR LATEST #lobby :The server has too much to do")
    go.set()
    for wire in (alice, bob):
        wire.expect("BATCH -h")
