"""Running the `securechat` command as its users do: in its own process, with or without a terminal."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import pexpect

from securechat.cli import run

COMMAND = [sys.executable, "-m", "securechat"]
SECONDS = 30


def environment(**variables):
    """Return this process's environment without settings of securechat, and with `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SECURECHAT_")}
    return kept | {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"} | variables


def securechat(*arguments, text="", cwd=None, **variables):
    """Run one command to its end; `text` (str or bytes) is its standard input."""
    said = text if isinstance(text, bytes) else text.encode()
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=said,
        capture_output=True,
        timeout=SECONDS,
        check=False,
        cwd=cwd,
        env=environment(**variables),
    )
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def in_process(*arguments, text="", cwd=".", **variables):
    """Run one command line inside this process: the same result as from `securechat`, a hundred times as quick."""
    said = text if isinstance(text, bytes) else text.encode()
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment(**variables), clear=True),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(said))),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = run([os.fsdecode(argument) for argument in arguments])
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def refused(*arguments, code=1, start=in_process, **how):
    """Run a command that must fail with one sentence on standard error, and return that sentence."""
    done = start(*arguments, **how)
    said = f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == code, said
    assert done.stdout == "", said
    assert done.stderr.startswith("securechat: "), said
    assert done.stderr.count("\n") == 1, said
    assert done.stderr.endswith(".\n"), said
    return done.stderr.removeprefix("securechat: ").rstrip("\n")


def at_terminal(*arguments, cwd=None, dimensions=None, **variables):
    """Start a command at a terminal of its own; `dimensions` are its lines and columns."""
    return pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], *map(str, arguments)],
        timeout=SECONDS,
        encoding="utf-8",
        cwd=cwd,
        dimensions=dimensions,
        env=environment(**variables),
        preexec_fn=heed_interrupts,
    )


def heed_interrupts():
    """Undo what the tests inherit where a shell or a job runner started them in the background: no Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupt(terminal):
    """Press Ctrl-C once a command waits for input: one just before a read is not seen until after it."""
    state = Path(f"/proc/{terminal.pid}/stat")
    while state.exists() and state.read_text().rpartition(") ")[2][0] in "RD":
        time.sleep(0.001)
    terminal.sendintr()


def finish(terminal):
    """Wait for the end of a command at a terminal; return its exit code and what it said last."""
    terminal.expect(pexpect.EOF)
    said = terminal.before
    terminal.close()
    return terminal.exitstatus, said
