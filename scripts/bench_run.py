"""What scripts/bench does: our server, the baseline and the floor, one after another, and the table of the three.

CPU per delivered line is the server process's CPU time by the lines that reached somebody. Absolute figures differ
between machines, so only their ratio is ever judged (--check).
"""

from __future__ import annotations

import argparse
import json
import secrets
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from bench_driver import RECORD, user_name
from running import READY, SECURECHAT, Failed, Program, end_in_order, forget_settings, program

from securechat.net.tls import server_context
from securechat.records import Account, Kind
from securechat.server.passwords import PasswordHasher
from securechat.storage.users import UserFile

HERE = Path(__file__).parent
OURS, BASELINE, FLOOR = "securechat", "thread per client", "bare TLS (floor)"
TENTH = 0.1
"""--check: the most that a delivered line of ours may cost, in lines of the baseline."""
BUSY = 0.9
"""A driver that uses this share of its one core is what limits the deliveries per second."""
SECONDS = 90


@dataclass(frozen=True, slots=True)
class Result:
    """What one contender needed. `driver` is the share of a core that the driver used."""

    lines: int
    deliveries: int
    seconds: float
    cpu: float
    driver: float = 0

    @property
    def each(self) -> float:
        """CPU per delivered line, in microseconds."""
        return self.cpu / self.deliveries * 1e6


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of both servers."""

    clients: int
    senders: int
    window: int
    size: int


def drive(server: Program, home: Path, load: Load, lines: int, password: str) -> Result:
    """Let the driver load a server, and return what it measured."""
    job = {
        "port": int(server.wait_for(READY)[1]),
        "pid": server.process.pid,
        "authority": str(home / "certs" / "ca.pem"),
        "record": str(home / "record"),
        "password": password,
        "lines": lines,
        **asdict(load),
    }
    command = [sys.executable, str(HERE / "bench_driver.py")]
    done = subprocess.run(
        command, input=json.dumps(job), check=False, capture_output=True, text=True, timeout=SECONDS
    )
    if done.returncode:
        raise Failed(f"{done.stderr.strip()}\n{server.name} said last:\n{server.tail()}")
    return Result(**json.loads(done.stdout))


def measure_ours(home: Path, load: Load, lines: int) -> Result:
    """Measure `securechat serve` as it is, without its flood limit: real logins, every line on disk."""
    password = secrets.token_urlsafe(12)
    make_users(home, load.clients, password)
    limits = ("lines_per_second=0", "connections_per_address=0", f"logins_waiting={load.clients}")
    words = [word for limit in limits for word in ("--limit", limit)]
    command = [
        SECURECHAT,
        "--home",
        str(home),
        "serve",
        "--port",
        "0",
        "--no-lobby",
        "--log-level",
        "warning",
        *words,
    ]
    with program("securechat serve", command, home / "serve.log") as server:
        result = drive(server, home, load, lines, password)
    with closing(sqlite3.connect(home / "chat.db")) as log:
        (kept,) = log.execute("SELECT count(*) FROM entries WHERE kind = ?", [Kind.PRIVMSG]).fetchone()
    if kept != result.lines:
        raise Failed(f"{kept} of {result.lines} lines are on disk.")
    return result


def make_users(home: Path, count: int, password: str) -> None:
    """Write the users file. All have one password, hashed once; every login checks it as any other."""
    phc = PasswordHasher().hash_password(password)
    with UserFile(home / "users.json").edit() as users:
        for name in map(user_name, range(count)):
            users[name] = Account(name, name, phc, created=0)


def measure_baseline(home: Path, load: Load, lines: int) -> Result:
    """Measure one thread per client."""
    files = [str(home / "certs" / name) for name in ("server.pem", "server.key")]
    with program(
        "The baseline", [sys.executable, str(HERE / "baseline.py"), *files], home / "baseline.log"
    ) as server:
        return drive(server, home, load, lines, "unused")


def measure_floor(home: Path, deliveries: int) -> Result:
    """Send what one client got as often as all got it, in full TLS records: only the encryption and the kernel.

    The CPU counted is that of the sending thread alone; the reader is a process of its own, as in the other runs.
    """
    record = (home / "record").read_bytes()
    lines = record.count(b"\n")
    chunks = [record[start : start + RECORD] for start in range(0, len(record), RECORD)]
    rounds = max(deliveries // lines, 1)
    context = server_context(home / "certs" / "server.pem", home / "certs" / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        job = {"drain": listener.getsockname()[1], "authority": str(home / "certs" / "ca.pem")}
        with program(
            "The reader", [sys.executable, str(HERE / "bench_driver.py")], home / "drain.log", typed=True
        ) as reader:
            reader.type(json.dumps(job))
            raw, _ = listener.accept()
            raw.settimeout(SECONDS)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(raw, server_side=True) as tls:
                began, cpu = time.perf_counter(), time.thread_time()
                for _ in range(rounds):
                    for chunk in chunks:
                        tls.send(chunk)
                cpu, seconds = time.thread_time() - cpu, time.perf_counter() - began
    return Result(lines, lines * rounds, seconds, cpu)


def table(results: dict[str, Result]) -> str:
    """Return the figures as lines of text, each beside the baseline's and the floor's."""
    baseline, floor = results[BASELINE].each, results[FLOOR].each
    rows = [("", "lines", "deliveries/s", "CPU us per delivery", "of baseline", "of floor", "driver's core")]
    for name, result in results.items():
        share = f"{result.driver:.0%}" if result.driver else "-"
        rate, each = f"{result.deliveries / result.seconds:,.0f}", f"{result.each:.3f}"
        ratios = f"{result.each / baseline:.3f}", f"{result.each / floor:.1f}"
        rows.append((name, f"{result.lines:,}", rate, each, *ratios, share))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [[cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    return "\n".join(
        f"{row[0].ljust(widths[0])}  {'  '.join(cells[1:])}" for row, cells in zip(rows, padded, strict=True)
    )


def arguments() -> argparse.Namespace:
    """Return what the command line asked for."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="CPU per delivered line, beside two yardsticks."
    )
    parser.add_argument("--clients", type=int, default=100, help="in one channel (default: %(default)s)")
    parser.add_argument("--senders", type=int, default=10, help="of these, 1 to 99 (default: %(default)s)")
    parser.add_argument(
        "--window", type=int, default=20, help="lines a sender has outstanding (default: %(default)s)"
    )
    parser.add_argument("--size", type=int, default=100, help="bytes in a line (default: %(default)s)")
    parser.add_argument("--lines", type=int, default=20_000, help="for our server (default: %(default)s)")
    parser.add_argument(
        "--baseline-lines", type=int, default=4_000, help="for the baseline (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE, too")
    parser.add_argument("--check", action="store_true", help=f"fail if ours costs over {TENTH} of the baseline")
    chosen = parser.parse_args()
    if not (0 < chosen.senders < 100 and chosen.senders + 2 <= chosen.clients):
        parser.error("--senders: 1 to 99, and at least two of the clients only listen")
    if min(chosen.lines, chosen.baseline_lines) < chosen.senders or chosen.window < 1:
        parser.error("each sender says at least one line")
    return chosen


