"""A terminal that nobody looks at: one program in a tmux server of its own, read as a screen."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from helpers.programs import until, until_seen

WIDTH, HEIGHT = 200, 150
"""Large, so that nothing is wrapped and nothing leaves the screen during a test."""


class Terminal:
    """Runs `command` until `close`. Its socket has a folder of its own, so other tmux servers are left alone."""

    def __init__(self, *command: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tmux-")  # short: sockets' names are limited
        self._settings = Path(self._folder.name) / "tmux.conf"
        # A program that ends leaves its last screen for the failure message.
        self._settings.write_text("set -g remain-on-exit on\nset -g default-terminal screen\n")
        size = ("-x", str(WIDTH), "-y", str(HEIGHT))
        self._pid = 0
        try:
            self._tmux("new-session", "-d", *size, *command)
            self._pid = int(self._tmux("display-message", "-p", "#{pane_pid}"))
        except BaseException:
            self.close()
            raise

    def type(self, text: str) -> None:
        """Type one line and press Enter."""
        # tmux takes a last ";" for its own.
        self._tmux("send-keys", "-l", "--", f"{text[:-1]}\\;" if text.endswith(";") else text)
        self._tmux("send-keys", "Enter")

    def screen(self) -> str:
        """What is on the screen now, without empty lines."""
        lines = self._tmux("capture-pane", "-p").splitlines()
        return "\n".join(line.rstrip() for line in lines if line.strip())

    def expect(self, pattern: str) -> re.Match[str]:
        """Wait until `pattern` is on the screen."""
        return until_seen(self.screen, pattern)

    def close(self) -> None:
        """End the program and its tmux server."""
        subprocess.run([*self._command(), "kill-server"], check=False, capture_output=True)
        if self._pid:
            try:
                until(lambda: not _alive(self._pid), "the program in tmux ends")
            except AssertionError:
                os.kill(self._pid, signal.SIGKILL)
                raise
        self._folder.cleanup()

    def _command(self) -> list[str]:
        return ["tmux", "-u", "-S", f"{self._folder.name}/socket", "-f", str(self._settings)]

    def _tmux(self, *arguments: str) -> str:
        environment = os.environ | {"LC_ALL": "C.UTF-8"}
        environment.pop("TMUX", None)
        done = subprocess.run(
            [*self._command(), *arguments], check=False, capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, f"tmux {arguments[0]}: {done.stderr}"
        return done.stdout


def _alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the second: it went while this was read
        return False
    # One that ended but that nobody waited for yet runs no more.
    return "\nState:\tZ" not in status
