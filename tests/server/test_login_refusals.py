"""Law 1: before a login nobody learns anything; and every odd way of logging in ends in a clear answer."""

from __future__ import annotations

import base64

import pytest
from helpers.homes import PASSWORDS
from helpers.wire import plain

from securechat.chat.commands import TABLE

ALLOWED = {"CAP", "AUTHENTICATE", "NICK", "USER", "PASS", "PING", "PONG", "QUIT"}
ENROLMENT = {"CA", "REGISTER", "VERIFY"}
"""What somebody with an invite says: tests/server/test_invites.py."""
UNKNOWN = ["WHOIS", "LIST", "HELP", "OPER", "STATS", "KILL", "TAGMSG", "CHATHISTORY", "001", "NONSENSE"]


def said_by(wire, *lines: str) -> list[str]:
    """What the server answers to these lines."""
    wire.send(*lines)
    return wire.barrier()


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("command", sorted({*TABLE, *UNKNOWN} - ALLOWED - ENROLMENT))
def test_commands_before_login_are_refused_and_tell_nothing(server, dial, command):
    alice = dial(server, "alice")
    alice.send("JOIN #secret", "TOPIC #secret :of ours", "PRIVMSG #secret :words")
    alice.barrier()
    stranger = dial(server)
    for params in ("", " #secret", " #lobby", " alice", " #secret :x", " nobody :x", " alice :x"):
        assert said_by(stranger, command + params) == [":securechat.local 451 * :Log in first"]
    assert not [line for line in alice.barrier() if "!u@" in line]


def test_every_command_that_strangers_may_say_is_known():
    assert {name for name, row in TABLE.items() if row.stranger} == ALLOWED | ENROLMENT


def test_what_strangers_may_say_names_nobody(server, dial):
    dial(server, "alice")
    stranger = dial(server)
    said = said_by(
        stranger, "CAP LS 302", "CAP LIST", "NICK alice", "USER alice 0 * :x", "PING alice", "PONG alice"
    )
    assert not [line for line in said if "alice" in line and " PONG " not in line], said


def test_a_client_that_does_not_log_in_is_told_how(server, dial):
    stranger = dial(server)
    stranger.send("NICK alice", "USER alice 0 * :x")
    fail, error = stranger.rest()
    assert fail.startswith(":securechat.local FAIL * ACCOUNT_REQUIRED :This server needs a login: ")
    assert error.startswith("ERROR :This server needs a login: ")


@pytest.mark.parametrize("caps", [True, False], ids=["CAP", "no CAP"])
def test_unknown_name_and_wrong_password_look_the_same(server, dial, caps):
    """To the byte, over the whole of three tries."""
    streams = []
    for name in ("alice", "nobody", "Иван", "a b", "#lobby", "alice!u@alice", "\u202e", "x" * 500):
        wire = dial(server)
        if caps:
            wire.send("CAP LS 302", "CAP REQ :sasl")
        for _ in range(3):
            wire.send("AUTHENTICATE PLAIN")
            response = plain(name, "wrong")
            chunks = [response[start : start + 400] for start in range(0, len(response), 400)]
            wire.send(*(f"AUTHENTICATE {chunk}" for chunk in chunks))
        streams.append(wire.rest())
    assert all(stream == streams[0] for stream in streams)
    assert sum(" 904 " in line for line in streams[0]) == 3
    assert streams[0][-1].startswith("ERROR :Login refused")


def test_pass_with_a_wrong_password_looks_like_one_with_an_unknown_name(server, dial):
    streams = []
    for name in ("alice", "nobody"):
        wire = dial(server)
        wire.send(f"PASS {name}:wrong", "NICK x", "USER x 0 * :x")
        streams.append(wire.rest())
    assert streams[0] == streams[1]
    assert " 464 " in streams[0][0]


