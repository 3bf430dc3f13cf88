"""Kill the server again and again and cut its connections; then see that nothing is lost and nothing is twice.

Clients on several accounts, some with two devices, talk in channels and to each other. In the end every line that
somebody meant to say is in the log once, and each client was given each line of its conversations once, in order.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from chaos_client import PASSWORD, Client, Seen
from chaos_proxy import Cutter
from running import READY, SECURECHAT, Failed, Program, end_in_order, forget_settings

from securechat.certs import issue
from securechat.config import Home
from securechat.net.tls import client_context
from securechat.records import Account
from securechat.server.passwords import PasswordHasher
from securechat.storage.users import UserFile

CHANNELS: Final = ("#lobby", "#red", "#синий")
CALM_SECONDS: Final = 90
_CUT_BYTES: Final = (2_000, 200_000)


class Plan(NamedTuple):
    """What is to happen: for how many seconds, among how many clients, how often the server is killed."""

    seconds: float
    clients: int
    seed: str
    kill_after: tuple[float, float] = (0.5, 4.0)


class Row(NamedTuple):
    """One message of the log."""

    conversation: str
    number: int
    msgid: str
    sender: str
    text: str
    key: str


class Serving:
    """The server's process, started again in the same home. Owned by the main thread."""

    def __init__(self, home: Home, output: Path) -> None:
        self.kills = 0
        self.port = 0
        self._output = output
        limits = ("lines_per_second=0", "connections_per_address=0", "linger_seconds=0.3", "login_tries=1000")
        words = [word for limit in limits for word in ("--limit", limit)]
        self._command = [SECURECHAT, "serve", "--home", str(home.path), "--port", "0", *words]
        self._program: Program | None = None

    def start(self) -> int:
        """Start it and return its port."""
        self._program = Program("securechat serve", self._command, self._output)
        return int(self._program.wait_for(READY)[1])

    def kill(self) -> None:
        """SIGKILL. Raises Failed where it has ended by itself."""
        assert self._program is not None
        if self._program.process.poll() is not None:
            raise Failed(f"The server ended by itself. It said:\n{self._program.tail()}")
        self._program.process.kill()
        self._program.process.wait()
        self.kills += 1

    def stop(self) -> None:
        """End it in order."""
        if self._program is not None:
            self._program.stop()


def make_home(folder: Path, names: list[str]) -> Home:
    """Make certificates and accounts whose hashes cost nothing to check."""
    home = Home(folder)
    issue(home.certs, (), 30)
    hashed = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1).hash_password(PASSWORD)
    with UserFile(home.users).edit() as users:
        for name in names:
            users[name] = Account(name, name, hashed, 1_700_000_000_000, frozenset())
    return home


def make_clients(plan: Plan, port: int, context: ssl.SSLContext) -> list[Client]:
    """Make clients: every third account has two devices."""
    names: list[tuple[str, int]] = []
    while len(names) < plan.clients:
        account = f"user{len(names)}"
        names += [(account, 1), (account, 2)][: 2 if len(names) % 4 == 0 else 1]
    names = names[: plan.clients]
    accounts = sorted({name for name, _ in names})
    clients = []
    for position, (name, device) in enumerate(names):
        others = random.Random(f"{plan.seed}/{position}").sample(accounts, min(2, len(accounts)))
        targets = [*CHANNELS, *CHANNELS, *others]
        clients.append(Client(name, device, port, context, targets, f"{plan.seed}/{position}"))
    return clients


def run(plan: Plan, folder: Path, say: Callable[[str], None] = print) -> bool:
    """Do it all in `folder`; say the counts, and whether nothing was lost and nothing twice."""
    names = [f"user{number}" for number in range(plan.clients)]
    home = make_home(folder / "home", names)
    serving = Serving(home, folder / "server.log")
    cutter = Cutter(f"{plan.seed}/cuts", *_CUT_BYTES)
    clients = make_clients(plan, cutter.port, client_context(home.certs / "ca.pem"))
    started: list[Client] = []
    try:
        cutter.target = serving.start()
        cutter.start()
        for client in clients:
            client.start()
            started.append(client)
        storm(plan, serving, cutter)
        cutter.calm = True
        for client in clients:
            client.calm.set()
        settle(clients)
    finally:
        for client in started:
            client.stop.set()
        for client in started:
            client.join()
        cutter.stop()
        serving.stop()
    problems = [problem for client in clients for problem in client.problems]
    problems += compare(clients, read_log(home.log))
    tell(clients, serving, cutter, problems, say)
    return not problems


def storm(plan: Plan, serving: Serving, cutter: Cutter) -> None:
    """Kill and start the server until the time is over."""
    chance = random.Random(f"{plan.seed}/kills")
    end = time.monotonic() + plan.seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, chance.uniform(*plan.kill_after)))
        serving.kill()
        cutter.target = serving.start()


