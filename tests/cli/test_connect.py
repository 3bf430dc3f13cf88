"""`connect` as people run it: in a pipe and at a terminal, against scripted servers and the real one."""

from __future__ import annotations

import base64
import re
import signal
import subprocess
import termios
import tty
from pathlib import Path

import pytest
from helpers import commands
from helpers.commands import COMMAND, SECONDS, at_terminal, environment, finish, securechat
from helpers.homes import PASSWORDS
from helpers.leaves import Authority
from helpers.peer import Listener, deserted

from securechat.config import ServerConfig
from securechat.server.app import Server

SECRET = PASSWORDS["alice"]
FULL = Path("/dev/full")


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """The authority of the scripted servers."""
    return Authority(tmp_path_factory.mktemp("pki") / "ours")


@pytest.fixture
def listener(authority):
    """A scripted server with a good certificate."""
    made = Listener(authority.leaf())
    yield made
    made.close()


def refused(*words, **how):
    return commands.refused(*words, start=securechat, **how)


class Piped:
    """`connect` with pipes for standard input, output and error."""

    def __init__(self, *words, **variables):
        self.process = subprocess.Popen(
            [*COMMAND, "connect", *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=variables.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            env=environment(**variables),
        )

    def type(self, data):
        self.process.stdin.write(data.encode() if isinstance(data, str) else data)
        self.process.stdin.flush()

    def line(self):
        return self.process.stdout.readline().decode().rstrip("\n")

    def until(self, text):
        """Read up to a line with a text."""
        while text not in (line := self.process.stdout.readline().decode()):
            assert line, f"it ended without saying {text!r}"

    def end(self, data=""):
        """Type the last of it, end the input; return exit code, output without times of day, error output."""
        said = data.encode() if isinstance(data, str) else data
        out, err = self.process.communicate(said, timeout=SECONDS)
        lines = [re.sub(r"^\[\d\d:\d\d\] ", "", line) for line in (out or b"").decode().splitlines()]
        return self.process.returncode, lines, err.decode()


@pytest.fixture
def piped(authority):
    """Start `connect` in a pipe: piped(listener)."""
    started = []

    def start(listener, *words, **variables):
        words = ("--user", "alice", "--port", listener.port, "--ca", authority.pem, *words)
        variables = {"SECURECHAT_PASSWORD": SECRET, **variables}
        started.append(Piped(*words, **variables))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def in_lobby(listener, *others):
    peer = listener.accept()
    peer.login()
    peer.lobby("alice", *others)
    return peer


class TestPipe:
    """Standard input is said, the conversation is printed."""

    def test_a_conversation(self, listener, piped):
        client = piped(listener)
        peer = in_lobby(listener, "bob")
        client.type("hello\nпривет")
        client.process.stdin.close()
        client.process.stdin = None
        peer.expect("PRIVMSG #lobby :hello")
        peer.send(
            "@time=2001-02-03T12:00:00Z :bob!u@b PRIVMSG #lobby :an old line", ":alice!u@h PRIVMSG #lobby :hello"
        )
        peer.expect("PRIVMSG #lobby :привет")  # the last line had no end, and was meant as well
        peer.send(":alice!u@h PRIVMSG #lobby :привет")
        peer.pong()
        peer.expect("QUIT")
        peer.goodbye()
        code, lines, errors = client.end()
        assert lines == [
            f"Connected to localhost:{listener.port} (TLS 1.3) as alice. Try /help.",
            "-- you are in #lobby",
            "-- #lobby: 2 people: alice, bob",
            lines[3],
            "#lobby <alice> hello",
            "#lobby <alice> привет",
        ]
        assert re.fullmatch(r"\[2001-02-0[34] \d\d:\d\d\] #lobby <bob> an old line", lines[3])
        assert (code, errors) == (0, "")

    def test_lines_come_out_as_they_arrive(self, listener, piped):
        client = piped(listener)
        peer = in_lobby(listener)
        assert [client.line() for _ in range(3)]
        peer.send(":bob!u@b PRIVMSG #lobby :one")
        assert client.line().endswith("<bob> one")
        client.type("two\n")
        peer.expect("PRIVMSG #lobby :two")

    @pytest.mark.parametrize("word", ["/quit", "выход", "/выход"])
    def test_a_word_that_leaves(self, listener, piped, word):
        client = piped(listener)
        peer = in_lobby(listener)
        client.type(f"last words\n{word}\nnot said any more\n")
        peer.expect("PRIVMSG #lobby :last words")
        peer.pong()
        peer.expect("QUIT")
        peer.goodbye()
        assert client.end()[0] == 0

    def test_what_cannot_be_said_is_told(self, listener, piped):
        client = piped(listener)
        peer = in_lobby(listener)
        client.type(b"\xff\xfe\n" + b"x" * 300_000 + b"\ngood\n/nonsense\n")
        peer.expect("PRIVMSG #lobby :good")
        client.process.stdin.close()
        client.process.stdin = None
        peer.pong()
        peer.expect("QUIT")
        peer.goodbye()
        code, lines, _ = client.end()
        assert lines[3:] == [
            "!! A line that is not valid UTF-8 was not sent.",
            "!! A line over 65536 bytes was not sent.",
            "!! There is no command /nonsense: /help lists them, // sends a slash.",
        ]
        assert code == 0

    def test_what_strangers_send_is_harmless(self, listener, piped):
        client = piped(listener)
        peer = in_lobby(listener)
        peer.send(":bob!u@b PRIVMSG #lobby :\x1b[2J\x1b]0;gotcha\x07\x0304red\x03 \u202eevil\x9b")
        assert [client.line() for _ in range(4)][3][len("[12:34] ") :] == "#lobby <bob> red evil"

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_signals_end_it_in_order(self, listener, piped, number):
        client = piped(listener)
        peer = in_lobby(listener)
        assert [client.line() for _ in range(3)]
        client.process.send_signal(number)
        peer.expect("QUIT")
        peer.goodbye()
        assert client.process.wait(SECONDS) == 0
        assert client.end()[2] == ""

    def test_a_signal_during_the_login(self, listener, piped):
        client = piped(listener)
        peer = listener.accept()
        peer.expect("CAP .*")
        client.process.send_signal(signal.SIGTERM)
        assert client.end() == (0, [], "")

    def test_a_signal_while_nobody_reads_the_output(self, listener, piped):
        client = piped(listener)
        peer = in_lobby(listener)
        peer.send(*[f":bob!u@b PRIVMSG #lobby :{'y' * 400}"] * 400)  # more than a pipe holds
        peer.send("PING :all of it")
        peer.expect("PONG :all of it")
        client.process.send_signal(signal.SIGTERM)
        peer.expect("QUIT")
        peer.goodbye()
        assert client.process.wait(SECONDS) == 0

    def test_an_output_that_closes_ends_it_quietly(self, listener, piped):
        client = piped(listener)
        peer = in_lobby(listener)
        assert client.line()
        client.process.stdout.close()
        client.process.stdout = None
        peer.send(":bob!u@b PRIVMSG #lobby :nobody reads this")
        peer.expect("QUIT")
        peer.goodbye()
        assert client.end() == (0, [], "")

    @pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
    def test_an_output_that_is_full_is_told(self, listener, piped):
        with FULL.open("wb") as full:
            client = piped(listener, stdout=full)
        peer = listener.accept()
        peer.login()
        peer.lobby()
        peer.expect("QUIT")
        peer.goodbye()
        code, _, errors = client.end()
        assert (code, errors) == (1, "securechat: Standard output cannot be written: No space left on device.\n")

    def test_a_server_that_goes_away_ends_it_though_the_input_stays_open(self, listener, piped):
        client = piped(listener)
        peer = in_lobby(listener)
        peer.send("ERROR :The server is shutting down")
        peer.close()
        assert client.process.wait(SECONDS) == 1
        assert client.end()[2] == "securechat: The server closed the connection: The server is shutting down.\n"

    def test_a_server_that_goes_away_before_it_kept_everything(self, listener, piped):
        client = piped(listener)
        peer = in_lobby(listener)
        client.process.stdin.close()
        client.process.stdin = None
        peer.expect("PING :.*")
        peer.cut()
        code, _, errors = client.end()
        assert (code, errors) == (1, "securechat: The connection was lost: the server is gone.\n")

    def test_without_any_input_or_output(self, listener, authority):
        words = f"connect --user alice --port {listener.port} --ca {authority.pem}"
        shell = f"exec {' '.join(COMMAND)} {words} <&- >&-"
        variables = environment(SECURECHAT_PASSWORD=SECRET)
        with subprocess.Popen(["sh", "-c", shell], stderr=subprocess.PIPE, env=variables) as client:
            peer = in_lobby(listener)
            peer.pong()
            peer.expect("QUIT")
            peer.goodbye()
            assert client.communicate(timeout=SECONDS) == (None, b"")
        assert client.returncode == 0

    def test_no_echo_no_matter(self, listener, piped):
        client = piped(listener)
        peer = listener.accept()
        peer.login(caps="sasl")
        peer.lobby()
        client.type("hello\n")
        peer.expect("PRIVMSG #lobby :hello")
        assert [client.line() for _ in range(4)][3].endswith("#lobby <alice> hello")


class TestPassword:
    """Where it may come from, and where it never goes."""

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_the_first_line_and_the_rest_is_said(self, listener, piped, end):
        client = piped(listener, "--password-stdin", SECURECHAT_PASSWORD="another")
        client.type(f"{SECRET}{end}hello\n")
        peer = listener.accept()
        peer.login()
        password = [line for line in peer.said if "AUTHENTICATE :" in line][-1].rpartition(":")[2]
        assert base64.b64decode(password).decode() == f"\0alice\0{SECRET}"
        peer.lobby()
        peer.expect("PRIVMSG #lobby :hello")

    def test_it_is_in_no_list_of_processes_and_no_output(self, listener, piped):
        client = piped(listener, "--password-stdin", SECURECHAT_PASSWORD="")
        client.type(f"{SECRET}\n")
        peer = in_lobby(listener)
        assert SECRET.encode() not in Path(f"/proc/{client.process.pid}/cmdline").read_bytes()
        peer.close()
        _, lines, errors = client.end()
        assert SECRET not in "\n".join((*lines, errors))

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "The first line of standard input is empty; the password belongs there."),
            ("\nhello\n", "The first line of standard input is empty; the password belongs there."),
            ("x" * 2000 + "\n", "A password has 1 to 1024 bytes and no NUL."),
            ("x" * 70_000, "The first line of standard input is no password: it is longer than 16384 bytes."),
            ("a\0b\n", "A password has 1 to 1024 bytes and no NUL."),
            (b"\xff\xfe\n", "The password is not valid UTF-8."),
        ],
    )
    def test_first_lines_that_are_none(self, authority, text, says):
        words = ("connect", "--user", "alice", "--ca", authority.pem, "--password-stdin")
        assert refused(*words, text=text) == says

    def test_no_terminal_and_no_password(self, authority):
        assert refused("connect", "--user", "alice", "--ca", authority.pem) == (
            "There is no terminal to ask for the password: set SECURECHAT_PASSWORD, or pass --password-stdin"
            " to take it from the first line of standard input."
        )

    def test_there_is_no_option_for_it(self):
        said = refused("connect", "--user", "alice", "--password", "x", code=2)
        assert "--password" in said


