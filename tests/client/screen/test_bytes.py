"""The bytes that leave the program for its terminal: links, notifications, the bell, and nothing of strangers'."""

from __future__ import annotations

import io
import re
import signal

import pytest
from helpers.commands import at_terminal, finish
from helpers.homes import PASSWORDS

LINK = "https://example.org/a?b=(c)"


def visible(said):
    """Without the colours and cursor movements."""
    return re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", said)


def look_elsewhere(terminal):
    """Let the terminal say that it is not in front any more, and wait until the program has read that."""
    terminal.send("\x1b[O\x1bOP")  # and F1: the help comes once both are dealt with
    terminal.expect_exact("Esc closes this")
    terminal.send("\x1bOP")


@pytest.fixture
def client(server, home, tmp_path):
    """Start the full screen at a terminal of that kind: client("xterm-256color")."""
    started = []

    def start(term):
        words = ("connect", "--user", "alice", "--port", server.port, "--home", home.path)
        variables = {"TERM": term, "XDG_STATE_HOME": str(tmp_path / "state"), "LC_ALL": "C.UTF-8"}
        started.append(at_terminal(*words, SECURECHAT_PASSWORD=PASSWORDS["alice"], **variables))
        started[-1].expect("TLS 1.3")
        return started[-1]

    yield start
    for one in started:
        one.kill(signal.SIGKILL)
        one.close()


@pytest.mark.parametrize(
    ("term", "notification"),
    [
        ("xterm-256color", "\x1b]9;#lobby bob: alice, look\x07"),
        ("rxvt", "\x1b]777;notify;#lobby;bob: alice, look\x07"),
    ],
)
def test_a_mention_is_told_to_who_looks_elsewhere(client, server, dial, term, notification):
    bob = dial(server, "bob")
    terminal = client(term)
    bob.send("PRIVMSG #lobby :alice, while she is here")
    terminal.expect("while she is here")
    assert "\x07" not in terminal.before
    look_elsewhere(terminal)
    bob.send("PRIVMSG #lobby :to nobody", "PRIVMSG #lobby :alice, look")
    terminal.expect_exact(notification)
    assert "\x07" not in terminal.before
    terminal.expect_exact("\x07")  # and the bell


def test_links_can_be_clicked(client, server, dial):
    bob = dial(server, "bob")
    terminal = client("xterm-256color")
    bob.send(f"PRIVMSG #lobby :see {LINK}, bob", "PRIVMSG #lobby :done")
    terminal.expect("done")
    found = re.findall(r"\x1b\]8;[^;]*;(http[^\x1b]*)\x1b\\([^\x1b]*)\x1b\]8;;\x1b\\", visible(terminal.before))
    assert set(found) == {(LINK, LINK)}


def test_what_strangers_send_reaches_no_terminal(client, server, dial):
    """Their escapes, bells, titles, clipboards and links are gone, in the conversation and in what tells of it."""
    bob = dial(server, "bob")
    terminal = client("xterm-256color")
    terminal.logfile_read = everything = io.StringIO()
    look_elsewhere(terminal)
    evil = "alice\x1b]0;pwned\x07 \x1b]52;c;cHduZWQ=\x07 \x1b]8;;http://evil/\x1b\\here\x1b]8;;\x1b\\ \x9b2J\x1bc"
    bob.send(f"PRIVMSG #lobby :{evil} it came")
    terminal.expect("\x1b]9;(.*?)\x07")
    assert terminal.match[1].isprintable()
    terminal.expect("it came")
    terminal.send("\x11")  # Ctrl+Q
    assert finish(terminal)[0] == 0
    said = everything.getvalue()
    assert "here" in visible(said)
    for piece in ("]0;", "]52;", "http://evil", "\x9b", "\x1bc"):
        assert piece not in said
    said = re.sub(r"\x1b\]22;[a-z]*\x07", "", said)  # Textual's shape of the mouse pointer
    assert said.count("\x07") == 2  # the end of the notification, and the bell
