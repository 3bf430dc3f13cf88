"""A server with many accounts and a crowd of clients, for scripts that measure it under load."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from running import READY, Failed, Program, program

from securechat.certs import issue
from securechat.records import Account
from securechat.server.passwords import PasswordHasher
from securechat.storage.users import UserFile

DRIVER = Path(__file__).with_name("load_driver.py")
CHEAP = (8, 1, 1)
LAUNCH = f"""
import ctypes
from securechat.cli import main
from securechat.server import passwords
ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)
passwords.DEFAULT = passwords.PasswordHasher(*{CHEAP})
main()
"""
"""`securechat` as it is, but for two things: any process of the same user may look into it (PR_SET_PTRACER; the
profiler has to), and a password check costs next to nothing, or thousands of logins would take minutes."""
LIMITS = {
    "lines_per_second": 0,
    "connections_per_address": 0,
    "connections": 10_000,
    "idle_seconds": 3600,
    "channels_per_account": 10_000,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is to run: its home folder, and the password of all accounts in it."""

    home: Path
    password: str


def prepare(home: Path, accounts: int) -> Place:
    """Make certificates and so many accounts in an empty folder."""
    issue(home / "certs", (), 1)
    password = secrets.token_urlsafe(12)
    phc = PasswordHasher(*CHEAP).hash_password(password)
    with UserFile(home / "users.json").edit() as users:
        for name in map(user_name, range(accounts)):
            users[name] = Account(name, name, phc, created=0)
    return Place(home, password)


@contextmanager
def serving(place: Place, **limits: float) -> Iterator[Program]:
    """Run a server there for the length of a with block: nobody is joined anywhere, and nothing is too quick."""
    words = ["serve", "--port", "0", "--no-lobby", "--log-level", "warning"]
    for name, value in (LIMITS | limits).items():
        words += ["--limit", f"{name}={value}"]
    command = [sys.executable, "-c", LAUNCH, "--home", str(place.home), *words]
    with program("securechat serve", command, place.home / "serve.log") as server:
        yield server


class Crowd:
    """Many clients in a process of their own; see load_driver.Crowd for the orders that it takes."""

    def __init__(self, server: Program, place: Place) -> None:
        self._server = server
        self._errors = place.home / "driver.log"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, str(DRIVER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl-C in this terminal reaches us, and we end it in order
            )
        self._write(
            port=int(server.wait_for(READY)[1]),
            authority=str(place.home / "certs" / "ca.pem"),
            pid=server.process.pid,
            password=place.password,
        )

    def order(self, do: str, **words: Any) -> None:
        """Tell the clients to do something; the next `answer` waits for the end of it."""
        self._write(do=do, **words)

    def answer(self) -> dict[str, Any]:
        """Return what was measured; raise Failed where it went wrong."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            said = self._errors.read_text().strip()
            raise Failed(f"{said}\n{self._server.name} said last:\n{self._server.tail()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def do(self, do: str, **words: Any) -> dict[str, Any]:
        """Have something done, and return what was measured."""
        self.order(do, **words)
        return self.answer()

    def end(self) -> None:
        """Disconnect all."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()
        self._process.wait()

    def _write(self, **words: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: `answer` says why


@contextmanager
def crowd(server: Program, place: Place) -> Iterator[Crowd]:
    """Have clients for the length of a with block."""
    clients = Crowd(server, place)
    try:
        yield clients
    finally:
        clients.end()


def user_name(number: int) -> str:
    """Return the account name of a client."""
    return f"user{number:05}"


def user_names(first: int, count: int) -> list[str]:
    """Return the account names of so many clients."""
    return [user_name(number) for number in range(first, first + count)]
