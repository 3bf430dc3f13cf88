"""Failures of what the server stands on: its disk, its users file, its certificates."""

from __future__ import annotations

import base64
import json
import os
import socket
import sqlite3
import time
from contextlib import closing

import pytest
from helpers.faults import open_files
from helpers.homes import CHEAP, PASSWORDS

from securechat.chat.conversations import conversation
from securechat.config import Home, ServerConfig
from securechat.records import Account
from securechat.server.app import Server, ServerError
from securechat.storage.log import SqliteLog
from securechat.storage.users import UserFile

NOT_STORED = "NOT_STORED :Not accepted: the server cannot store it now; send it again later"


@pytest.fixture
def disk(serve):
    """A server whose log can be made to refuse everything: disk.server, disk.fill(), disk.free()."""

    class Disk:
        def __init__(self):
            self.server = serve(lines_per_second=0)
            self._database = self.server._sequencer._log._database

        def fill(self):
            self._database.execute("PRAGMA query_only = 1").fetchall()

        def free(self):
            self._database.execute("PRAGMA query_only = 0").fetchall()

    return Disk()


class TestFullDisk:
    """In mid-conversation: nobody sees what is not kept, and it goes on when there is room."""

    @pytest.fixture
    def talking(self, disk, dial):
        """Alice, who asked for echoes, and bob, at the moment when the disk has become full."""
        alice, bob = dial(disk.server, "alice", "echo-message"), dial(disk.server, "bob")
        alice.barrier()
        bob.barrier()
        disk.fill()
        return alice, bob

    def test_a_line_is_refused_and_nobody_sees_it(self, disk, talking):
        alice, bob = talking
        for command in ("PRIVMSG #lobby", "NOTICE bob"):
            alice.send(f"{command} :lost")
            alice.expect(f":securechat.local FAIL {command.split()[0]} {NOT_STORED}$")
        assert not [line for wire in talking for line in wire.barrier() if "lost" in line]
        disk.free()
        alice.send("PRIVMSG #lobby :found")
        bob.expect("^:alice!u@alice PRIVMSG #lobby :found$")
        assert "lost" not in "\n".join(bob.seen)

    def test_a_join_that_failed_did_not_happen(self, disk, talking):
        alice, bob = talking
        alice.send("JOIN #garden")
        alice.expect(f":securechat.local FAIL JOIN {NOT_STORED}$")
        alice.send("NAMES #garden", "TOPIC #garden", "PRIVMSG #garden :x")
        said = alice.barrier()
        assert [line.split(" ")[1] for line in said] == ["366", "403", "403"]
        disk.free()
        bob.send("JOIN #garden")
        bob.expect(" 353 bob = #garden :~bob$")
        alice.send("JOIN #garden")
        alice.expect(" 353 alice = #garden :~bob alice$")

    def test_part_and_topic_that_failed_did_not_happen(self, disk, talking):
        alice, bob = talking
        alice.send("TOPIC #lobby :news")
        alice.expect(f"FAIL TOPIC {NOT_STORED}$")
        bob.send("PART #lobby :bye")
        bob.expect(f"FAIL PART {NOT_STORED}$")
        bob.send("TOPIC #lobby", "NAMES #lobby")
        said = "\n".join(bob.barrier())
        assert " 331 bob #lobby " in said
        assert "@alice" in said
        assert " bob" in said
        disk.free()
        alice.send("PRIVMSG #lobby :still with us")
        bob.expect("PRIVMSG #lobby :still with us$")

    def test_who_comes_while_it_is_full_is_sent_away_and_can_come_back(self, disk, talking, dial):
        alice, _ = talking
        carol = dial(disk.server)
        carol.send("PASS :carol:secret of carol", "NICK carol", "USER c 0 * :c")
        assert carol.rest()[-1] == "ERROR :The server cannot store anything now"
        assert not [line for line in alice.barrier() if "carol" in line]
        disk.free()
        dial(disk.server, "carol")
        alice.expect("^:carol!u@carol JOIN #lobby$")

    def test_who_leaves_while_it_is_full_is_shown_leaving_later(self, disk, talking):
        alice, bob = talking
        bob.close()
        while " bob" in alice_names(alice):
            pass  # a failed turn more or less: he is gone when he is no longer named
        assert not [line for line in alice.seen if "QUIT" in line]
        disk.free()
        alice.send("PRIVMSG #lobby :anybody?")
        alice.expect("^:bob!u@bob QUIT :Connection (closed|lost)$")

    def test_who_leaves_and_comes_back_is_not_shown_leaving(self, disk, talking, dial):
        alice, bob = talking
        bob.close()
        while " bob" in alice_names(alice):
            pass
        disk.free()
        dial(disk.server, "bob").send("PRIVMSG #lobby :back")
        alice.expect("PRIVMSG #lobby :back$")
        assert not [line for line in alice.seen if "QUIT" in line and ":bob!" in line][1:]

    def test_answers_of_the_same_turn_are_not_lost(self, talking):
        """PING stays a true barrier: it is answered also when it came with a line that could not be kept."""
        alice, _ = talking
        for number in range(50):
            alice.send(f"PRIVMSG #lobby :lost {number}", f"PING p{number}", "NAMES #lobby")
            alice.expect(f"PONG .*p{number}$")
            alice.expect(" 366 alice #lobby ")

    def test_every_line_that_is_not_kept_is_told(self, talking):
        """Several of one turn too: who sent three lines hears three times that one was not kept."""
        alice, _ = talking
        for number in range(20):
            alice.send(f"PRIVMSG #lobby :a{number}", f"NOTICE bob :b{number}", f"PRIVMSG bob :c{number}")
        for _ in range(20):
            alice.expect("FAIL PRIVMSG NOT_STORED")
            alice.expect("FAIL NOTICE NOT_STORED")
            alice.expect("FAIL PRIVMSG NOT_STORED")

    def test_what_is_not_kept_is_not_told_either(self, disk, talking):
        """A question of the same turn is answered from what the disk says."""
        alice, bob = talking
        for number in range(50):
            alice.send(f"TOPIC #lobby :uncommitted {number}")
            bob.send("TOPIC #lobby")
        alice.barrier()
        assert "uncommitted" not in "\n".join(bob.barrier())

    def test_it_is_logged_once_with_a_way_out(self, disk, talking, caplog):
        alice, _ = talking
        for _ in range(5):
            alice.send("PRIVMSG #lobby :lost")
            alice.expect("NOT_STORED")
        told = [record.message for record in caplog.records if record.levelname == "ERROR"]
        assert len(told) == 1, told
        assert "chat.db cannot be written: attempt to write a readonly database. Check its disk" in told[0]


