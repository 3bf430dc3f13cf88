"""What scripts/profile does: start a server, load it, look at its threads many times a second, and print it.

How to read it:
  * Each thread says what the kernel counted of its CPU time, and what it was seen doing: running, or waiting for
    the network, the disk, work from a queue, or the interpreter's lock, which another thread had.
  * The rows are about running alone. "self" is the part of it spent in a function itself, "all" adds what it
    calls, "line" is where it was seen most. Follow "all" down from the top to where "self" is large.
  * C functions stand among the others: write and send with the kernel's work for them. Looking slows the server:
    compare shares with shares, and ask scripts/bench what a line costs.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from load import Place, crowd, prepare, serving, user_names
from running import Failed, Program, end_in_order, forget_settings

SPY = str(Path(sys.executable).with_name("py-spy"))
ROOT = f"{Path(__file__).parents[1]}/"
STACK = re.compile(r"thread \((\d+)\): ([^;]*);(.*) (\d+)")
FRAME = re.compile(r"(.*) \((.*?)(?::(\d+))?\)")
NAMELESS = re.compile(r"0x[0-9a-f]+ \((.*)\)")
WAITS = {
    "the network": ("epoll_wait", "poll", "select", "accept4"),
    "the disk": ("fdatasync", "fsync"),
    "the interpreter's lock": ("pthread_cond_timedwait", "pthread_cond_wait"),
    "a queue": ("PyThread_acquire_lock_timed",),
}
"""What a thread waits for in these functions of C; py-spy takes many of them as running."""
WAITING = {name: what for what, names in WAITS.items() for name in (*names, *(f"__{name}" for name in names))}
FORMATS = {".svg": "flamegraph", ".json": "speedscope"}
FEWEST = 0.01
"""Functions with less of their thread's time are left out, and so are threads with less of the CPU time."""


@dataclass(slots=True)
class Function:
    """How often a function was seen running itself, how often at all, and in which lines."""

    own: int = 0
    total: int = 0
    lines: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Thread:
    """What was seen of one thread, and its CPU seconds."""

    name: str
    cpu: float = 0
    running: int = 0
    waiting: Counter[str] = field(default_factory=Counter)
    functions: dict[str, Function] = field(default_factory=dict)

    def add(self, frames: list[str], count: int) -> None:
        """Take in a stack, outermost first, that was seen so often."""
        for frame in frames:
            if what := WAITING.get(frame.partition(" ")[0]):
                self.waiting[what] += count
                return
        self.running += count
        seen = set()
        for depth, frame in enumerate(frames):
            found = FRAME.fullmatch(NAMELESS.sub(r"others (\1)", frame))
            name, file, line = found.groups() if found else (frame, "", None)
            key = f"{name}  {file.replace(ROOT, '') if ROOT in file else '/'.join(file.split('/')[-2:])}"
            function = self.functions.setdefault(key, Function())
            if key not in seen:  # once, however deep it calls itself
                seen.add(key)
                function.total += count
            if line:
                function.lines[line] += count
            if depth == len(frames) - 1:
                function.own += count


def read_stacks(text: str) -> dict[int, Thread]:
    """Return the threads in what `py-spy record --format raw` wrote, by their number."""
    threads: dict[int, Thread] = {}
    for row in text.splitlines():
        if found := STACK.fullmatch(row):
            number, name, frames, count = found.groups()
            thread = threads.setdefault(int(number), Thread(name))
            thread.add(frames.split(";"), int(count))
    return threads


def thread_seconds(pid: int) -> dict[int, float]:
    """Return the CPU seconds of each thread so far (proc(5): /proc/PID/task/TID/schedstat)."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        found[int(task.name)] = int((task / "schedstat").read_text().split()[0]) / 1e9
    return found


def record(chosen: argparse.Namespace, server: Program, kind: str, out: Path) -> None:
    """Have py-spy look at the server for the seconds that were chosen."""
    looking = ["--native", "--threads", "--full-filenames", "--duration", str(chosen.seconds)]
    looking += ["--rate", str(chosen.rate)]
    words = ["--pid", str(server.process.pid), *looking, "--format", kind, "--output", str(out)]
    done = subprocess.run([SPY, "record", *words], check=False, capture_output=True, text=True)
    said = done.stderr.strip() or done.stdout.strip()
    if "Failed to find a python interpreter" in said:
        raise Failed(
            f"py-spy cannot look into this Python ({sys.version.partition(' (')[0]}); "
            f"name another one: PYTHON=python3.13 scripts/profile."
        )
    if done.returncode or not out.exists():
        raise Failed(f"py-spy: {said}")


def look(chosen: argparse.Namespace, server: Program, home: Path) -> tuple[list[Thread], float]:
    """Return the server's threads, the busiest first, and the seconds that they were looked at."""
    raw = home / "stacks"
    pid = server.process.pid
    before, began = thread_seconds(pid), time.perf_counter()
    record(chosen, server, "raw", raw)
    after, seconds = thread_seconds(pid), time.perf_counter() - began
    threads = read_stacks(raw.read_text())
    for number, thread in threads.items():
        thread.cpu = after.get(number, 0) - before.get(number, 0)
    if chosen.out:
        record(chosen, server, FORMATS[chosen.out.suffix], chosen.out)
    return sorted(threads.values(), key=lambda thread: -thread.cpu), seconds


