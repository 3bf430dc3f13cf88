"""Ergo, where its program `ergo` is on the PATH (Debian's package of that name is another one)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from running import Failed, program

from benchmark.contenders import HUGE, Place, Running, accepting, free_port

SETTINGS = """\
network: {{name: bench}}
server:
    name: ergo.bench.test
    listeners:
        "127.0.0.1:{port}":
            tls: {{cert: "{certificate}", key: "{key}"}}
            min-tls-version: 1.3
    casemapping: ascii
    lookup-hostnames: false
    check-ident: false
    idle-timeouts: {{registration: 600s, ping: 100000s, disconnect: 200000s}}
    max-sendq: 1g
    ip-limits: {{count: false, throttle: false}}
    ip-cloaking: {{enabled: false}}
    suppress-lusers: true
accounts: {{authentication-enabled: false, registration: {{enabled: false}}}}
channels: {{default-modes: "+n", max-channels-per-client: {huge}}}
datastore: {{path: "{folder}/ergo.db", autoupgrade: true}}
lock-file: "{folder}/ergo.lock"
languages: {{enabled: false, default: en}}
limits:
    {{nicklen: 32, identlen: 20, realnamelen: 150, channellen: 64, awaylen: 390, kicklen: 390, topiclen: 390,
     monitor-entries: 100, whowas-entries: 100, chan-list-modes: 100, registration-messages: 1024}}
fakelag: {{enabled: false}}
history: {{enabled: false}}
logging: [{{method: stderr, type: "*", level: error}}]
"""


class Ergo:
    """Written in Go, on all cores, with goroutines for each client; keeps nothing as it is set up here."""

    name = "Ergo"
    keeps = False
    fast = False
    ordered = False  # what two say at once, two others may read in different orders
    capabilities = frozenset({"account-tag", "batch", "echo-message", "message-tags", "server-time"})

    def version(self) -> str:
        """Return "Ergo 2.19.1"; a program of that name that is something else is none."""
        path = shutil.which("ergo")
        if path is None:
            raise FileNotFoundError("ergo")
        command, quiet = [path, "--version"], subprocess.DEVNULL
        said = subprocess.run(command, check=False, capture_output=True, stdin=quiet, text=True)
        name, _, number = said.stdout.strip().partition("-")
        if name != "ergo" or not number:
            raise FileNotFoundError(path)
        return f"Ergo {number}"

    @contextmanager
    def serve(self, place: Place, clients: int) -> Iterator[Running]:
        """Make its store, then run it in the foreground."""
        del clients  # no limit
        port, settings = free_port(), place.folder / "ergo.yaml"
        files = {"certificate": place.certificate, "key": place.key, "folder": place.folder}
        settings.write_text(SETTINGS.format(port=port, huge=HUGE, **files))
        made = subprocess.run(
            ["ergo", "initdb", "--conf", str(settings), "--quiet"], check=False, capture_output=True, text=True
        )
        if made.returncode:
            raise Failed(f"ergo initdb: {made.stdout}{made.stderr}")
        command = ["ergo", "run", "--conf", str(settings)]
        with (
            program(self.name, command, place.folder / "ergo.log") as server,
            accepting(server, port, place) as it,
        ):
            yield it

    def kept(self, place: Place) -> int | None:
        """Return None: its history is off, as at the others."""
        del place
        return None
