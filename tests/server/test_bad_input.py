"""Bad input against a running server: it ends in a reply or a disconnection, and nobody else notices anything."""

from __future__ import annotations

import logging
import re
import socket
import time
from contextlib import contextmanager

import pytest
from helpers.faults import NOT_TLS, bid_farewell, client_hello, cut, reset
from helpers.lane import limit
from helpers.wire import TIMEOUT

OVERLONG = "PRIVMSG #lobby :" + "x" * 600


@pytest.fixture
def tcp():
    """Open TCP connections that say nothing of TLS: tcp(server)."""
    sockets = []

    def connect(server):
        sockets.append(socket.create_connection(("127.0.0.1", server.port), timeout=30))
        return sockets[-1]

    yield connect
    for sock in sockets:
        sock.close()


@pytest.fixture
def undisturbed(dial, caplog):
    """A `with` block around mischief in which a conversation of two others goes on as if nothing happened."""
    caplog.set_level(logging.INFO)

    @contextmanager
    def conversation(server):
        bob, carol = dial(server, "bob"), dial(server, "carol")
        bob.barrier()
        yield bob
        bob.send("PRIVMSG #lobby :and so on")
        carol.expect("^:bob!u@bob PRIVMSG #lobby :and so on$")
        for wire in (bob, carol):
            said = wire.barrier()
            assert not [line for line in said if "mischief" in line], said
        assert not [record for record in caplog.records if record.exc_info], "a traceback was logged"

    return conversation


def logged(caplog, text: str) -> list[str]:
    """The lines of the operator's log that have `text` in them."""
    return [record.message for record in caplog.records if text in record.message]


def until_logged(wire, caplog, text: str) -> list[str]:
    """The same, waiting for it by the rounds of another client."""
    deadline = time.monotonic() + TIMEOUT
    while not (found := logged(caplog, text)):
        assert time.monotonic() < deadline, f"{text!r} was never logged: {caplog.messages}"
        wire.barrier()
    return found


def ended(sock) -> bool:
    """Read up to the end, however it comes."""
    try:
        while sock.recv(65536):
            pass
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize("data", NOT_TLS.values(), ids=NOT_TLS.keys())
def test_what_is_not_tls(serve, tcp, undisturbed, caplog, data):
    server = serve(lines_per_second=0)
    with undisturbed(server) as other:
        limit(server._workers, handshake_seconds=1)  # not before: the others get in however slow this machine is
        bad = tcp(server)
        bad.sendall(data)
        assert ended(bad)
        assert len(until_logged(other, caplog, "refused: ")) == 1


@pytest.mark.parametrize("said", [b"", client_hello()[:100], client_hello()], ids=["nothing", "half", "whole"])
def test_a_handshake_that_goes_no_further(serve, tcp, undisturbed, caplog, said):
    server = serve(lines_per_second=0)
    with undisturbed(server) as other:
        limit(server._workers, handshake_seconds=0.3)
        bad = tcp(server)
        bad.sendall(said)
        assert ended(bad)
        (line,) = until_logged(other, caplog, "refused: ")
        assert line.endswith("(no TLS handshake within 0.3 s)")