def measure(chosen: argparse.Namespace, place: Place) -> str:
    """Start, load and look; return what to print."""
    with serving(place) as server, crowd(server, place) as clients:
        clients.do("enter", nicks=user_names(0, chosen.clients), channel="#bench")
        rounds = 2 if chosen.out else 1
        load: dict[str, Any] = {"channel": "#bench", "members": chosen.clients, "size": chosen.size}
        load |= {"senders": chosen.senders, "window": chosen.window, "seconds": rounds * (chosen.seconds + 1)}
        clients.order("talk", **load)
        threads, seconds = look(chosen, server, place.home)
        done = clients.answer()
    rate = done["deliveries"] / done["seconds"]
    each = done["cpu"] / done["deliveries"] * 1e6
    head = (
        f"{done['lines']:,} lines, {rate:,.0f} deliveries/s, {each:.3f} us of CPU for each while it was looked at"
    )
    return "\n".join([head, *(told(thread, threads, seconds, chosen.top) for thread in threads if thread.cpu)])


def told(thread: Thread, threads: list[Thread], seconds: float, top: int) -> str:
    """Return one thread as lines of text: its share, what it did, and its functions from the outermost on."""
    share = thread.cpu / sum(other.cpu for other in threads)
    if share < FEWEST or not thread.running:
        return f"\n{thread.name}: {share:.1%} of the CPU time"
    seen = thread.running + thread.waiting.total()
    doing = [f"running {thread.running / seen:.0%}"]
    doing += [f"waiting for {what} {count / seen:.0%}" for what, count in thread.waiting.most_common()]
    rows = [f"\n{thread.name}: {share:.0%} of the CPU time, {thread.cpu / seconds:.0%} of a core"]
    rows += [f"seen {seen} times: {', '.join(doing)}", "   self    all  line"]
    least = FEWEST * thread.running
    # Of other people's code only what does something itself: their wrappers say nothing.
    kept = {
        key: one
        for key, one in thread.functions.items()
        if one.own >= least or (one.total >= least and "  securechat/" in key)
    }
    by_own = sorted(kept, key=lambda key: -kept[key].own)[:top]
    by_all = sorted(kept, key=lambda key: -kept[key].total)[:top]
    for key in sorted({*by_own, *by_all}, key=lambda key: (-kept[key].total, kept[key].own, key)):
        one = kept[key]
        line = one.lines.most_common(1)[0][0] if one.lines else ""
        rows.append(f"{one.own / thread.running:7.1%}{one.total / thread.running:7.1%}  {line:>4}  {key}")
    return "\n".join(rows)


def arguments() -> argparse.Namespace:
    """Return what the command line asked for."""
    reading = (__doc__ or "").partition("\n\n")[2]
    parser = argparse.ArgumentParser(
        prog="scripts/profile",
        description="Where the server's time goes under load.",
        epilog=reading,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=int, default=8, help="to look at it (default: %(default)s)")
    parser.add_argument("--rate", type=int, default=100, help="looks a second (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=100, help="in one channel (default: %(default)s)")
    parser.add_argument("--senders", type=int, default=10, help="of these, 1 to 99 (default: %(default)s)")
    parser.add_argument(
        "--window", type=int, default=20, help="lines a sender has on their way (default: %(default)s)"
    )
    parser.add_argument("--size", type=int, default=100, help="bytes in a line (default: %(default)s)")
    parser.add_argument("--top", type=int, default=15, help="functions to show of a thread (default: %(default)s)")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="look again, and write a flame graph (.svg) or speedscope file (.json)",
    )
    chosen = parser.parse_args()
    if not (0 < chosen.senders < 100 and chosen.senders < chosen.clients):
        parser.error("--senders: 1 to 99, and at least one of the clients only listens")
    if min(chosen.seconds, chosen.rate, chosen.window, chosen.size, chosen.top) < 1:
        parser.error("--seconds, --rate, --window, --size and --top: at least 1")
    if chosen.out and chosen.out.suffix not in FORMATS:
        parser.error("--out: FILE ends in .svg or .json")
    return chosen


def main() -> int:
    """Measure, print, and return 0."""
    end_in_order()
    forget_settings()
    chosen = arguments()
    with tempfile.TemporaryDirectory(prefix="securechat-profile-") as folder:
        try:
            print(measure(chosen, prepare(Path(folder), chosen.clients)))
        except (Failed, OSError, subprocess.SubprocessError) as problem:
            print(f"scripts/profile: {problem}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
