"""ngIRCd, as Debian packages it (package ngircd); its TLS there is GnuTLS."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser

from running import program

from benchmark.contenders import Place, Running, accepting, free_port

PROGRAM = "/usr/sbin/ngircd"
SETTINGS = """\
[Global]
Name = ngircd.bench.test
Info = bench
Ports =
Listen = 127.0.0.1
MotdPhrase = none
ServerUID = {user}
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 32
MaxPenaltyTime = 0
PingTimeout = 100000
PongTimeout = 100000
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = {certificate}
KeyFile = {key}
Ports = {port}
"""


class NgIRCd:
    """Written in C, one process, one thread; keeps nothing."""

    name = "ngIRCd"
    keeps = False
    fast = True
    ordered = True
    capabilities: frozenset[str] = frozenset()

    def version(self) -> str:
        """Return "ngIRCd 26.1"."""
        said = subprocess.run([PROGRAM, "--version"], check=False, capture_output=True, text=True)
        return said.stdout.partition("-")[0]

    @contextmanager
    def serve(self, place: Place, clients: int) -> Iterator[Running]:
        """Run it in the foreground."""
        del clients  # no limit
        port, settings = free_port(), place.folder / "ngircd.conf"
        text = SETTINGS.format(user=getuser(), certificate=place.certificate, key=place.key, port=port)
        settings.write_text(text)
        command = [PROGRAM, "--nodaemon", "--config", str(settings)]
        with (
            program(self.name, command, place.folder / "ngircd.log") as server,
            accepting(server, port, place) as it,
        ):
            yield it

    def kept(self, place: Place) -> int | None:
        """Return None: it has no log."""
        del place
        return None
