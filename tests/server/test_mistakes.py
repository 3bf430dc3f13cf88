"""Our own mistakes (law 6): logged with a traceback, one connection closed, and the server goes on."""

from __future__ import annotations

import pytest

from securechat.chat import apply, burst, commands
from securechat.records import Kind


def blunder(*_):
    raise RuntimeError("a mistake of ours")


@pytest.fixture
def talking(serve, dial):
    server = serve(lines_per_second=0)
    return server, dial(server, "alice"), dial(server, "bob")


def test_a_handler_that_fails_costs_one_connection(talking, monkeypatch, caplog):
    server, alice, bob = talking
    monkeypatch.setitem(commands.TABLE, "TIME", commands.Command(blunder))
    alice.send("PRIVMSG #lobby :before", "TIME", "PRIVMSG #lobby :after")
    assert alice.rest()[-1] == "ERROR :Internal error: the server has logged it"
    bob.expect(":alice!u@alice PRIVMSG #lobby :before$")
    bob.expect(":alice!u@alice QUIT :Internal error$")
    bob.send("PRIVMSG #lobby :still here")
    assert not any("after" in line for line in bob.barrier())
    assert "a mistake of ours" in caplog.text
    assert not server.failed


@pytest.mark.parametrize("step", ["find", "apply"])
def test_a_burst_that_fails_costs_one_connection(talking, monkeypatch, step, caplog):
    server, alice, bob = talking
    monkeypatch.setattr(burst, step, blunder)
    alice.send("PRIVMSG #lobby :one", "PRIVMSG #lobby :two", "PRIVMSG #lobby :three")
    assert alice.rest()[-1] == "ERROR :Internal error: the server has logged it"
    monkeypatch.undo()
    bob.expect(":alice!u@alice QUIT :Internal error$")
    bob.send("PRIVMSG #lobby :still", "PRIVMSG #lobby :here")
    assert not any("PRIVMSG" in line for line in bob.barrier())
    assert "a mistake of ours" in caplog.text
    assert not server.failed


def test_a_generator_that_fails_half_way_keeps_what_it_had_done(talking, monkeypatch):
    _, alice, bob = talking
    real = commands.TABLE["JOIN"].handler

    def half(hub, session, message):
        yield from real(hub, session, message)
        blunder()

    monkeypatch.setitem(commands.TABLE, "JOIN", commands.Command(half, 1))
    alice.send("JOIN #x")
    assert alice.rest()[-1].startswith("ERROR :Internal error")
    monkeypatch.undo()
    bob.send("WHOIS alice", "JOIN #x")
    assert any(" 353 bob = #x :bob" in line for line in bob.barrier())


def test_an_entry_that_fails_while_it_is_applied_never_was(talking, monkeypatch, dial, serve):
    server, alice, bob = talking

    def half(hub, entry, origin):
        hub.channels[entry.target].topic.text = "half done"
        blunder()

    monkeypatch.setitem(apply.TABLE, Kind.TOPIC, half)
    alice.send("PRIVMSG #lobby :before", "TOPIC #lobby :broken")
    assert alice.rest()[-1].startswith("ERROR :Internal error")
    bob.expect(":alice!u@alice PRIVMSG #lobby :before$")
    monkeypatch.undo()
    bob.send("TOPIC #lobby")
    assert any(" 331 bob #lobby " in line for line in bob.barrier())
    dial(server, "alice").send("TOPIC #lobby :whole")
    bob.expect("TOPIC #lobby :whole$")
    server.stop()
    assert "332 carol #lobby :whole" in "\n".join(dial(serve(), "carol").seen)