def measure(chosen: argparse.Namespace, home: Path) -> dict[str, Result]:
    """Run all three; the floor sends what our server sent."""
    load = Load(chosen.clients, chosen.senders, chosen.window, chosen.size)
    subprocess.run([SECURECHAT, "--home", str(home), "init-certs"], check=True, stdout=subprocess.DEVNULL)
    ours = measure_ours(home, load, chosen.lines)
    floor = measure_floor(home, ours.deliveries)
    return {OURS: ours, BASELINE: measure_baseline(home, load, chosen.baseline_lines), FLOOR: floor}


def main() -> int:
    """Measure, print, and return 0; with --check 1 where ours costs too much."""
    end_in_order()
    forget_settings()
    chosen = arguments()
    print(
        f"{chosen.clients} clients in one channel, {chosen.senders} senders with {chosen.window} lines of "
        f"{chosen.size} bytes outstanding each, TLS 1.3 with P-256, ours with every line on disk"
    )
    with tempfile.TemporaryDirectory(prefix="securechat-bench-") as folder:
        try:
            results = measure(chosen, Path(folder))
        except (Failed, OSError, subprocess.SubprocessError) as problem:
            print(f"scripts/bench: {problem}", file=sys.stderr)
            return 1
    print(table(results))
    if results[OURS].driver > BUSY:
        print("The driver is the limit of the deliveries/s.")
    if chosen.json:
        figures = {name: asdict(result) | {"us_per_delivery": result.each} for name, result in results.items()}
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n")
    if chosen.check and results[OURS].each > TENTH * results[BASELINE].each:
        print(f"Too much: a delivered line costs more than {TENTH} of the baseline's.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