def test_silence_after_the_handshake(serve, dial, undisturbed, caplog):
    server = serve(login_seconds=3)
    with undisturbed(server) as other:
        mute = dial(server)
        assert mute.rest() == ["ERROR :Login took too long"]
        mute.close()
        (line,) = until_logged(other, caplog, "before login")
        assert line.endswith("(no login within 3 s)")


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (OVERLONG.encode() + b"\n", "417 alice :Your line was too long"),
        (b"@" + b"t" * 5000 + b" PRIVMSG #lobby :mischief\n", "417 alice :Your line was too long"),
        (b"PRIVMSG #lobby :a\0mischief\n", "FAIL [*] INVALID_LINE"),
        (b"PRIV\0MSG #lobby :mischief\n", "FAIL [*] INVALID_LINE"),
        (b"\0PRIVMSG #lobby :mischief\n", "FAIL [*] INVALID_LINE"),
        (b"@\0 PRIVMSG #lobby :mischief\n", "FAIL [*] INVALID_LINE"),
        (b"PRIVMSG #lobby :mis\rchief\n", "FAIL [*] INVALID_LINE"),
        (b"\rPRIVMSG #lobby :mischief\n", "FAIL [*] INVALID_LINE"),
        (b"PRIVMSG #lobby :mischief\r\r\n", "FAIL [*] INVALID_LINE"),
        (b"PRIVMSG #lobby :mischief\xff\n", "FAIL [*] INVALID_UTF8"),
        (b"PRIVMSG #lobby\xc3 :mischief\n", "FAIL [*] INVALID_UTF8"),
        (b"\xc0\xafPRIVMSG #lobby :mischief\n", "FAIL [*] INVALID_UTF8"),
        (b"@+a=\xed\xa0\x80 PRIVMSG #lobby :mischief\n", "FAIL [*] INVALID_UTF8"),
        (b"@tags\n", "FAIL [*] INVALID_LINE"),
        (b"@tags \n", "FAIL [*] INVALID_LINE"),
        (b"@tags :source\n", "FAIL [*] INVALID_LINE"),
        (b":source\n", "FAIL [*] INVALID_LINE"),
        (b" :PRIVMSG #lobby :mischief\n", "FAIL [*] INVALID_LINE"),
        ("ПРИВЕТ #lobby :mischief\n".encode(), "FAIL [*] INVALID_LINE"),
        (b"/msg #lobby mischief\n", "FAIL [*] INVALID_LINE"),
    ],
)
def test_a_line_that_is_none_is_answered_and_not_sent(server, dial, undisturbed, data, reply):
    with undisturbed(server):
        alice = dial(server, "alice")
        alice.send_raw(data)
        said = alice.barrier()
        assert len(said) == 1, said
        alice.send("NOTHING")
        alice.expect(" 421 alice NOTHING :")
        assert re.search(reply, said[0]), said


def test_a_tag_section_as_long_as_clients_may_send_is_taken(server, dial):
    alice, bob = dial(server, "alice"), dial(server, "bob", "message-tags")
    tags = "+a=" + "v" * (4096 - 5)
    alice.send(f"@{tags} PRIVMSG #lobby :with tags", f"@{tags}x PRIVMSG #lobby :with too many")
    assert bob.expect(f"^@msgid=[^; ]+;{tags.replace('+', '[+]')} :alice!u@alice PRIVMSG #lobby :with tags$")
    alice.expect(" 417 alice :")
    bob.barrier()
    assert "too many" not in "\n".join(bob.seen)


def test_a_megabyte_without_a_line_end(serve, dial, undisturbed, caplog):
    server = serve(lines_per_second=0)
    with undisturbed(server) as other:
        alice = dial(server, "alice")
        try:
            for _ in range(64):
                alice.send_raw(b"x" * 16384)
        except OSError:
            pass
        (line,) = until_logged(other, caplog, "left: alice")
        assert line.endswith("(sent a line without end)")
        other.barrier()
        assert ":alice!u@alice QUIT :Line without end" in other.seen


def test_a_client_that_never_reads(serve, dial, caplog):
    caplog.set_level(logging.INFO)
    server = serve(outbox_bytes=200_000, lines_per_second=0)
    dial(server, "Иван")  # and never read from again
    alice, other = dial(server, "alice"), dial(server, "bob")
    while not logged(caplog, "left: Иван"):
        alice.send(*(f"PRIVMSG #lobby :{'x' * 400}" for _ in range(100)))
        alice.barrier()
        assert sum("PRIVMSG" in line for line in other.barrier()) >= 100
    (line,) = logged(caplog, "left: Иван")
    assert line.endswith("(does not read: its outbox is full)")
    other.barrier()
    assert ":Иван!u@иван QUIT :Does not read: its outbox is full" in other.seen


