"""A real irssi at a terminal, with a folder and settings of its own."""

from __future__ import annotations

import re
from pathlib import Path
from types import TracebackType
from typing import Self

from helpers.programs import until, write_private
from helpers.tmux import Terminal

SETTINGS = """\
servers = ({{
  address = "{host}";
  port = "{port}";
  chatnet = "securechat";
  autoconnect = "yes";
  use_tls = "yes";
  tls_verify = "yes";
  tls_cafile = "{authority}";
{device}{password}}});
chatnets = {{ securechat = {{
  type = "IRC";
  nick = "{nick}";
{sasl}}}; }};
settings = {{
  core = {{ real_name = "{nick}"; user_name = "{nick}"; nick = "{nick}"; }};
  "irc/core" = {{ cmds_max_at_once = "200"; cmd_queue_speed = "1msec"; }};
  "fe-text" = {{ paste_verify_line_count = "0"; paste_join_multiline = "no"; }};
}};
"""
""""irc/core" takes away irssi's own brake of two seconds for each line.

Without paste_join_multiline = "no", irssi 1.4 takes some Cyrillic letters for spaces: where it reads two lines at
once (it was slow, or they were pasted) it joins the second to the first and strips it of such letters.
"""


class Irssi:
    """One irssi that connects at once.

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
        sasl = (
            {"sasl_mechanism": "PLAIN", "sasl_username": account or nick, "sasl_password": password}
            if password
            else {}
        )
        if device is not None and not password:
            sasl = {"sasl_mechanism": "EXTERNAL", "sasl_username": account or nick}
        text = SETTINGS.format(
            host=host,
            port=port,
            authority=authority,
            nick=nick,
            sasl=_rows(sasl),
            device=_rows({"tls_cert": str(device)} if device else {}),
            password=_rows({"password": server_password} if server_password else {}),
        )
        write_private(folder / "config", text)
        self.terminal = Terminal("irssi", f"--home={folder}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminal.close()

    def say(self, text: str) -> None:
        """Type a line or a /command into the window that is in front."""
        self.terminal.type(text)

    def expect(self, pattern: str) -> re.Match[str]:
        """Wait until `pattern` is in the window that is in front."""
        return self.terminal.expect(pattern)

    def window(self, name: str) -> None:
        """Bring the window of a channel or person to the front, as soon as there is one."""

        def front() -> bool:
            self.say(f"/window goto {name}")
            return re.search(rf"^\[{re.escape(name)}\]", self.terminal.screen(), re.MULTILINE) is not None

        until(front, f"the window of {name}")

    def lobby(self) -> Self:
        """Wait for the login and the lobby, and bring the lobby to the front."""
        self.expect("Welcome to ")
        self.window("#lobby")
        self.expect("Irssi: #lobby: Total of")
        return self

    def screens(self, windows: int) -> str:
        """The screens of that many windows from the first (the status window), one after the other."""
        shown = []
        for number in range(1, windows + 1):
            self.say(f"/window goto {number}")
            self.expect(rf"^ \[[\d:]+\] \[.*\] \[{number}:")
            shown.append(self.terminal.screen())
        return "\n".join(shown)

    def traffic(self) -> list[str]:
        """Every line since the connection was made: ">> " from the server, "<< " from irssi."""
        file = self._folder / "rawlog"
        file.unlink(missing_ok=True)
        self.say(f"/rawlog save {file}")
        self.say("/echo traffic saved")
        self.expect("traffic saved$")
        return file.read_text(encoding="utf-8").splitlines()


def _rows(values: dict[str, str]) -> str:
    return "".join(f'  {name} = "{value}";\n' for name, value in values.items())
