"""A real weechat-headless: written to through its FIFO, read in the logs of what it would show."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from helpers.programs import until, until_seen, write_private

CORE = """\
[startup]
display_logo = off
[network]
gnutls_ca_system = off
gnutls_ca_user = "{authority}"
"""
LOGGER = """\
[file]
flush_delay = 0
"""
IRC = """\
[server_default]
anti_flood_prio_high = 0
anti_flood_prio_low = 0
[server]
securechat.addresses = "{host}/{port}"
securechat.ssl = on
securechat.autoconnect = on
securechat.nicks = "{nick}"
securechat.username = "{nick}"
securechat.realname = "{nick}"
securechat.password = "{server_password}"
securechat.sasl_mechanism = {mechanism}
securechat.ssl_cert = "{device}"
securechat.sasl_username = "{sasl_username}"
securechat.sasl_password = "{sasl_password}"
"""
"""As WeeChat 3 wrote it; WeeChat 4 reads that too. server_default takes away WeeChat's own brake."""

SERVER = "irc.server.securechat"


class WeeChat:
    """One WeeChat that connects at once.

    `password` logs in by SASL PLAIN (to `account` where that is not the nick), `device` by a certificate with its
    key, where there is no password; `server_password` is sent as PASS.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        authority: Path,
        nick: str,
        *,
        account: str = "",
        password: str = "",
        server_password: str = "",
        device: Path | None = None,
        host: str = "localhost",
    ) -> None:
        folder.mkdir(mode=0o700)
        self._folder = folder
        external = device is not None and not password
        sasl_username = (account or nick) if password or external else ""
        irc = IRC.format(
            host=host,
            port=port,
            nick=nick,
            server_password=server_password,
            mechanism="external" if external else "plain",
            device=device or "",
            sasl_username=sasl_username,
            sasl_password=password,
        )
        for name, text in (("weechat", CORE.format(authority=authority)), ("logger", LOGGER), ("irc", irc)):
            write_private(folder / f"{name}.conf", text)
        with (folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                ["weechat-headless", "--dir", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"LC_ALL": "C.UTF-8"},
            )
        self._pipe = folder / f"weechat_fifo_{self._process.pid}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def say(self, text: str, buffer: str = SERVER) -> None:
        """Type a line or a /command into a buffer: "#lobby", a person's name, or the server's."""
        until(self._pipe.exists, f"WeeChat opens its FIFO (package weechat-plugins); {self.log('core.weechat')}")
        # Not to wait for a reader: one that died has left its FIFO behind.
        with os.fdopen(os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK), "w", encoding="utf-8") as pipe:
            pipe.write(f"{_full(buffer)} *{text}\n")

    def log(self, buffer: str = SERVER) -> str:
        """What a buffer has shown so far: lines of time, prefix and text with tabs between."""
        name = _full(buffer)
        for file in (self._folder / "logs").glob("*.weechatlog"):
            if file.name.lower() == f"{name.lower()}.weechatlog":
                return file.read_text(encoding="utf-8", errors="replace")
        return ""

    def expect(self, pattern: str, buffer: str = SERVER) -> re.Match[str]:
        """Wait until a buffer has shown `pattern`."""
        return until_seen(lambda: self.log(buffer), pattern)

    def lobby(self) -> Self:
        """Wait for the login and the names list of the lobby."""
        self.expect(r"Channel #lobby: \d+ nick", "#lobby")
        return self


def _full(buffer: str) -> str:
    return buffer if "." in buffer else f"irc.securechat.{buffer}"
