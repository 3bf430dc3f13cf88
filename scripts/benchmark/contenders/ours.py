"""`securechat serve` as it is, without its flood limits: real logins, every line on disk."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from running import READY, SECURECHAT, program

from benchmark.contenders import Place, Running
from benchmark.driver.job import user_name
from securechat import __version__
from securechat.records import Account, Kind
from securechat.server.passwords import PasswordHasher
from securechat.storage.users import UserFile

OPEN = ("lines_per_second=0", "connections_per_address=0", "idle_seconds=100000", "pong_seconds=100000")


class Ours:
    """The one that should win."""

    name = "securechat"
    keeps = True
    fast = True

    def version(self) -> str:
        """Return the version of this checkout."""
        return __version__

    @contextmanager
    def serve(self, place: Place, clients: int) -> Iterator[Running]:
        """Run it with an account for every client."""
        home = place.folder
        (home / "certs").symlink_to(place.certificates)
        password = make_users(place, clients)
        room = (f"{name}={clients + 100}" for name in ("logins_waiting", "connections"))
        limits = [word for limit in (*OPEN, *room, "login_seconds=600") for word in ("--limit", limit)]
        words = ["--home", str(home), "serve", "--port", "0", "--no-lobby", "--log-level", "warning", *limits]
        with program("securechat serve", [SECURECHAT, *words], home / "serve.log") as server:
            yield Running(server, int(server.wait_for(READY)[1]), place.authority, password)

    def kept(self, place: Place) -> int | None:
        """Return how many messages are in the log."""
        with closing(sqlite3.connect(place.folder / "chat.db")) as log:
            (count,) = log.execute("SELECT count(*) FROM entries WHERE kind = ?", [Kind.PRIVMSG]).fetchone()
        return int(count)


def make_users(place: Place, count: int) -> str:
    """Write the users file and return everybody's password, hashed once; every login checks it as any other."""
    password = secrets.token_urlsafe(12)
    phc = PasswordHasher().hash_password(password)
    with UserFile(place.folder / "users.json").edit() as users:
        for name in map(user_name, range(count)):
            users[name] = Account(name, name, phc, created=0)
    return password