@pytest.mark.parametrize("end", [cut, reset, bid_farewell])
def test_a_cut_connection_with_half_a_line(server, dial, undisturbed, caplog, end):
    with undisturbed(server) as other:
        alice = dial(server, "alice")
        alice.send_raw(b"PRIVMSG #lobby :whole\r\nPRIVMSG #lobby :mischief")
        other.expect("^:alice!u@alice PRIVMSG #lobby :whole$")
        end(alice.sock)
        other.expect("^:alice!u@alice QUIT :Connection (closed|lost)$")
        assert len(until_logged(other, caplog, "left: alice")) == 1


ECHOING = [
    "JOIN ,", "JOIN :", "JOIN ::", "JOIN :#a b", "JOIN #,#", "JOIN #" + "a" * 490, "JOIN #" + "語" * 160, "JOIN 0",
    "JOIN " + ",".join(f"#{n}" for n in range(100)), "JOIN #a,#b,#c,#d,#e,#f,#g,#h,", "JOIN #\x02", "JOIN #a:b",
    "PART :", "PART ,", "PART :#x y", "PART #" + "語" * 160, "PART #lobby,,#nowhere :bye", "PART ::",
    "NAMES :", "NAMES ,", "NAMES :a b", "NAMES ::", "NAMES " + "語" * 160, "NAMES #x,,:y",
    "WHO :", "WHO :a b", "WHO ::", "WHO *", "WHO " + "語" * 160, "WHO #lobby %tcuhnfar,42",
    "MODE :", "MODE :a b", "MODE ::", "MODE #lobby :", "MODE #lobby +b :", "MODE alice :", "MODE " + "語" * 160,
    "MODE #nowhere :+b x", "TOPIC :", "TOPIC ,", "TOPIC :#a b", "TOPIC #" + "語" * 160,
    "TOPIC #lobby :" + "語" * 150,
    "PRIVMSG", "PRIVMSG :", "PRIVMSG , :x", "PRIVMSG : :x", "PRIVMSG ,, x", "PRIVMSG " + "語" * 140 + " :x",
    "PRIVMSG a,,:b :x", "PRIVMSG # :x",
    "PRIVMSG #lobby", "PRIVMSG #lobby :", "PRIVMSG " + "a," * 200 + " :x",
    "NOTICE", "NOTICE :", "NOTICE , :x", "NOTICE nobody :x", "NICK", "NICK :", "NICK :a b", "NICK " + "語" * 160,
    "USER", "USER a", "USER a b c d", "PASS", "PASS :", "PASS a:b", "AUTHENTICATE", "AUTHENTICATE :",
    "AUTHENTICATE *", "AUTHENTICATE PLAIN", "CAP", "CAP :", "CAP ::", "CAP :a b", "CAP " + "語" * 160,
    "CAP LS :a b",
    "CAP LS 99999999999999999999", "CAP LS ²", "CAP LS ٣٠٢", "CAP LS -1", "CAP REQ", "CAP REQ :", "CAP REQ :-",
    "CAP REQ ::sasl", "CAP REQ :" + "x" * 500, "CAP REQ :" + "sasl " * 98, "CAP REQ :-sasl", "CAP END",
    "CAP LIST :x",
    "PING", "PING :", "PING ::", "PING " + "x" * 500, "PING :" + "я" * 250, "PING :" + "😀" * 120, "PING a b c",
    "PONG", "PONG :" + "x" * 500, "MOTD :a b", "MOTD " + "語" * 160, "X" * 500, "1", "001 alice", "TAGMSG #lobby",
]  # fmt: skip


@pytest.mark.parametrize("line", ECHOING, ids=lambda line: line[:30])
def test_whatever_is_said_is_answered_and_the_server_goes_on(server, dial, undisturbed, line):
    """By somebody logged in, and by a stranger."""
    with undisturbed(server):
        alice, stranger = dial(server, "alice"), dial(server)
        for wire in (alice, stranger):
            wire.send(line)
            for reply in wire.barrier():
                assert len(reply.encode()) <= 510, reply


def test_floods_of_commands_that_change_nothing(serve, dial, undisturbed):
    server = serve(lines_per_second=0)
    with undisturbed(server):
        alice = dial(server, "alice")
        for line in ("NICK other", "CAP END", "CAP LS 302", "USER a 0 * :a", "JOIN #lobby", "PART #nowhere", "x"):
            alice.send(*[line] * 1000)
            assert len(alice.barrier()) in (0, 1000, 2000)  # CAP LS takes two lines


