"""A real irc-framework (The Lounge, Kiwi IRC): logs in over TLS with our authority, and understands the server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from typing import Any, Self

import pytest
from helpers.homes import PASSWORDS, make_home

SECONDS = 30
"""Only ever reached when something is broken."""
SCRIPT = Path(__file__).with_name("irc_framework.js")
UNKNOWN = ("003", "004", "251", "252", "254", "255", "265", "266")
"""What irc-framework passes on unread, from any server: welcomes and LUSERS."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "securechat-node" / "node_modules"
MODULES = os.pathsep.join(filter(None, (os.environ.get("NODE_PATH"), str(CACHE))))


def missing() -> str:
    """Why these tests cannot run, or empty."""
    if shutil.which("node") is None:
        return "not installed: node"
    found = subprocess.run(
        ["node", "-e", "require.resolve('irc-framework')"],
        env=os.environ | {"NODE_PATH": MODULES},
        check=False,
        capture_output=True,
    )
    return "" if found.returncode == 0 else f"not installed: irc-framework, in {CACHE} or in NODE_PATH"


WHY_NOT = missing()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "installed")


class Framework:
    """One irc-framework in a node of its own."""

    def __init__(self, port: int, authority: Path, nick: str, password: str) -> None:
        own = {"NODE_PATH": MODULES, "NODE_EXTRA_CA_CERTS": str(authority)}
        own |= {"PORT": str(port), "NICK": nick, "PASSWORD": password}
        self._process = subprocess.Popen(
            ["node", str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | own,
            encoding="utf-8",
        )
        self.events: list[tuple[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def do(self, *words: str) -> None:
        """Call a method of the client."""
        print(json.dumps(words), file=self._process.stdin, flush=True)

    def expect(self, name: str, **fields: Any) -> Any:
        """Read events until one of this name with these fields; give it."""
        overdue = Timer(SECONDS, self._process.kill)
        overdue.start()
        try:
            for line in self._process.stdout:
                if not line.startswith("["):
                    self.events.append(("output", line))
                    continue
                kind, *rest = json.loads(line)
                event = rest[0] if rest else None
                self.events.append((kind, event))
                if kind == name and all((event or {}).get(key) == value for key, value in fields.items()):
                    return event
        finally:
            overdue.cancel()
        raise AssertionError(f"no {name} with {fields} in:\n  " + "\n  ".join(map(str, self.events)))

    def odd(self) -> list[tuple[str, Any]]:
        """What it took for an error or did not know, replies that inform apart, and all that went wrong in it."""
        wrong = [event for event in self.events if event[0] in ("irc error", "output", "socket close")]
        unknown = [event for event in self.events if event[0] == "unknown command"]
        return wrong + [event for event in unknown if event[1]["command"] not in UNKNOWN]


@pytest.fixture
def start(home):
    """start(server, nick) runs a client that trusts this home's authority."""
    with ExitStack() as running:

        def run(server, nick, *, authority=home.certs / "ca.pem", password=None):
            return running.enter_context(Framework(server.port, authority, nick, password or PASSWORDS[nick]))

        yield run


def test_a_conversation(server, start, dial):
    alice, bob = start(server, "alice"), start(server, "bob")
    for client, name in ((alice, "alice"), (bob, "bob")):
        client.expect("loggedin", account=name)
        client.expect("registered", nick=name)
        client.expect("userlist", channel="#lobby")
    bob.do("join", "#клуб")
    bob.expect("join", channel="#клуб", nick="bob")
    users = bob.expect("userlist", channel="#клуб")["users"]
    assert [(user["nick"], user["modes"]) for user in users] == [("bob", ["q", "o"])]
    alice.do("join", "#клуб")
    assert bob.expect("join", channel="#клуб", nick="alice")["account"] == "alice"
    alice.expect("userlist", channel="#клуб")
    bob.do("say", "#клуб", "Привет, alice")
    heard = alice.expect("message", type="privmsg", nick="bob", target="#клуб", message="Привет, alice")
    echo = bob.expect("message", type="privmsg", nick="bob", target="#клуб", message="Привет, alice")
    assert heard["tags"]["msgid"] == echo["tags"]["msgid"]
    assert heard["account"] == "bob"
    alice.do("say", "bob", "и тебе")
    bob.expect("message", nick="alice", target="bob", message="и тебе")
    bob.do("setTopic", "#клуб", "Розы")
    alice.expect("topic", channel="#клуб", topic="Розы", nick="bob")
    bob.do("mode", "#клуб", "+m")
    alice.expect("mode", target="#клуб", nick="bob", raw_modes="+m")
    bob.do("ban", "#клуб", "carol!*@*")
    bob.do("banlist", "#клуб")
    assert [entry["banned"] for entry in bob.expect("banlist", channel="#клуб")["bans"]] == ["carol!*@*"]
    bob.do("raw", "KICK", "#клуб", "alice", "be nice")
    alice.expect("kick", channel="#клуб", kicked="alice", nick="bob", message="be nice")
    dial(server, "carol").send("QUIT :bye")
    bob.expect("quit", nick="carol", message="Quit: bye")
    assert alice.odd() == bob.odd() == []


def test_questions(server, start, dial):
    carol = dial(server, "carol")
    carol.send("JOIN #клуб", "TOPIC #клуб :Розы", "AWAY :обед")
    carol.barrier()
    alice = start(server, "alice")
    alice.expect("userlist", channel="#lobby")
    alice.do("whois", "carol")
    about = alice.expect("whois", nick="carol")
    assert (about["ident"], about["hostname"], about["account"]) == ("u", "carol", "carol")
    assert (about["secure"], about["away"], about["real_name"]) == (True, "обед", "carol in a test")
    assert about["channels"].split() == ["#lobby", "~@#клуб"]
    alice.do("whois", "nobody")
    assert alice.expect("whois", nick="nobody")["error"] == "not_found"
    alice.do("who", "#клуб")
    (user,) = alice.expect("wholist", target="#клуб")["users"]
    assert (user["nick"], user["account"], user["away"], user["channel_modes"]) == (
        "carol",
        "carol",
        True,
        ["q", "o"],
    )
    alice.do("addMonitor", "carol")
    alice.expect("users online", nicks=["carol"])
    carol.send("QUIT")
    alice.expect("users offline", nicks=["carol"])
    assert [event[1]["error"] for event in alice.odd()] == ["no_such_nick"], "about nobody, as it should"


def test_the_list_of_channels(server, start, dial):
    carol = dial(server, "carol")
    carol.send("JOIN #клуб", "TOPIC #клуб :Розы", "JOIN #тайна", "MODE #тайна +s")
    carol.barrier()
    alice = start(server, "alice")
    alice.expect("userlist", channel="#lobby")
    for _ in range(2):
        alice.do("list")
        listed = alice.expect("channel list")
        assert [(one["channel"], one["num_users"], one["topic"]) for one in listed] == [
            ("#lobby", 2, ""),
            ("#клуб", 1, "Розы"),
        ]
        alice.expect("channel list end")
    starts = [event for event in alice.events if event[0] == "channel list start"]
    assert len(starts) == 2, "The Lounge empties its list at the 321 with which one begins"


def test_a_wrong_password_is_refused(server, start):
    alice = start(server, "alice", password="guess")
    assert alice.expect("sasl failed")["reason"] == "fail"


def test_a_server_that_cannot_be_verified_is_refused(server, start, tmp_path):
    alice = start(server, "alice", authority=make_home(tmp_path / "other").certs / "ca.pem")
    assert "certificate" in alice.expect("socket close")["message"]