def settle(clients: list[Client]) -> None:
    """Wait until everything was said, and then until it has reached everybody. Raises Failed."""
    deadline = time.monotonic() + CALM_SECONDS
    for client in clients:
        if not client.done.wait(max(0.0, deadline - time.monotonic())):
            raise Failed(f"{client.name} has not got its lines through in {CALM_SECONDS} s: {client.state()}")
    # The last lines of others are on their way: each client asks once more what there is.
    for client in clients:
        client.settle.set()
    for client in clients:
        if not client.settled.wait(max(0.0, deadline - time.monotonic())):
            raise Failed(f"{client.name} does not come to rest: {client.state()}")


def read_log(path: Path) -> list[Row]:
    """Return the messages of the log in its order."""
    query = (
        "SELECT conversation, number, printf('%s-%x', run, seq), sender, text, key FROM entries"
        " WHERE kind IN (1, 2) AND number > 0 ORDER BY seq"
    )
    with closing(sqlite3.connect(path)) as database:
        return [Row(*row) for row in database.execute(query)]


def compare(clients: list[Client], log: list[Row]) -> list[str]:
    """Return what is lost, twice or out of order, one sentence each."""
    problems: list[str] = []
    texts = Counter(row.text for row in log)
    problems += [f"in the log {count} times: {text}" for text, count in texts.items() if count > 1]
    keys = Counter((row.sender, row.key) for row in log)
    problems += [f"{count} lines have the key {key}" for key, count in keys.items() if count > 1]
    numbers: dict[str, int] = {}
    for row in log:
        if row.number != numbers.get(row.conversation, 0) + 1:
            problems.append(
                f"number {row.number} follows {numbers.get(row.conversation, 0)} in {row.conversation}"
            )
        numbers[row.conversation] = row.number
    for client in clients:
        kept = Counter(client.kept)
        problems += [f"never echoed: {text}" for _, text in client.said if not kept[text]]
        problems += [f"echoed but not in the log: {text}" for text in kept if not texts[text]]
        problems += misread(client, log)
    return problems


def misread(client: Client, log: list[Row]) -> list[str]:
    """Return where a client's lines differ from the log's."""
    mine: dict[str, list[Seen]] = {}
    for row in log:
        where = row.conversation
        if " " in where:
            both = where.split(" ")
            if client.account not in both:
                continue
            where = both[1] if both[0] == client.account else both[0]
        mine.setdefault(where, []).append(Seen(where, row.number, row.msgid, row.sender, row.text))
    got: dict[str, list[Seen]] = {}
    for line in client.seen:
        got.setdefault(line.conversation, []).append(line)
    problems = []
    for where in sorted(mine.keys() | got.keys()):
        want, have = mine.get(where, []), got.get(where, [])
        if want == have:
            continue
        twice = len(have) - len(set(have))
        missing, strange = len(set(want) - set(have)), len(set(have) - set(want))
        problems.append(
            f"{client.name} in {where}: {missing} missing, {twice} twice, {strange} strange, of {len(want)}"
            + ("" if missing or twice or strange else "; out of order")
        )
    return problems


def tell(
    clients: list[Client], serving: Serving, cutter: Cutter, problems: list[str], say: Callable[[str], None]
) -> None:
    """Say the counts and the first problems."""
    counts = {
        "lines meant": sum(len(client.said) for client in clients),
        "echoed": sum(len(client.kept) for client in clients),
        "retried": sum(client.retried for client in clients),
        "seen": sum(len(client.seen) for client in clients),
        "connections": sum(client.connections for client in clients),
        "kills": serving.kills,
        "cuts": cutter.cuts,
        "twice": sum(len(client.seen) - len(set(client.seen)) for client in clients),
        "problems": len(problems),
    }
    say(", ".join(f"{name} {count}" for name, count in counts.items()))
    for problem in problems[:20]:
        say(f"  {problem}")


def main() -> int:
    """Run once in a temporary folder."""
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long it storms (default: 5)")
    parser.add_argument("--clients", type=int, default=20, help="how many talk (default: 20)")
    parser.add_argument("--seed", default=str(random.randrange(10**6)), help="repeats what was decided by chance")
    chosen = parser.parse_args()
    end_in_order()
    forget_settings()
    print(f"{chosen.clients} clients for {chosen.minutes:g} minutes, --seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="securechat-chaos-") as folder:
        try:
            fine = run(Plan(chosen.minutes * 60, chosen.clients, chosen.seed), Path(folder))
        except Failed as failure:
            print(f"scripts/chaos: {failure}", file=sys.stderr)
            return 1
    print("Nothing lost, nothing twice." if fine else "That is not as it should be.")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