class TestRefusals:
    """One clear sentence, and an exit code that is not 0."""

    def test_no_authority(self, tmp_path):
        assert refused("connect", "--user", "alice", "--home", tmp_path) == (
            f"There is no certificate authority at {tmp_path}/certs/ca.pem: copy certs/ca.pem (never ca.key) from"
            " the server and pass it with --ca FILE."
        )

    def test_an_authority_that_is_none(self, tmp_path):
        wrong = tmp_path / "ca.pem"
        wrong.write_text("not a certificate")
        assert refused("connect", "--user", "alice", "--ca", wrong).startswith(
            f"{wrong} holds no certificate: copy"
        )
        assert "cannot be read (Is a directory)" in refused("connect", "--user", "alice", "--ca", tmp_path)

    def test_nobody_listens(self, authority):
        with deserted() as port:
            words = ("connect", "--user", "alice", "--ca", authority.pem, "--port", port)
            said = refused(*words, SECURECHAT_PASSWORD="x")
        assert said == f"Nobody is listening at localhost:{port}; start the server there with 'securechat serve'."

    def test_no_such_host(self, authority):
        words = ("connect", "--user", "alice", "--ca", authority.pem, "--host", "no-such-host.invalid")
        assert "'no-such-host.invalid'" in refused(*words, SECURECHAT_PASSWORD="x")

    def test_a_name_that_is_none(self, authority):
        words = ("connect", "--user", "two words", "--ca", authority.pem)
        assert refused(*words, SECURECHAT_PASSWORD="x") == "'two words' is not the name of an account."

    @pytest.mark.parametrize(
        ("leaf", "says"),
        [
            ({"end": 0}, "has expired"),
            ({"start": 1}, "is not valid yet"),
            ({"name": "chat.example"}, "is made out to another name"),
        ],
    )
    def test_certificates(self, authority, piped, leaf, says):
        listener = Listener(authority.leaf(**leaf))
        client = piped(listener)
        with pytest.raises(OSError):
            listener.accept()
        code, lines, errors = client.end()
        listener.close()
        assert (code, lines, errors.count("\n")) == (1, [], 1)
        assert says in errors

    def test_the_real_server(self, server, home, tmp_path):
        words = ("connect", "--user", "alice", "--port", server.port)
        assert refused(*words, "--home", home.path, SECURECHAT_PASSWORD="wrong") == (
            "Login refused: the name or the password is wrong."
        )
        stranger = Authority(tmp_path / "theirs")
        said = refused(*words, "--ca", stranger.pem, SECURECHAT_PASSWORD=SECRET)
        assert "is not from the authority that you trust" in said


