"""Programs that the scripts start: wait for what they say, and end them whatever happens."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

READY_SECONDS = 30
STOP_SECONDS = 10
READY = r"^.*listening on \S+:(\d+).*$"
"""The line with which a server says that it accepts connections, and on which port."""
SECURECHAT = str(Path(sys.executable).with_name("securechat"))
"""The command beside the Python that runs this: the same environment."""


class Failed(Exception):  # noqa: N818  # an outcome, told in one sentence to whoever started the script
    """Something is not as it should be."""


class Program:
    """A process of ours whose output goes to a file, which anybody may read while it runs."""

    def __init__(self, name: str, command: Sequence[str], output: Path, *, typed: bool = False) -> None:
        """Start it. `output` is appended to (mode 0600); `typed` gives it a pipe to write lines into."""
        self.name = name
        self.output = output
        stdin = subprocess.PIPE if typed else subprocess.DEVNULL
        with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            self._start = file.tell()
            # A session of its own: Ctrl-C in this terminal reaches us, and we end it in order.
            self.process = subprocess.Popen(command, stdin=stdin, stdout=file, stderr=file, start_new_session=True)

    def said(self) -> str:
        """Return what it has written since it started."""
        with self.output.open("rb") as file:
            file.seek(self._start)
            return file.read().decode(errors="replace")

    def wait_for(self, pattern: str, seconds: float = READY_SECONDS) -> re.Match[str]:
        """Return the first match of `pattern` in what it says; raise Failed if it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while True:
            ended = self.process.poll() is not None  # before the last look, or its last words could be missed
            if found := re.search(pattern, self.said(), re.MULTILINE):
                return found
            if ended:
                code = self.process.returncode
                raise Failed(f"{self.name} ended with exit code {code}. It said:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise Failed(f"{self.name} did not say {pattern!r} within {seconds:g} s. It said:\n{self.tail()}")
            time.sleep(0.02)

    def tail(self) -> str:
        """Return its last lines, indented, for a message."""
        return "\n".join(f"    {line}" for line in self.said().splitlines()[-15:]) or "    (nothing)"

    def type(self, line: str) -> None:
        """Write a line into its standard input."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{line}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"{self.name} does not read any more. It said:\n{self.tail()}") from None

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Return its exit code once it has ended by itself; raise Failed if it does not."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} did not end within {seconds:g} s. It said:\n{self.tail()}") from None

    def stop(self) -> int:
        """SIGTERM, and SIGKILL where that does not help; return its exit code."""
        self.process.terminate()  # does nothing where it has ended
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
        finally:
            if self.process.stdin is not None:
                with suppress(BrokenPipeError):
                    self.process.stdin.close()
        return self.process.wait()


@contextmanager
def program(name: str, command: Sequence[str], output: Path, *, typed: bool = False) -> Iterator[Program]:
    """Run a program for the length of a with block."""
    running = Program(name, command, output, typed=typed)
    try:
        yield running
    finally:
        running.stop()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a whole process so far, in nanosecond steps; /proc counts in hundredths of a second.

    Linux only: the number of another process's clock, as clock_getcpuclockid(3) makes it, which Python lacks.
    """
    return time.clock_gettime((~pid << 3) | 2)


def forget_settings() -> None:
    """Drop what the environment says to securechat (SECURECHAT_SERVE_PORT, ...): a test run has its own home."""
    for name in [name for name in os.environ if name.startswith("SECURECHAT_")]:
        del os.environ[name]


def end_in_order() -> None:
    """Let the signals that end us leave by way of every `finally`, so that nothing we started is left behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
