"""The whole server over real TLS: people log in and talk."""

from __future__ import annotations

from threading import Event, Thread

from helpers.wire import TIMEOUT

from securechat.server.items import Opened, Stop


def test_a_line_reaches_everybody_but_its_sender(server, dial):
    alice, bob, carol = (dial(server, name) for name in ("alice", "bob", "carol"))
    alice.send("PRIVMSG #lobby :hello", "PRIVMSG #lobby :привет")
    for other in (bob, carol):
        other.expect("^:alice!u@alice PRIVMSG #lobby :hello$")
        other.expect("^:alice!u@alice PRIVMSG #lobby :привет$")
    assert not [line for line in alice.barrier() if "PRIVMSG" in line]


def test_echo_and_tags_are_for_those_who_asked(server, dial):
    alice = dial(server, "alice", "echo-message", "message-tags", "server-time", "account-tag")
    bob = dial(server, "bob", "message-tags")
    alice.send("PRIVMSG #lobby :hello")
    echo = alice.expect(r"^@time=\S+Z;msgid=(\S+);account=alice :alice!u@alice PRIVMSG #lobby :hello$")
    heard = bob.expect(r"^@msgid=(\S+) :alice!u@alice PRIVMSG #lobby :hello$")
    assert echo[1] == heard[1]


def test_twenty_clients_see_one_order(serve, dial):
    server = serve(lines_per_second=0)
    names = ("alice", "bob", "carol", "Иван")
    wires = [dial(server, names[number % 4], "echo-message") for number in range(20)]
    lines = 25
    talkers = [
        Thread(target=wire.send, args=[f"PRIVMSG #lobby :{number}-{line}" for line in range(lines)])
        for number, wire in enumerate(wires)
    ]
    for talker in talkers:
        talker.start()
    heard = []
    for wire in wires:
        said = []
        while len(said) < 20 * lines:
            said.append(wire.expect(r"PRIVMSG #lobby :(\d+-\d+)$")[1])
        heard.append(said)
    for talker in talkers:
        talker.join()
    assert all(said == heard[0] for said in heard)
    assert sorted(heard[0]) == sorted(f"{number}-{line}" for number in range(20) for line in range(lines))


def test_devices_are_one_member(server, dial):
    bob = dial(server, "bob")
    first = dial(server, "alice")
    bob.expect("^:alice!u@alice JOIN #lobby$")
    second = dial(server, "alice")
    second.send("PRIVMSG #lobby :from the second", "JOIN #garden")
    first.expect("^:alice!u@alice PRIVMSG #lobby :from the second$")
    first.expect("^:alice!u@alice JOIN #garden$")
    second.send("QUIT")
    assert second.rest()[-1] == "ERROR :Goodbye"
    first.send("PRIVMSG #lobby :still here")
    first.barrier()  # two connections are read in any order
    assert [line.split(" ", 1)[1] for line in bob.barrier()] == [
        "PRIVMSG #lobby :from the second",
        "PRIVMSG #lobby :still here",
    ]
    first.send("QUIT :night")
    bob.expect("^:alice!u@alice QUIT :Quit: night$")


def test_membership_survives_a_restart(serve, dial):
    server = serve()
    alice = dial(server, "alice")
    alice.send("JOIN #Сад", "TOPIC #Сад :розы")
    alice.barrier()
    server.stop()
    again = dial(serve(), "alice")
    lines = "\n".join(again.seen)
    assert ":alice!u@alice JOIN #Сад" in lines
    assert "332 alice #Сад :розы" in lines
    assert "353 alice = #Сад :~alice" in lines


def test_stopping_tells_clients(serve, dial):
    server = serve()
    alice = dial(server, "alice")
    server.stop()
    assert alice.rest()[-1] == "ERROR :The server is shutting down"


def test_stopping_tells_who_the_sequencer_never_met(serve, dial, monkeypatch):
    """Their handshake ended when the order to stop was queued already: they are open all the same."""
    server = serve()
    put, late, came = server._sequencer.put, [], Event()

    def put_behind(*items):
        late.extend(item for item in items if isinstance(item, Opened))
        if late:
            came.set()
        put(*(item for item in items if not isinstance(item, Opened)))
        if any(isinstance(item, Stop) for item in items):
            for held in late:
                put(held)

    monkeypatch.setattr(server._sequencer, "put", put_behind)
    stranger = dial(server)
    assert came.wait(TIMEOUT)
    server.stop()
    assert stranger.rest() == ["ERROR :The server is shutting down"]
