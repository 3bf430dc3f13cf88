"""InspIRCd 3, as Debian packages it (package inspircd); its TLS there is GnuTLS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from running import program

from benchmark.contenders import HUGE, Place, Running, accepting, free_port

PROGRAM = "/usr/sbin/inspircd"
SETTINGS = """\
<module name="ssl_gnutls">
<sslprofile name="tls" provider="gnutls" certfile="{certificate}" keyfile="{key}"
            priority="SECURE192:+SECURE128:-VERS-ALL:+VERS-TLS1.3" requestclientcert="no">
<server name="inspircd.bench.test" description="bench" network="bench">
<admin name="bench" nick="bench" email="bench@bench.test">
<bind address="127.0.0.1" port="{port}" type="clients" sslprofile="tls">
<connect name="all" allow="*" timeout="600" pingfreq="100000" localmax="{huge}" globalmax="{huge}" limit="{huge}"
         maxchans="100000" maxconnwarn="no" resolvehostnames="no" useident="no" fakelag="no" threshold="{huge}"
         commandrate="{huge}" recvq="10485760" softsendq="536870912" hardsendq="1073741824" uniqueusername="no">
<performance softlimit="{huge}" somaxconn="1024" netbuffersize="65534" clonesonconnect="no" nouserdns="yes"
             quietbursts="yes">
<dns server="127.0.0.1" timeout="1">
<options allowhalfop="yes">
<limits maxnick="32" maxchan="64">
<path configdir="{folder}" datadir="{folder}" logdir="{folder}" runtimedir="{folder}">
<files motd="">
<log method="stdout" type="*" level="default">
"""


class InspIRCd:
    """Written in C++, one process, one thread; keeps nothing."""

    name = "InspIRCd"
    keeps = False
    fast = True
    ordered = True
    capabilities: frozenset[str] = frozenset()
    modules: tuple[str, ...] = ()
    """Besides that for TLS: without the others a line costs it less."""

    def version(self) -> str:
        """Return "InspIRCd 3.15.0"."""
        said = subprocess.run([PROGRAM, "--version"], check=False, capture_output=True, text=True)
        return said.stdout.strip().removesuffix("-debian").replace("-", " ")

    @contextmanager
    def serve(self, place: Place, clients: int) -> Iterator[Running]:
        """Run it in the foreground."""
        del clients  # no limit
        port, settings = free_port(), place.folder / "inspircd.conf"
        files = {"certificate": place.certificate, "key": place.key, "folder": place.folder}
        modules = "".join(f'<module name="{name}">\n' for name in self.modules)
        settings.write_text(modules + SETTINGS.format(port=port, huge=HUGE, **files))
        command = [PROGRAM, "--nofork", "--nopid", "--config", str(settings)]
        if os.getuid() == 0:
            command.append("--runasroot")
        log = place.folder / "inspircd.log"
        with program(self.name, command, log) as server, accepting(server, port, place) as it:
            yield it

    def kept(self, place: Place) -> int | None:
        """Return None: it has no log."""
        del place
        return None


class InspIRCdWithTags(InspIRCd):
    """The same with what it has of IRCv3 that changes how a line is written."""

    capabilities = frozenset({"account-tag", "batch", "echo-message", "message-tags", "server-time"})
    modules = (
        "cap",
        "ircv3_accounttag",
        "ircv3_batch",
        "ircv3_ctctags",
        "ircv3_echomessage",
        "ircv3_msgid",
        "ircv3_servertime",
    )