def alice_names(alice) -> str:
    """The members of the lobby as one line."""
    alice.send("NAMES #lobby")
    return alice.expect(" 353 alice = #lobby :(.*)$")[1]


def test_a_log_that_another_program_holds(serve, dial, home, monkeypatch):
    monkeypatch.setattr("securechat.storage.log.BUSY_MILLISECONDS", 50)
    server = serve()
    alice, bob = dial(server, "alice", "echo-message"), dial(server, "bob")
    other = sqlite3.connect(home.log, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    alice.send("PRIVMSG #lobby :lost")
    alice.expect(f"FAIL PRIVMSG {NOT_STORED}$")
    other.execute("ROLLBACK")
    other.close()
    alice.send("PRIVMSG #lobby :kept")
    alice.expect("^:alice!u@alice PRIVMSG #lobby :kept$")
    bob.expect("^:alice!u@alice PRIVMSG #lobby :kept$")
    assert "lost" not in "\n".join(bob.seen)


class TestUsersFile:
    """Broken, gone or replaced while the server runs."""

    def try_login(self, server, dial, name: str, password: str) -> str:
        wire = dial(server)
        wire.send(f"PASS :{name}:{password}", f"NICK {name}", f"USER {name} 0 * :x")
        return wire.expect("( 001 |^ERROR )").string

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"[" * 100_000, b'{"version": 1}', b'{"version": 99, "users": []}', b"\xff\xfe", None],
    )
    def test_what_was_known_stays_in_force(self, server, dial, home, caplog, content):
        alice = dial(server, "alice")
        before = home.users.read_bytes()
        if content is None:
            home.users.unlink()
        else:
            self.put(home, content)
        assert " 001 bob" in self.try_login(server, dial, "bob", PASSWORDS["bob"])
        alice.expect("^:bob!u@bob JOIN #lobby$")
        (told,) = [record.message for record in caplog.records if record.levelname == "ERROR"]
        assert str(home.users) in told
        home.users.write_bytes(before)
        assert " 001 carol" in self.try_login(server, dial, "carol", PASSWORDS["carol"])

    def put(self, home, content: bytes):
        """Replace the file whole: of one that is written in its place the server may also find the empty half."""
        new = home.users.with_suffix(".edited")
        new.write_bytes(content)
        new.replace(home.users)

    def change(self, home, **fields):
        """Write the entry of bob by hand, as an operator might."""
        document = json.loads(home.users.read_bytes())
        for user in document["users"]:
            if user["key"] == "bob":
                user.update(fields)
        self.put(home, json.dumps(document).encode())

    @pytest.mark.parametrize(
        "fields",
        [{"name": "b ob"}, {"name": ":bob"}, {"name": "b" * 600}, {"name": "Robert"}, {"key": "robert"},
         {"hash": "x"},
         {"name": "b\nob"}, {"name": "b\0ob"}, {"name": "#lobby", "key": "#lobby"}, {"name": "alice "}],
        ids=str,
    )  # fmt: skip
    def test_an_entry_that_makes_no_sense_hurts_nobody_else(self, server, dial, home, fields):
        """Whether it is refused or ignored: the others go on, and the server does."""
        alice = dial(server, "alice")
        self.change(home, **fields)
        for name in ("bob", fields.get("name", "bob")):
            wire = dial(server)
            wire.send("CAP REQ :sasl", "AUTHENTICATE PLAIN", f"AUTHENTICATE {plain_or_none(name)}")
            wire.send("NICK x", "USER x 0 * :x", "CAP END", "QUIT")
            wire.rest()
        alice.send("PRIVMSG bob :are you there?")
        alice.barrier()

    def test_a_deleted_user_is_put_out(self, server, dial, home):
        bob, again, alice = dial(server, "bob"), dial(server, "bob"), dial(server, "alice")
        with UserFile(home.users).edit() as users:
            del users["bob"]
        for wire in (bob, again):
            assert wire.rest()[-1] == "ERROR :Your account was deleted"
        alice.expect("^:bob!u@bob QUIT :Account deleted$")
        assert "ERROR" in self.try_login(server, dial, "bob", PASSWORDS["bob"])
        alice.send("PRIVMSG bob :x")
        alice.expect(" 401 alice bob ")

    def test_a_new_user_of_an_old_name_inherits_nothing(self, server, dial, home):
        bob, alice = dial(server, "bob"), dial(server, "alice")
        bob.send("JOIN #own")
        bob.barrier()
        with UserFile(home.users).edit() as users:
            del users["bob"]
        bob.rest()
        with UserFile(home.users).edit() as users:
            created = time.time_ns() // 1_000_000
            users["bob"] = Account("bob", "bob", CHEAP.hash_password("another secret"), created)
        alice.barrier()
        assert " 001 bob" in self.try_login(server, dial, "bob", "another secret")
        alice.send("JOIN #own")
        alice.expect(" 353 alice = #own :alice$")

    def test_a_changed_password_counts_at_once(self, server, dial, home):
        with UserFile(home.users).edit() as users:
            bob = users["bob"]
            users["bob"] = Account("bob", "bob", CHEAP.hash_password("another secret"), bob.created)
        assert "ERROR" in self.try_login(server, dial, "bob", PASSWORDS["bob"])
        assert " 001 bob" in self.try_login(server, dial, "bob", "another secret")