def test_hundreds_of_channels_end_at_the_limit(serve, dial, undisturbed):
    server = serve(lines_per_second=0, channels_per_account=20, channels=30, targets=4)
    with undisturbed(server):
        alice, ivan = dial(server, "alice"), dial(server, "Иван")
        alice.send(*(f"JOIN #{number}" for number in range(300)))
        said = alice.barrier()
        assert sum(line.startswith(":alice!u@alice JOIN #") for line in said) == 19  # and the lobby
        assert sum(" 405 alice #" in line for line in said) == 281
        alice.send("PART #1", "JOIN #x")  # what it made stays made, and stays its own
        assert [line.split(" ")[1] for line in alice.barrier()] == ["PART", "JOIN", "353", "366"]
        ivan.send(*(f"JOIN #and-{number}" for number in range(300)))
        assert "405 Иван #and-299 :The server has as many channels as it may have" in "\n".join(ivan.barrier())
        ivan.send("JOIN #a,#b,#c,#d,#e")
        assert " 407 Иван :" in ivan.barrier()[0]


def test_devices_end_at_their_limit(serve, dial):
    server = serve(devices_per_account=2)
    first, second = dial(server, "alice"), dial(server, "alice")
    third = dial(server)
    third.send("PASS :alice:secret of alice", "NICK alice", "USER a 0 * :a")
    assert third.rest() == ["ERROR :This account has 2 connections, which is the limit"]
    first.send("PRIVMSG #lobby :still two")
    second.expect("^:alice!u@alice PRIVMSG #lobby :still two$")
    second.send("QUIT")
    second.rest()
    dial(server, "alice")


def test_a_topic_at_its_limit(server, dial):
    alice, bob = dial(server, "alice"), dial(server, "bob")
    alice.send("TOPIC #lobby :" + "т" * 195)
    bob.expect("^:alice!u@alice TOPIC #lobby :т{195}$")
    alice.send("TOPIC #lobby :" + "т" * 195 + "x")
    alice.expect(" 417 alice :Not sent: 1 bytes too long")
    bob.send("TOPIC #lobby")
    bob.expect(" 332 bob #lobby :т{195}$")


def test_a_topic_that_was_taken_can_be_shown_to_everybody(serve, dial):
    """The longest one that the server takes fits the reply to whoever asks, and a later login."""
    server = serve(lines_per_second=0)
    alice, bob = dial(server, "alice"), dial(server, "bob")
    channel = "#" + "ж" * 63
    alice.send(f"JOIN {channel}")
    alice.barrier()  # it is hers, and so is its topic
    bob.send(f"JOIN {channel}")
    bob.barrier()
    size = 380
    while not any(" TOPIC " in line for line in alice.barrier()):
        size -= 1
        assert size > 200
        alice.send(f"TOPIC {channel} :{'t' * size}")
    bob.send(f"TOPIC {channel}")
    bob.expect(f" 332 bob {channel} :t{{{size}}}$")
    dial(server, "alice")


def test_long_names_and_real_names_fit_the_lines_that_show_them(serve, dial, home):
    """The longest nickname, channel and real name in one line of JOIN and WHO, which have 512 bytes."""
    server = serve(lines_per_second=0)
    bob = dial(server, "bob", "extended-join")
    alice = dial(server)
    alice.send("PASS :alice:secret of alice", "NICK a", "USER a 0 * :" + "😀" * 120)
    alice.expect(" 422 ")
    channel = "#" + "ж" * 63
    bob.send(f"JOIN {channel}")
    bob.barrier()
    alice.send(f"JOIN {channel}")
    joined = bob.expect("^:alice!u@alice JOIN #ж").string
    bob.send(f"WHO {channel}", "WHO alice")
    said = [joined, *bob.barrier()]
    assert max(len(line.encode()) for line in said) <= 510, said
    assert sum(" 352 bob " in line for line in said) == 3
