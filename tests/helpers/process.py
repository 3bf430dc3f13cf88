"""`securechat serve` in a process of its own: what can only happen to a whole process is done to it here."""

from __future__ import annotations

import re
import resource
import signal
import subprocess
from pathlib import Path
from threading import Thread

from helpers.commands import COMMAND, environment
from helpers.wire import Wire

SECONDS = 30


class Serving:
    """A running server; `log` grows as it writes to standard error."""

    def __init__(self, home: Path, *arguments: str, code: str = "") -> None:
        """Start it in `home`; `code` is Python that is run in it first (a fault put into it)."""
        quick = ("--limit", "linger_seconds=0.3")  # clients of tests do not always read to the end
        command = [*COMMAND, "serve", "--home", str(home), "--port", "0", *quick, *arguments]
        if code:
            run = f"import sys\nfrom securechat import cli\n{code}\nsys.argv = sys.argv[1:]\ncli.main()"
            command = [COMMAND[0], "-c", run, *command[2:]]
        self._home = home
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), encoding="utf-8"
        )
        self.log: list[str] = []
        self._reader = Thread(target=lambda: self.log.extend(self.process.stderr))
        self._reader.start()
        self.announced = self.process.stdout.readline()
        found = re.search(r"listening on \S+:(\d+)", self.announced)
        if not found:
            self.finish()
            raise AssertionError(f"the server did not start:\n{self.said()}")
        self.port = int(found[1])

    def dial(self) -> Wire:
        return Wire(self.port, self._home / "certs" / "ca.pem")

    def limit_files(self, size: int | None) -> None:
        """Let no file grow beyond `size` bytes, as on a full disk; None lifts that."""
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def finish(self) -> int:
        """Wait for its end and return its exit code."""
        try:
            code = self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self._close()
            raise AssertionError(f"the server did not end; its log:\n{self.said()}") from None
        self._close()
        return code

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.finish()

    def said(self) -> str:
        return "".join(self.log)

    def _close(self) -> None:
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