def plain_or_none(name: str) -> str:
    return base64.b64encode(f"\0{name}\0{PASSWORDS['bob']}".encode()).decode()[:399]


def refusal(home, **settings) -> str:
    """Why a server does not start: one sentence, and nothing is left open."""
    before = open_files()
    with pytest.raises(ServerError) as refused:
        Server(ServerConfig(home=home, **({"port": 0} | settings)))
    text = str(refused.value)
    assert "\n" not in text
    assert text.endswith("."), text
    assert open_files() == before
    return text


class TestStart:
    """What is missing or in the way is named, with the way out."""

    def test_no_certificates(self, home):
        for name in ("server.pem", "server.key"):
            (home.certs / name).unlink()
        assert "run `securechat init-certs`" in refusal(home)

    @pytest.mark.parametrize("name", ["server.pem", "server.key"])
    @pytest.mark.parametrize(
        "content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    )
    def test_damaged_certificates(self, home, name, content):
        (home.certs / name).write_bytes(content)
        assert str(home.certs / name) in refusal(home)

    @pytest.mark.parametrize("name", ["server.pem", "server.key"])
    def test_a_folder_for_a_key(self, home, name):
        (home.certs / name).unlink()
        (home.certs / name).mkdir()
        assert str(home.certs) in refusal(home)

    @pytest.mark.parametrize("name", ["server.pem", "server.key"])
    def test_a_link_to_itself_for_a_key(self, home, name):
        """Nobody can read that, root included: it is named, and not the other of the two."""
        (home.certs / name).unlink()
        (home.certs / name).symlink_to(name)
        assert f"{home.certs / name} cannot be read" in refusal(home)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    @pytest.mark.parametrize("name", ["server.pem", "server.key"])
    def test_a_key_that_cannot_be_read(self, home, name):
        (home.certs / name).chmod(0)
        assert f"{home.certs / name} cannot be read" in refusal(home)

    def test_no_users(self, home):
        home.users.unlink()
        assert "run `securechat adduser NAME`" in refusal(home)

    def test_a_broken_users_file(self, home):
        home.users.write_bytes(b"{")
        assert str(home.users) in refusal(home)
        assert home.users.read_bytes() == b"{"

    def test_a_broken_log(self, home):
        home.log.write_bytes(b"nonsense" * 1000)
        assert str(home.log) in refusal(home)

    def test_a_log_with_a_broken_entry(self, home, serve):
        serve().stop()
        with sqlite3.connect(home.log) as database:
            database.execute("UPDATE entries SET kind = 19")
        database.close()
        assert str(home.log) in refusal(home)

    def test_a_log_in_use(self, home):
        # Held as a server holds it, but without threads that open files while they are counted.
        with closing(SqliteLog(home.log, conversation)):
            assert "in use by another securechat server" in refusal(home)

    def test_a_port_in_use(self, home):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            text = refusal(home, port=port)
        assert f"port {port}" in text
        assert "--port" in text

    def test_an_address_of_another_machine(self, home):
        assert "192.0.2.1" in refusal(home, host="192.0.2.1")
        assert "--host no.such.name.invalid" in refusal(home, host="no.such.name.invalid")

    @pytest.mark.parametrize("lobby", ["lobby", "#", "#a b", "#" + "x" * 100, ""])
    def test_a_lobby_that_is_none(self, home, lobby):
        assert "--lobby" in refusal(home, lobby=lobby)

    def test_a_server_that_was_made_and_never_started_can_be_let_go(self, home):
        before = open_files()
        server = Server(ServerConfig(home=Home(home.path), port=0))
        server.stop()
        assert open_files() == before


def test_a_search_index_that_cannot_be_made_keeps_nobody_from_talking(serve, dial, home, caplog):
    """Search says so, the operator reads it once, history goes on; and then it is made after all."""
    (home.path / "search.db").mkdir()
    server = serve()
    alice = dial(server, "alice", "echo-message", "soju.im/search", "batch", "draft/chathistory")
    alice.send("PRIVMSG #lobby :needle")
    alice.expect("PRIVMSG #lobby :?needle$")
    for _ in range(3):
        alice.send("SEARCH text=needle")
        alice.expect("FAIL SEARCH INTERNAL_ERROR :")
        alice.send("CHATHISTORY LATEST #lobby * 5")
        alice.expect("PRIVMSG #lobby :?needle$")
    told = [record.message for record in caplog.records if "search.db cannot be used" in record.message]
    assert len(told) == 1, told
    (home.path / "search.db").rmdir()
    alice.send("SEARCH text=needle")
    alice.expect("PRIVMSG #lobby :?needle$")