class TestTerminal:
    """A prompt, and a line that stays while others talk."""

    @pytest.fixture
    def terminal(self, authority):
        """Start `connect` at a terminal."""
        started = []

        def start(listener, **variables):
            words = ("connect", "--plain", "--user", "alice", "--port", listener.port, "--ca", authority.pem)
            variables = {"TERM": "xterm", "NO_COLOR": "1"} | variables
            started.append(at_terminal(*words, **variables))
            return started[-1]

        yield start
        for one in started:
            one.close(force=True)

    @pytest.fixture
    def talking(self, terminal, listener):
        """A client at a terminal that is in the lobby, and the server it talks to."""

        def start(**variables):
            client = terminal(listener, **variables)
            client.expect_exact("Password for alice: ")
            client.sendline(SECRET)
            peer = in_lobby(listener)
            client.expect_exact("#lobby>")
            return client, peer

        return start

    def test_the_password_is_asked_for_and_not_shown(self, talking):
        client, _ = talking()
        assert SECRET not in client.before

    def test_a_half_typed_line_survives_what_arrives(self, talking):
        client, peer = talking()
        client.send("half a li")
        client.expect_exact("half a li")
        peer.send(":bob!u@b PRIVMSG #lobby :привет", ":bob!u@b PRIVMSG #lobby :and more")
        client.expect_exact("#lobby <bob> привет")
        client.expect_exact("#lobby <bob> and more")
        client.expect_exact("#lobby> half a li")  # drawn again below it
        client.send("ne\r")
        peer.expect("PRIVMSG #lobby :half a line")
        peer.send(":alice!u@h PRIVMSG #lobby :half a line")
        client.expect_exact("#lobby <alice> half a line")

    def test_keys_are_not_echoed_into_what_arrives(self, talking):
        """Not even in the moment in which a message is being printed: echo is the prompt's business throughout."""
        client, peer = talking()
        peer.send(*(f":bob!u@b PRIVMSG #lobby :{number} {'x' * 300}" for number in range(200)))
        for number in range(200):
            client.expect_exact(f"<bob> {number} xxx")
            assert not termios.tcgetattr(client.child_fd)[tty.LFLAG] & (termios.ECHO | termios.ISIG)

    def test_what_was_typed_is_shown_once(self, talking):
        client, peer = talking()
        client.send("hello\r")
        peer.expect("PRIVMSG #lobby :hello")
        peer.send(":alice!u@h PRIVMSG #lobby :hello", ":bob!u@b PRIVMSG #lobby :mark")
        client.expect_exact("<bob> mark")
        rows = Screen(client.before).rows
        assert [row for row in rows if "hello" in row] == [rows[-2]]
        assert rows[-2].endswith("#lobby <alice> hello")

    def test_the_prompt_follows_the_channel(self, talking):
        client, peer = talking()
        client.send("/join #сад\r")
        peer.expect("JOIN :#сад")
        peer.send(":alice!u@h JOIN #сад")
        peer.pong()
        client.expect_exact("#сад>")
        client.send("/part\r")
        peer.expect("PART :#сад")
        peer.send(":alice!u@h PART #сад")
        peer.pong()
        client.expect_exact("#lobby>")

    def test_pasted_lines_are_text(self, talking):
        client, peer = talking()
        client.send("\x1b[200~one\r/quit\x1b[201~\r")
        peer.expect("PRIVMSG #lobby :one")
        peer.expect("PRIVMSG #lobby :/quit")

    @pytest.mark.parametrize("keys", ["выход\r", "/quit\r", "\x04", "\x03", "half\x03\x03"])
    def test_ways_to_leave(self, talking, keys):
        client, peer = talking()
        client.send(keys)
        peer.expect("QUIT")
        peer.goodbye()
        assert finish(client)[0] == 0

    def test_ctrl_c_clears_the_line(self, talking):
        client, peer = talking()
        client.send("half a line\x03whole\r")
        peer.expect("PRIVMSG #lobby :whole")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
    def test_signals_end_it_in_order(self, talking, number):
        client, peer = talking()
        client.kill(number)
        peer.expect("QUIT")
        peer.goodbye()
        assert finish(client)[0] == 0

    def test_a_lost_connection_is_told_and_what_was_being_typed_stays(self, talking):
        client, peer = talking()
        client.send("half a li")
        client.expect_exact("half a li")
        peer.send("ERROR :The server is shutting down")
        peer.close()
        code, said = finish(client)
        assert code == 1
        rows = Screen(said).rows
        assert [row for row in rows if row][-2:] == [
            "Not sent: half a li",
            "securechat: The server closed the connection: The server is shutting down.",
        ]

    def test_a_terminal_that_goes_away(self, talking):
        client, peer = talking()
        client.send("half a li")
        client.expect_exact("half a li")
        client.ptyproc.fileobj.close()
        peer.expect("QUIT")
        peer.goodbye()

    def test_ctrl_c_while_it_connects(self, terminal, listener):
        client = terminal(listener, SECURECHAT_PASSWORD=SECRET)
        peer = listener.accept()
        peer.expect("CAP .*")
        client.send("\x03")
        assert finish(client)[0] == 0

    def test_colours_unless_they_are_not_wanted(self, talking):
        client, _ = talking(NO_COLOR="")
        assert "\x1b[2m" in client.before

    def test_no_colours(self, talking):
        client, peer = talking()
        peer.send(":bob!u@b PRIVMSG #lobby :hi")
        client.expect_exact("<bob> hi")
        assert not re.search(r"\x1b\[(?:2|3\d)m", client.before)

    def test_a_dumb_terminal_gets_plain_lines(self, terminal, listener):
        client = terminal(listener, TERM="dumb", SECURECHAT_PASSWORD=SECRET)
        peer = in_lobby(listener)
        client.expect_exact("#lobby: 1 person: alice\r\n")
        client.sendline("hello")
        peer.expect("PRIVMSG #lobby :hello")
        assert "\x1b" not in client.before


