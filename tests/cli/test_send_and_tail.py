"""`send` and `tail` as scripts use them: in processes of their own, with pipes, signals and a server that dies."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess

import pytest
from helpers.chat import Clients, logged
from helpers.commands import COMMAND, SECONDS, environment, heed_interrupts, in_process, refused, securechat
from helpers.homes import PASSWORDS
from helpers.peer import deserted
from helpers.process import Serving

from securechat.cli.sending import MAX_INPUT, UNKNOWN

MUTE = """
from securechat.storage.log import SqliteLog
append = SqliteLog.append
def mute(log, entries, bursts=()):
    append(log, entries, bursts)
    if any("mute" in entry.text for entry in entries):
        print("mute", flush=True)
        threading.Event().wait()
SqliteLog.append = mute
"""
"""Puts into a server that it says no more once it has kept a line with "mute"."""


FIELDS = {"type", "msgid", "time", "sender", "target", "conversation", "number", "own", "tags"}
"""What every line of `tail --json` has that is about something said."""


class Script:
    """`send` or `tail` in a process of its own, as alice."""

    def __init__(self, home, port, *words):
        options = ("--user", "alice", "--port", str(port), "--home", str(home.path))
        self.command = [*COMMAND, *words, *options]
        self.env = environment(SECURECHAT_PASSWORD=PASSWORDS["alice"])
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            self.command,
            preexec_fn=heed_interrupts,  # noqa: PLW1509  # it only sets a signal
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=self.env,
        )
        return self

    def line(self):
        return self.process.stdout.readline()

    def end(self):
        """Wait for its end; return the exit code and standard error."""
        _, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, err

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def shell(self, before="", after=""):
        """Run it within a line of the shell."""
        line = f"set -o pipefail; {before} {shlex.join(self.command)} {after}"
        return subprocess.run(
            ["bash", "-c", line], capture_output=True, timeout=SECONDS, check=False, env=self.env
        )


@pytest.fixture
def enter(home):
    clients = Clients(home)
    yield clients
    clients.close()


@pytest.fixture
def port():
    """A port for a server that comes and goes."""
    with deserted() as held:
        yield held


@pytest.fixture
def alice(server, home):
    """Words that log in as alice, and her password."""
    return ("--user", "alice", "--port", str(server.port), "--home", home.path), PASSWORDS["alice"]


class TestSend:
    def test_standard_input_is_one_message(self, alice, home):
        text = "\n\nfirst line\n\n  indented\tand Кириллица\r\nlast one\n\n"
        words, password = alice
        done = securechat("send", "#lobby", "--password-stdin", *words, text=f"{password}\n{text}")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert logged(home) == ["first line\n\n  indented\tand Кириллица\nlast one"]

    @pytest.mark.parametrize(
        ("target", "text", "says"),
        [
            (
                "#lobby",
                "x" * 20_000,
                "Not sent: a message has at most 16384 bytes and 128 lines",
            ),
            ("#lobby", " \n ", "There is nothing to say: the text is empty."),
            ("#lobby", "not \udcff UTF-8", "TEXT is not valid UTF-8; nothing was sent."),
            ("#nowhere", "hello", "The server refused: #nowhere"),
            ("nobody", "hello", "The server refused: nobody: No such nick."),
            ("two words", "hello", "'two words' is the name of no channel and of no person"),
            ("#a,#b", "hello", "'#a,#b' is the name of no channel and of no person"),
            ("", "hello", "'' is the name of no channel and of no person"),
        ],
    )
    def test_what_cannot_be_sent_is_one_sentence(self, alice, home, target, text, says):
        words, password = alice
        said = refused("send", target, text, *words, SECURECHAT_PASSWORD=password)
        assert said.startswith(says)
        assert logged(home) == []

    def test_a_channel_that_we_are_not_in(self, server, alice, enter):
        enter(server.port, "bob").join("#garden")
        words, password = alice
        said = refused("send", "#garden", "hello", *words, SECURECHAT_PASSWORD=password)
        assert said.startswith("The server refused: #garden: ")

    def test_who_is_not_let_in(self, server, alice):
        words, _ = alice
        said = refused("send", "#lobby", "hello", *words, SECURECHAT_PASSWORD="wrong")
        assert said == "Login refused: the name or the password is wrong."
        server.stop()
        said = refused("send", "#lobby", "hello", *words, SECURECHAT_PASSWORD="any")
        assert said.startswith("Nobody is listening at localhost:")

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"\xff\xfe\x00binary", "Standard input is not valid UTF-8; nothing was sent."),
            (b"x" * (MAX_INPUT + 1), f"Standard input has more than {MAX_INPUT} bytes; nothing was sent."),
        ],
        ids=["binary", "endless"],
    )
    def test_standard_input_is_looked_at_before_it_connects(self, home, data, says):
        """So that whatever makes it slowly holds no connection: here nobody would listen."""
        words = ("--user", "alice", "--port", "1", "--home", home.path)
        assert refused("send", "#lobby", *words, text=data, start=securechat, SECURECHAT_PASSWORD="x") == says

    @pytest.mark.parametrize("before", ["<&-", "0>/dev/null"], ids=["closed", "not to be read"])
    def test_a_standard_input_that_is_none(self, home, before):
        done = Script(home, 1, "send", "#lobby").shell(before)
        assert done.returncode == 1
        assert done.stderr.startswith(b"securechat: ")
        assert done.stderr.count(b"\n") == 1
        assert b"Unexpected" not in done.stderr

    def test_no_answer_in_time_and_ctrl_c(self, home):
        """Nobody knows then, and it says so; a server that is silent holds up neither end."""
        server = Serving(home.path, code=MUTE)
        try:
            with Script(home, server.port, "send", "#lobby", "mute", "--timeout", "1") as late:
                code, said = late.end()
            assert code == UNKNOWN
            assert said == (
                "securechat: The server has not confirmed the message within 1 s; the message may be there or not:"
                " look with 'securechat tail' before you send it again.\n"
            )
        finally:
            server.signal(signal.SIGKILL)
            server.finish()
        server = Serving(home.path, code=MUTE)
        try:
            with Script(home, server.port, "send", "#lobby", "mute, too") as script:
                assert server.process.stdout.readline() == "mute\n"
                script.process.send_signal(signal.SIGINT)
                assert script.end() == (130, "\nsecurechat: Interrupted.\n")
        finally:
            server.signal(signal.SIGKILL)
            server.finish()


class TestTail:
    def test_several_targets_in_order_as_json(self, server, enter, alice):
        bob, me = enter(server.port, "bob"), enter(server.port)
        first = bob.say("#lobby", "one\ntwo")
        me.join("#garden")
        me.say("#garden", "в саду")
        bob.say("alice", "psst", reply_to=first.msgid)
        bob.react(bob.history("#lobby")[0], "👍")
        words, password = alice
        targets = ("#garden", "#lobby", "bob", "#LOBBY")
        done = in_process("tail", *targets, "--json", *words, SECURECHAT_PASSWORD=password)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        said = [(event["type"], event["conversation"], event.get("text", event.get("emoji"))) for event in events]
        assert said == [
            ("message", "#lobby", "one\ntwo"),
            ("message", "#garden", "в саду"),
            ("message", "bob", "psst"),
            ("reaction", "#lobby", "👍"),
        ]
        assert set(events[0]) == FIELDS | {"text", "reply_to", "notice", "action"}
        assert set(events[3]) == FIELDS | {"to", "emoji", "removed"}
        assert events[2]["reply_to"] == events[0]["msgid"] == events[3]["to"] == first.msgid
        assert events[0]["time"] == first.time.isoformat(timespec="milliseconds")
        done = in_process("tail", "--lines", "1", *words, SECURECHAT_PASSWORD=password)
        # The last message of each, whatever reactions have come since.
        said = [line.partition("] ")[2] or line for line in done.stdout.splitlines()]
        assert said == ["#lobby <bob> one", "        two", "#garden <alice> в саду"]

    @pytest.mark.parametrize("more", [(), ("--lines", "0", "--follow")], ids=["read", "followed"])
    def test_a_conversation_that_is_none(self, alice, more):
        words, password = alice
        said = refused("tail", "#nowhere", *more, *words, SECURECHAT_PASSWORD=password)
        assert said == "There is nothing of #nowhere to read: there is no such channel, or you are not in it."

    def test_a_reader_that_leaves_ends_it_quietly(self, server, home, enter):
        me = enter(server.port)
        for number in range(3):
            me.say("#lobby", f"line {number}")
        done = Script(home, server.port, "tail", "#lobby").shell(after="| head -1")
        assert done.stdout.endswith(b"#lobby <alice> line 0\n")
        assert (done.returncode, done.stderr) == (0, b"")

    def test_a_reader_that_leaves_while_it_follows(self, server, home, enter):
        me = enter(server.port)
        me.say("#lobby", "one")
        with Script(home, server.port, "tail", "#lobby", "--follow") as script:
            assert script.line().endswith("<alice> one\n")
            script.process.stdout.close()
            script.process.stdout = None
            me.say("#lobby", "two")
            assert script.end() == (0, "")

    def test_over_a_server_that_is_killed(self, home, enter, port):
        server = Serving(home.path, "--port", str(port))
        try:
            me = enter(port)
            me.say("#lobby", "0")
            with Script(home, port, "tail", "#lobby", "--follow", "--json") as script:
                told = [json.loads(script.line())]
                for number in range(1, 4):
                    me.say("#lobby", str(number))
                told += [json.loads(script.line()) for _ in range(3)]
                server.signal(signal.SIGKILL)
                server.finish()
                receipt = me.say_soon("#lobby", "4")
                server = Serving(home.path, "--port", str(port))
                receipt.wait()
                me.say("#lobby", "5")
                told += [json.loads(script.line()) for _ in range(2)]
                assert [event["text"] for event in told] == list("012345")
                assert [event["number"] for event in told] == list(range(1, 7))
                script.process.send_signal(signal.SIGINT)
                code, said = script.end()
            assert code == 130
            lost, *rest = said.splitlines()
            assert lost == (
                "securechat: The connection was lost: the server is gone. Trying again for 300 seconds."
            )
            assert rest == ["", "securechat: Interrupted."]
        finally:
            server.signal(signal.SIGKILL)
            server.finish()

    def test_a_service_is_ended_by_sigterm(self, server, home, enter):
        me = enter(server.port)
        me.say("#lobby", "hello")
        with Script(home, server.port, "tail", "--follow") as script:
            assert script.line().endswith("<alice> hello\n")
            me.say("#lobby", "more")
            assert script.line().endswith("<alice> more\n")
            script.process.send_signal(signal.SIGTERM)
            assert script.end() == (0, "")
