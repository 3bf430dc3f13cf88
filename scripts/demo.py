"""A whole conversation by itself: a server, three people who log in over TLS, one wrong password.

Run by `scripts/start --demo`. Everything happens in a temporary home, on a free port of this machine, through the
commands that people type. Prints what each of the three saw, and ends with 0 if that is what had to be.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from contextlib import ExitStack, closing
from pathlib import Path

from running import READY, SECURECHAT, Failed, Program, end_in_order, forget_settings, program

PEOPLE = ("anna", "boris", "мария")
TALK = [
    ("anna", "Good morning! Is anybody here?"),
    ("boris", "Morning, Anna. I am."),
    ("мария", "Привет! Я тоже здесь."),
    ("anna", "Then let us count, all at once."),
]
AT_ONCE = [(name, f"{name} says {number}") for number in (1, 2, 3) for name in PEOPLE]
"""What they say then without waiting for one another: the server must find one order for it."""
PRIVMSG = 1  # records.Kind
HEARD = re.compile(r"<(?P<who>[^>\s]+)> (?P<text>.*)$", re.MULTILINE)


class Demo:
    """The temporary home, and who has which password."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.passwords = {name: secrets.token_urlsafe(12) for name in PEOPLE}
        self.checked: list[str] = []

    def command(self, *words: str) -> list[str]:
        """Return the command line for one of securechat's commands in this home."""
        return [SECURECHAT, "--home", str(self.home), *words]

    def run(self, *words: str, typed: str = "") -> str:
        """Run a command to its end with `typed` as its input, and return what it said; it must succeed."""
        done = subprocess.run(
            self.command(*words), input=typed.encode(), check=False, capture_output=True, timeout=60
        )
        said = (done.stdout + done.stderr).decode(errors="replace")
        if done.returncode:
            raise Failed(f"securechat {' '.join(words)} failed:\n{said.strip()}")
        return said

    def prepare(self) -> None:
        """Make certificates and users."""
        print("$ securechat init-certs")
        self.run("init-certs")
        for name in PEOPLE:
            admin = ["--admin"] if name == PEOPLE[0] else []
            print(f"$ securechat adduser {' '.join([name, *admin])}")
            self.run("adduser", name, *admin, "--password-stdin", typed=self.passwords[name] + "\n")

    def connect(self, stack: ExitStack, name: str, port: int, password: str, output: str) -> Program:
        """Start a client in a pipe; it takes the password as the first line of its input."""
        words = ("connect", "--user", name, "--port", str(port), "--password-stdin")
        client = stack.enter_context(program(name, self.command(*words), self.home / output, typed=True))
        client.type(password)
        return client

    def enter(self, stack: ExitStack, port: int) -> list[Program]:
        """Let the three come in one after another, each seen by those who are there already."""
        here: list[Program] = []
        for name in PEOPLE:
            print(f"$ securechat connect --user {name}")
            client = self.connect(stack, name, port, self.passwords[name], f"{name}.txt")
            client.wait_for(r"#lobby")
            for other in here:
                other.wait_for(rf"\b{name}\b")
            here.append(client)
        return here

    def refuse(self, stack: ExitStack, port: int) -> None:
        """Try to come in with a wrong password."""
        print("$ securechat connect --user boris     (with a wrong password)")
        stranger = self.connect(stack, "boris", port, secrets.token_urlsafe(12), "stranger.txt")
        code = stranger.wait()
        print(stranger.tail())
        self.check("a wrong password is refused", code != 0 and "#lobby" not in stranger.said())

    def check(self, what: str, right: bool) -> None:
        """Note one thing that had to be so."""
        self.checked.append(f"{'ok  ' if right else 'NOT '} {what}")


def talk(people: list[Program]) -> None:
    """Let them say their lines: each once all have heard the one before, then everybody at once."""
    by_name = {person.name: person for person in people}
    for name, text in TALK:
        by_name[name].type(text)
        hear(people, [(name, text)])
    for name, text in AT_ONCE:
        by_name[name].type(text)
    hear(people, AT_ONCE)


def hear(people: list[Program], lines: list[tuple[str, str]]) -> None:
    """Wait until everybody has these lines on the screen, whoever said one too: an echo means that it is kept."""
    for person in people:
        for name, text in lines:
            person.wait_for(rf"<{re.escape(name)}> {re.escape(text)}$")


def heard(person: Program) -> list[tuple[str, str]]:
    """Return who said what, in the order in which this person saw it."""
    return [(match["who"], match["text"]) for match in HEARD.finditer(person.said())]


def converse(demo: Demo) -> None:
    """Hold the conversation, and note what was right and what was not."""
    demo.prepare()
    with ExitStack() as stack:
        print("$ securechat serve")
        words = demo.command("serve", "--port", "0")
        server = stack.enter_context(program("The server", words, demo.home / "server.log"))
        ready = server.wait_for(READY)
        print(f"    {ready[0]}")
        people = demo.enter(stack, int(ready[1]))
        demo.refuse(stack, int(ready[1]))
        talk(people)
        left = []
        for person, word in zip(people, ("/quit", "/quit", "выход"), strict=True):
            person.type(word)
            left.append(person.wait())
        stopped = server.stop()
        for person in people:
            print(f"\nWhat {person.name} saw:\n{textwrap.indent(person.said().rstrip(), '    ')}")
    first, *others = [heard(person) for person in people]
    demo.check("everybody saw every line once", sorted(first) == sorted(TALK + AT_ONCE))
    demo.check("and in the same order", all(other == first for other in others))
    demo.check("the Cyrillic line arrived whole", TALK[2] in first)
    demo.check("every line is on disk, in that order", on_disk(demo) == first)
    demo.check("all three left in order", left == [0, 0, 0])
    demo.check("the server stopped in order, without an error", stopped == 0 and "Traceback" not in server.said())
    demo.check("no password was written to a file", not leaked(demo))


def on_disk(demo: Demo) -> list[tuple[str, str]]:
    """Return who said what by the log, in its order."""
    with closing(sqlite3.connect(demo.home / "chat.db")) as log:
        return log.execute("SELECT sender, text FROM entries WHERE kind = ? ORDER BY seq", [PRIVMSG]).fetchall()


def leaked(demo: Demo) -> bool:
    """Whether any file of the home holds a password."""
    files = [path.read_bytes() for path in demo.home.rglob("*") if path.is_file()]
    return any(password.encode() in data for data in files for password in demo.passwords.values())


def main() -> int:
    """Run the demonstration; return 0 if everything was as it had to be."""
    end_in_order()
    forget_settings()
    # A log in UTF-8 or an old console: the conversation has Cyrillic in it either way.
    os.environ["PYTHONUTF8"] = "1"
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace", line_buffering=True)
    with tempfile.TemporaryDirectory(prefix="securechat-demo-") as folder:
        demo = Demo(Path(folder))
        try:
            converse(demo)
        except (Failed, subprocess.TimeoutExpired) as problem:
            print(f"\n{problem}")
            demo.check("the conversation came to its end", right=False)
    print("\n" + "\n".join(demo.checked))
    return int(any(line.startswith("NOT") for line in demo.checked))


if __name__ == "__main__":
    sys.exit(main())