class Screen:
    """As much of a terminal as the tests need: the rows that are left of what was written to it."""

    def __init__(self, text):
        self.rows = [""]
        row = column = 0
        for piece in re.findall(r"\x1b\[[0-?]*[@-~]|\x1b[()=>].?|.", text, re.DOTALL):
            if piece == "\n":
                row += 1
                if row == len(self.rows):
                    self.rows.append("")
            elif piece == "\r":
                column = 0
            elif move := re.fullmatch(r"\x1b\[(\d*)([A-DJKG])", piece):
                count, letter = int(move[1] or 1), move[2]
                if letter == "A":
                    row = max(0, row - count)
                elif letter == "C":
                    column += count
                elif letter == "D":
                    column = max(0, column - count)
                elif letter in "JK":
                    self.rows[row] = self.rows[row][:column]
                    if letter == "J":
                        del self.rows[row + 1 :]
            elif piece.isprintable():
                self.rows[row] = self.rows[row].ljust(column)[:column] + piece + self.rows[row][column + 1 :]
                column += 1
        self.rows = [line.rstrip() for line in self.rows]


class TestTogether:
    """The real server, and people who talk over it."""

    def test_two_people(self, server, home):
        words = ("--port", server.port, "--home", home.path)
        bob = Piped("--user", "bob", *words, SECURECHAT_PASSWORD=PASSWORDS["bob"])
        assert bob.line().startswith(f"Connected to localhost:{server.port} (TLS 1.3) as bob.")
        assert bob.line().endswith("-- you are in #lobby")
        assert bob.line().endswith("-- #lobby: 1 person: bob")
        talk = "привет\n/me waves\n/msg bob psst\n/join #Сад\nтут тихо\n/part\n//bye\n"
        alice = securechat("connect", "--user", "Alice", *words, text=talk, SECURECHAT_PASSWORD=SECRET)
        assert (alice.returncode, alice.stderr) == (0, "")
        said = [line.partition("] ")[2] for line in alice.stdout.splitlines()]
        for line in ("#lobby <alice> привет", "#lobby * alice waves", "you -> bob: psst", "#Сад <alice> тут тихо"):
            assert line in said, alice.stdout
        assert said[-1] == "#lobby <alice> /bye"
        code, lines, errors = bob.end("/quit\n")
        assert (code, errors) == (0, "")
        assert [line for line in lines if "alice" in line] == [
            "-- alice joined #lobby",
            "#lobby <alice> привет",
            "#lobby * alice waves",
            "alice -> you: psst",
            "#lobby <alice> /bye",
            "-- alice quit",
        ]

    def test_long_text_arrives_whole(self, server, home, dial):
        text = " ".join(f"слово{number}" for number in range(1000))
        words = ("connect", "--user", "Иван", "--port", server.port, "--home", home.path)
        done = securechat(*words, text=text + "\n" + "ж" * 3000, SECURECHAT_PASSWORD=PASSWORDS["Иван"])
        assert done.returncode == 0
        assert "!!" not in done.stdout
        said = re.findall(r"#lobby <Иван> (.*)", done.stdout)
        words = [piece for piece in said if piece.startswith("слово")]
        assert " ".join(words) == text
        assert "".join(said[len(words) :]) == "ж" * 3000

    def test_everything_piped_in_is_kept_before_it_leaves(self, serve, home):
        server = serve(lines_per_second=0)
        text = "".join(f"line {number}\n" for number in range(3000))
        words = ("connect", "--plain", "--user", "alice", "--port", server.port, "--home", home.path)
        done = securechat(*words, text=text, SECURECHAT_PASSWORD=SECRET)
        assert done.returncode == 0
        assert re.findall(r"<alice> (.*)", done.stdout) == text.splitlines()

    def test_a_server_that_stops_tells_why(self, serve, home):
        server = serve()
        words = ("--user", "bob", "--port", server.port, "--home", home.path, "--reconnect", "0")
        bob = Piped(*words, SECURECHAT_PASSWORD=PASSWORDS["bob"])
        assert [bob.line() for _ in range(3)]
        server.stop()
        assert bob.process.wait(SECONDS) == 1
        assert bob.end()[2] == "securechat: The server closed the connection: The server is shutting down.\n"