@pytest.mark.parametrize(
    "response",
    ["not base64!", "=", "AAAA", encoded(b""), encoded(b"alice"), encoded(b"\0alice"), encoded(b"\0\0secret"),
     encoded(b"\0alice\0"), encoded(b"\0alice\0\xff\xfe"), encoded(b"bob\0alice\0secret of alice"),
     encoded(b"\0alice\0secret\0of"), "+", "ключ", encoded(b"\0alice\0x") + "\x07"],
)  # fmt: skip
def test_a_response_that_is_none_is_a_try(server, dial, response):
    wire = dial(server)
    for _ in range(3):
        wire.send("AUTHENTICATE PLAIN", f"AUTHENTICATE :{response}")
    said = wire.rest()
    assert [line.split(" ")[1] for line in said if " 90" in line] == ["904"] * 3, said
    assert said[-1] == "ERROR :Login refused: the name or the password is wrong (3 tries)"


def test_sasl_can_be_aborted_and_begun_again(server, dial):
    wire = dial(server)
    wire.send("CAP REQ :sasl", "NICK alice", "USER a 0 * :a")
    wire.send("AUTHENTICATE *", "AUTHENTICATE PLAIN", "AUTHENTICATE *")
    wire.send("AUTHENTICATE SCRAM-SHA-256", "AUTHENTICATE ECDSA-NIST256P-CHALLENGE", "AUTHENTICATE plain")
    said = said_by(wire, f"AUTHENTICATE {plain('alice', PASSWORDS['alice'])}")
    codes = [line.split(" ")[1] for line in said if line.startswith(":securechat.local 90")]
    assert codes == ["906", "906", "908", "904", "908", "904", "900", "903"]
    assert "001" in "".join(said_by(wire, "CAP END"))


def test_a_response_that_never_ends(server, dial):
    wire = dial(server)
    said = said_by(wire, "AUTHENTICATE PLAIN", *["AUTHENTICATE " + "A" * 400] * 4)
    assert said == ["AUTHENTICATE +"]
    assert said_by(wire, "AUTHENTICATE " + "A" * 400) == [":securechat.local 905 * :SASL message too long"]
    said = said_by(wire, "AUTHENTICATE PLAIN", "AUTHENTICATE " + "A" * 401)
    assert said[1:] == [":securechat.local 905 * :SASL message too long"]


def test_a_password_of_a_kibibyte_in_several_chunks(server, dial):
    """Wrong as it is: it is checked, and refused as any other."""
    wire = dial(server)
    response = plain("alice", "я" * 512)
    chunks = [response[start : start + 400] for start in range(0, len(response), 400)]
    said = said_by(wire, "AUTHENTICATE PLAIN", *(f"AUTHENTICATE {chunk}" for chunk in chunks))
    assert [line.split(" ")[1] for line in said[1:]] == ["904"]


def test_a_response_of_whole_chunks_ends_with_a_plus(server, dial):
    wire = dial(server)
    response = encoded(b"\0alice\0" + b"x" * 293)
    assert len(response) == 400
    assert said_by(wire, "AUTHENTICATE PLAIN", f"AUTHENTICATE {response}") == ["AUTHENTICATE +"]
    assert " 904 " in said_by(wire, "AUTHENTICATE +")[0]


def test_logging_in_twice_is_refused(server, dial):
    alice = dial(server, "alice")
    response = plain("bob", PASSWORDS["bob"])
    said = said_by(alice, "AUTHENTICATE PLAIN", f"AUTHENTICATE {response}", "PASS bob:x", "USER b 0 * :b")
    assert [line.split(" ")[1] for line in said] == ["907", "907", "462", "462"]


def test_a_second_login_between_the_first_and_cap_end(server, dial):
    wire = dial(server)
    wire.send("CAP REQ :sasl", "NICK x", "USER x 0 * :x")
    wire.send("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('alice', PASSWORDS['alice'])}")
    wire.send("AUTHENTICATE PLAIN", "PASS bob:wrong", "CAP END")
    wire.expect(" 907 [*] ")
    wire.expect(" 001 alice ")


