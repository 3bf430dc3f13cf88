"""What an administrator does to a running server: from the shell to accounts, over the wire to certificates."""

from __future__ import annotations

import logging
import ssl

import pytest
from helpers.commands import securechat
from helpers.homes import CHEAP, PASSWORDS
from helpers.programs import until
from helpers.wire import plain

from securechat.certs import issue
from securechat.storage.users import UserFile

REFUSED = ":Login refused: the name or the password is wrong"


@pytest.fixture
def shell(home):
    """shell("kick", "bob") runs one command in this home, as a process of its own, and it must succeed."""

    def run(*words):
        done = securechat(*words, "--home", home.path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def try_login(server, dial):
    """Say the password and return the server's answer to it, without the nickname it is addressed to."""

    def attempt(name, password):
        wire = dial(server)
        wire.send("CAP REQ sasl", f"NICK {name}", f"USER {name} 0 * :{name}", "AUTHENTICATE PLAIN")
        wire.send(f"AUTHENTICATE {plain(name, password)}")
        return wire.expect(r"^:\S+ (90[34]) \S+ (.*)$").groups()

    return attempt


def leaf(wire) -> bytes:
    """The certificate that the server showed to this connection."""
    return wire.sock.getpeercert(binary_form=True)


def test_kick_ends_every_connection_and_lets_them_come_back(server, dial, shell):
    carol, bob, phone = dial(server, "carol"), dial(server, "bob"), dial(server, "bob")
    assert "bob" in shell("kick", "BOB")
    for wire in (bob, phone):
        assert wire.rest()[-1] == "ERROR :You were disconnected by an administrator"
    carol.expect("^:bob!u@bob QUIT :Kicked$")
    again = dial(server, "bob")
    carol.expect("^:bob!u@bob JOIN #lobby$")
    again.send("PRIVMSG #lobby :back")
    carol.expect("^:bob!u@bob PRIVMSG #lobby :back$")


def test_a_disabled_account_is_out_until_it_is_enabled(server, dial, shell, try_login):
    carol, bob = dial(server, "carol"), dial(server, "bob")
    shell("disable", "bob")
    assert bob.rest()[-1] == "ERROR :Your account is disabled"
    carol.expect("^:bob!u@bob QUIT :Account disabled$")
    refusal = try_login("bob", PASSWORDS["bob"])
    assert refusal == ("904", REFUSED)
    assert try_login("bob", "wrong") == try_login("nobody", "wrong") == refusal, "nothing tells that it exists"
    shell("enable", "bob")
    assert try_login("bob", PASSWORDS["bob"])[0] == "903"
    assert "#lobby" in "".join(dial(server, "bob").seen)


def test_a_disabled_account_does_not_come_in_by_a_server_password(server, dial, shell):
    shell("disable", "bob")
    wire = dial(server)
    wire.send(f"PASS bob:{PASSWORDS['bob']}", "NICK bob", "USER bob 0 * :bob")
    lines = wire.rest()
    assert lines[-1] == f"ERROR {REFUSED}"
    assert not any(" 001 " in line for line in lines)


def test_the_log_tells_the_operator_why_somebody_was_refused(server, shell, try_login, caplog):
    caplog.set_level(logging.INFO)
    shell("disable", "bob")
    for name, password in (("bob", PASSWORDS["bob"]), ("bob", "wrong"), ("nobody", "wrong")):
        try_login(name, password)
    refused = [message.partition(" from ")[0] for message in caplog.messages if message.startswith("login ref")]
    reasons = ["bob is disabled", "wrong password for bob", "unknown name"]
    assert refused == [f"login refused: {reason}" for reason in reasons]


def test_a_login_that_is_half_done_does_not_get_in(server, dial, shell):
    carol, half = dial(server, "carol"), dial(server)
    half.send("CAP LS 302", "NICK bob", "USER bob 0 * :bob", "CAP REQ sasl", "AUTHENTICATE PLAIN")
    half.send(f"AUTHENTICATE {plain('bob', PASSWORDS['bob'])}")
    half.expect(" 903 ")
    other = dial(server, "bob")
    shell("disable", "bob")
    assert other.rest()[-1].startswith("ERROR "), "the server has read the file"
    half.send("CAP END")
    assert half.rest()[-1] == f"ERROR {REFUSED}"
    assert not any(" JOIN " in line for line in carol.barrier()[-1:])


def test_a_deleted_account_leaves_and_owns_nothing(server, dial, shell, try_login):
    carol, bob = dial(server, "carol"), dial(server, "bob")
    bob.send("JOIN #x")
    bob.barrier()
    carol.send("JOIN #x")
    shell("deluser", "bob")
    assert bob.rest()[-1] == "ERROR :Your account was deleted"
    carol.expect("^:bob!u@bob QUIT :Account deleted$")
    assert try_login("bob", PASSWORDS["bob"]) == ("904", REFUSED)
    carol.send("NAMES #x", "PRIVMSG bob :hi")
    carol.expect("353 carol = #x :carol$")
    carol.expect(" 401 carol bob :")


def test_a_name_that_is_nobodys_is_said_and_nothing_happens(server, dial, home):
    bob = dial(server, "bob")
    for command in ("kick", "disable", "enable", "deluser"):
        done = securechat(command, "nobody", "--home", home.path)
        assert done.returncode == 1
        assert done.stderr.startswith("securechat: There is no account 'nobody'")
    assert bob.barrier() == []


def test_the_others_notice_nothing(server, dial, shell):
    bob, carol = dial(server, "bob"), dial(server, "carol")
    shell("disable", "Иван")
    shell("kick", "bob")
    bob.expect("^ERROR ")
    assert [line for line in carol.barrier() if "QUIT" not in line] == []


def test_killed_over_the_wire(server, dial):
    alice, bob, carol = (dial(server, name) for name in ("alice", "bob", "carol"))
    carol.send("KILL bob :mine", "KILL nobody :mine")
    assert [line.split()[1] for line in carol.barrier()] == ["481", "481"]
    alice.send("KILL bob :spam")
    assert bob.rest()[-1] == "ERROR :Killed by alice: spam"
    carol.expect("^:bob!u@bob QUIT :Killed by alice: spam$")


class TestRehash:
    def test_a_renewed_certificate_is_for_new_connections(self, server, dial, home):
        alice, bob = dial(server, "alice"), dial(server, "bob")
        before = leaf(alice)
        issue(home.certs, (), 30)
        assert leaf(dial(server, "carol")) == before, "nothing changes until it is asked for"
        alice.send("REHASH")
        alice.expect(
            "^:[^ ]+ 382 alice securechat :Users, certificates and message of the day have been read again$"
        )
        assert leaf(dial(server, "carol")) != before
        alice.send("PRIVMSG #lobby :still here")
        bob.expect("^:alice!u@alice PRIVMSG #lobby :still here$")
        assert leaf(alice) == leaf(bob) == before

    @pytest.mark.parametrize("name", ["server.pem", "server.key"])
    def test_with_a_broken_file_the_old_one_stays(self, server, dial, home, name):
        alice = dial(server, "alice")
        good = (home.certs / name).read_bytes()
        (home.certs / name).write_text("not a certificate\n")
        alice.send("REHASH")
        trouble = alice.expect("^:[^ ]+ 382 alice securechat :(.*)$")[1]
        assert "securechat init-certs" in trouble
        assert leaf(dial(server, "carol")) == leaf(alice)
        (home.certs / name).write_bytes(good)
        alice.send("REHASH")
        alice.expect(" 382 alice securechat :Users, certificates and message of the day have been read again$")

    def test_with_a_missing_file_the_old_one_stays(self, server, dial, home):
        alice = dial(server, "alice")
        (home.certs / "server.key").unlink()
        alice.send("REHASH")
        assert "securechat init-certs" in alice.expect(" 382 alice securechat :(.*)$")[1]
        dial(server, "carol").barrier()

    def test_the_message_of_the_day_is_read_again(self, server, dial, home):
        alice = dial(server, "alice")
        alice.send("MOTD")
        alice.expect(" 422 ")
        home.motd.write_text("Привет\n\x1b[2Jмир\n", "utf-8")
        alice.send("REHASH", "MOTD")
        alice.expect(" 372 alice :- Привет$")
        alice.expect(r" 372 alice :- \[2Jмир$")
        alice.expect(" 376 ")

    def test_the_users_file_is_read_at_once(self, server, dial, home):
        alice, bob = dial(server, "alice"), dial(server, "bob")
        with UserFile(home.users).edit() as users:
            del users["bob"]
        alice.send("REHASH")
        assert bob.rest()[-1] == "ERROR :Your account was deleted"

    def test_a_broken_users_file_throws_nobody_out(self, server, dial, home, caplog):
        alice, bob = dial(server, "alice"), dial(server, "bob")
        kept = home.users.read_bytes()
        home.users.write_text("{")
        with caplog.at_level(logging.ERROR):
            alice.send("REHASH")
            alice.expect(" 382 ")
            until(lambda: "Until then the users known so far may log in." in caplog.text, "the server says so")
        assert bob.barrier() == []
        dial(server, "carol").barrier()
        home.users.write_bytes(kept)

    def test_it_is_for_administrators(self, server, dial):
        bob = dial(server, "bob")
        bob.send("REHASH")
        assert [line.split()[1] for line in bob.barrier()] == ["481"]


def test_a_client_that_trusts_another_authority_is_not_let_in_by_a_rehash(server, dial, home, tmp_path):
    """The authority stays the one that clients know: a renewed leaf verifies, another authority's does not."""
    alice = dial(server, "alice")
    other = tmp_path / "other"
    issue(other, (), 30)
    for name in ("server.pem", "server.key"):
        (home.certs / name).write_bytes((other / name).read_bytes())
    alice.send("REHASH")
    alice.expect(" 382 ")
    with pytest.raises(ssl.SSLCertVerificationError):
        dial(server)
    assert alice.barrier() == []


def test_a_password_changed_in_the_shell_counts_at_the_next_login(server, dial, home, try_login):
    bob = dial(server, "bob")
    with UserFile(home.users).edit() as users:
        account = users["bob"]
        users["bob"] = type(account)(
            account.name, account.key, CHEAP.hash_password("another secret"), account.created
        )
    until(lambda: try_login("bob", "another secret")[0] == "903", "the new password works")
    assert try_login("bob", PASSWORDS["bob"]) == ("904", REFUSED)
    assert bob.barrier() == [], "who is in stays in"
