"""`securechat serve` as it is, without its flood limits: real logins, every line on disk."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from running import READY, SECURECHAT, program

from benchmark.contenders import Place, Running
from benchmark.driver.job import device_file, user_name
from securechat import __version__
from securechat.certs import bundle, certify, new_key
from securechat.protocol.capabilities import CAPABILITIES
from securechat.records import Account, Device, Kind
from securechat.server.devices import milliseconds
from securechat.server.passwords import PasswordHasher
from securechat.storage.users import UserFile

OPEN = ("lines_per_second=0", "connections_per_address=0", "idle_seconds=100000", "pong_seconds=100000")


class Ours:
    """The one that should win."""

    name = "securechat"
    keeps = True
    fast = True
    ordered = True
    capabilities = frozenset(CAPABILITIES)

    def version(self) -> str:
        """Return the version of this checkout."""
        return __version__

    @contextmanager
    def serve(self, place: Place, clients: int) -> Iterator[Running]:
        """Run it with an account for every client."""
        home = place.folder
        (home / "certs").symlink_to(place.certificates)
        password, devices = self.admit(place, clients)
        room = (f"{name}={clients + 100}" for name in ("logins_waiting", "connections"))
        limits = [word for limit in (*OPEN, *room, "login_seconds=600") for word in ("--limit", limit)]
        words = ["--home", str(home), "serve", "--port", "0", "--no-lobby", "--log-level", "warning", *limits]
        with program("securechat serve", [SECURECHAT, *words], home / "serve.log") as server:
            yield Running(server, int(server.wait_for(READY)[1]), place.authority, password, devices)

    def admit(self, place: Place, clients: int) -> tuple[str, Path | None]:
        """Give every client what it logs in by."""
        return make_users(place, clients), None

    def kept(self, place: Place) -> int | None:
        """Return how many messages are in the log."""
        with closing(sqlite3.connect(place.folder / "chat.db")) as log:
            (count,) = log.execute("SELECT count(*) FROM entries WHERE kind = ?", [Kind.PRIVMSG]).fetchone()
        return int(count)


class OursByCertificate(Ours):
    """The same, where clients have certificates."""

    def admit(self, place: Place, clients: int) -> tuple[str, Path | None]:
        """Give every client a certificate of its own; nobody has a password."""
        make_users(place, clients)
        folder = place.folder / "devices"
        folder.mkdir()
        with UserFile(place.folder / "users.json").edit() as users:
            for number in range(clients):
                key, name = new_key(), user_name(number)
                made = certify(place.certificates, key.public_key(), name, "bench")
                device_file(folder, number).write_bytes(bundle(key, made))
                noted = Device("bench", made.fingerprint, 0, milliseconds(made.not_after))
                users[name] = replace(users[name], devices=(noted,))
        return "", folder


def make_users(place: Place, count: int) -> str:
    """Write the users file and return everybody's password, hashed once; every login checks it as any other."""
    password = secrets.token_urlsafe(12)
    phc = PasswordHasher().hash_password(password)
    with UserFile(place.folder / "users.json").edit() as users:
        for name in map(user_name, range(count)):
            users[name] = Account(name, name, phc, created=0)
    return password