class TestAgain:
    """A connection that is lost is made anew; what was missed and what was said meanwhile comes once."""

    @pytest.fixture
    def come_back(self, home):
        """Start a server again on the port that it had."""
        started = []

        def start(port):
            started.append(Server(ServerConfig(home=home, port=port)))
            started[-1].start()
            return started[-1]

        yield start
        for server in started:
            server.stop()

    def test_a_server_that_comes_back(self, home, serve, come_back, dial):
        server = serve()
        words = ("connect", "--plain", "--user", "alice", "--port", server.port, "--home", home.path)
        client = at_terminal(*words, SECURECHAT_PASSWORD=SECRET, TERM="xterm", NO_COLOR="1")
        client.expect_exact("#lobby>")
        client.send("before\r")
        client.expect_exact("<alice> before")
        server.stop()
        client.expect_exact("shutting down; trying again for 300 seconds")
        client.send("meanwhile\r")
        server = come_back(server.port)
        other = dial(server, "bob", "echo-message")
        other.send("PRIVMSG #lobby :missed")
        # Who of the two is first at the door depends on the machine.
        assert {client.expect_exact(["<bob> missed", "<alice> meanwhile"]) for _ in range(2)} == {0, 1}
        client.send("/quit\r")
        code, said = finish(client)
        assert code == 0
        assert "meanwhile" not in said
        assert securechat("history", "#lobby", "--home", home.path).stdout.count("meanwhile") == 1

    def test_a_pipe_says_its_lines_once(self, home, serve, come_back):
        server = serve()
        words = ("--user", "alice", "--port", server.port, "--home", home.path)
        piped = Piped(*words, SECURECHAT_PASSWORD=SECRET)
        piped.type("before\n")
        piped.until("before")
        server.stop()
        piped.until("trying again")
        piped.type("meanwhile\n")
        come_back(server.port)
        said, errors = piped.process.communicate(timeout=SECONDS)
        assert (piped.process.returncode, errors) == (0, b"")
        assert said.decode().count("<alice> ") == 1
        assert "<alice> meanwhile" in said.decode()

    def test_it_is_given_up_after_the_time_that_was_said(self, home, serve):
        server = serve()
        words = ("--user", "alice", "--port", server.port, "--home", home.path, "--reconnect", "1")
        piped = Piped(*words, SECURECHAT_PASSWORD=SECRET)
        piped.type("before\n")
        piped.until("before")
        server.stop()
        _, errors = piped.process.communicate(timeout=SECONDS)
        assert piped.process.returncode == 1
        assert errors == b"securechat: The server closed the connection: The server is shutting down.\n"