def test_pass_and_sasl_together(server, dial):
    """Clients with both set say both; the SASL login is answered as if it had been alone."""
    wire = dial(server)
    wire.send("CAP LS 302", f"PASS :alice:{PASSWORDS['alice']}", "NICK alice", "USER a 0 * :a", "CAP REQ :sasl")
    wire.send("AUTHENTICATE PLAIN")
    said = said_by(wire, f"AUTHENTICATE {plain('alice', PASSWORDS['alice'])}")
    codes = [line.split(" ")[1] for line in said if line.startswith(":securechat.local 90")]
    assert codes == ["900", "903"], said
    wire.send("CAP END")
    wire.expect(" 001 alice ")


def test_a_wrong_sasl_login_beside_a_pass_can_be_tried_again(server, dial):
    wire = dial(server)
    wire.send(f"PASS :alice:{PASSWORDS['alice']}", "CAP REQ :sasl", "NICK alice", "USER a 0 * :a")
    wire.send("AUTHENTICATE PLAIN")
    said = said_by(wire, f"AUTHENTICATE {plain('alice', 'wrong')}")
    assert " 904 " in said[-1], said
    wire.send("CAP END")
    wire.expect(" 001 alice ")


@pytest.mark.parametrize("password", ["", ":", "alice", "alice:", ":secret", " ", "alice x"])
def test_a_pass_that_is_none(server, dial, password):
    wire = dial(server)
    said = said_by(wire, f"PASS :{password}")
    assert said == [":securechat.local 464 * :Set the server password to NAME:PASSWORD"]


@pytest.mark.parametrize("name", ["alice", "ALICE", "alice@phone"])
def test_pass_takes_the_name_in_any_form(server, dial, name):
    wire = dial(server)
    wire.send(f"PASS :{name}:{PASSWORDS['alice']}", "USER a 0 * :a", "NICK whatever")
    wire.expect(" 001 alice :")


def test_capabilities_after_the_login(server, dial):
    alice, bob = dial(server, "alice", "message-tags"), dial(server, "bob")
    bob.barrier()
    alice.barrier()
    said = said_by(alice, "CAP REQ :-sasl", "CAP REQ :-message-tags", "CAP REQ :nonsense", "CAP END", "CAP END")
    assert [line.split(" ", 2)[2] for line in said] == [
        "alice ACK :-sasl", "alice ACK :-message-tags", "alice NAK :nonsense",
    ]  # fmt: skip
    bob.send("PRIVMSG #lobby :plain")
    alice.expect("^:bob!u@bob PRIVMSG #lobby :plain$")


def test_cap_end_twice_and_nick_floods_before_login(server, dial):
    wire = dial(server)
    wire.send("CAP LS 302", *["NICK x", "NICK y", "NICK alice"] * 20, "USER a 0 * :a", "USER b 0 * :b")
    wire.expect(" 462 [*] ")
    wire.send("CAP REQ :sasl", "AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('alice', PASSWORDS['alice'])}")
    wire.send("CAP END", "CAP END", "NICK alice", "NICK other")
    wire.expect(" 001 alice ")
    wire.expect(" 447 alice :Your nickname is your account's name, alice, and does not change$")


def test_lines_said_during_a_password_check_wait_for_it(server, dial):
    """A client that pipelines everything gets its answers in order."""
    wire = dial(server)
    wire.send(f"PASS :alice:{PASSWORDS['alice']}", "NICK a", "USER a 0 * :a", "JOIN #x", "PING now")
    wire.expect(" 001 alice ")
    wire.expect("^:alice!u@alice JOIN #x$")
    wire.expect("PONG .*now$")


def test_too_many_logins_at_once_are_turned_away(serve, dial):
    server = serve(logins_waiting=1)
    wires = [dial(server) for _ in range(30)]
    for wire in wires:
        wire.send("PASS alice:wrong", "NICK a", "USER a 0 * :a")
    ends = {wire.rest()[-1] for wire in wires}
    refused, busy = "ERROR :Login refused: the name or the password is wrong", "ERROR :Too many logins at once"
    assert all(end.startswith((refused, busy)) for end in ends)
    assert any(end.startswith(refused) for end in ends)
