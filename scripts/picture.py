"""Draw docs/session.svg from a real session. To make it anew: `.venv/bin/python scripts/picture.py` (needs tmux).

A server in a temporary home, two clients side by side in a tmux of their own, a conversation typed key by key;
what stands on their screens at its end becomes the picture.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from running import READY, SECURECHAT, Failed, end_in_order, forget_settings, program

PICTURE = Path(__file__).parents[1] / "docs" / "session.svg"
COLUMNS, ROWS = 60, 16
LEFT, RIGHT = 0, 1
PEOPLE = ("anna", "boris")
SECONDS = 20

CELL, LINE, FONT = 7.8, 19, 13  # a column, a row and the letters, in pixels
MARGIN, BAR = 14, 30
BACK, TEXT, FAINT, EDGE, CURSOR = "#161b22", "#e6edf3", "#8b949e", "#3d444d", "#58a6ff"
COLOURS = {31: "#ff7b72", 35: "#d2a8ff", 36: "#56d4dd"}
BOLD = ' class="bold"'
SGR = re.compile(r"\x1b\[([\d;]*)m")
PANE = COLUMNS * CELL + 2 * MARGIN
WIDE, HIGH = 2 * PANE, BAR + ROWS * LINE + 2 * MARGIN
FONTS = 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace'
HEAD = f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE:g} {HIGH}" width="{WIDE:g}" height="{HIGH}" role="img">
<title>Two people in a terminal; one is typing while a line arrives</title>
<style>text {{ font-family: {FONTS}; font-size: {FONT}px }} .bold {{ font-weight: bold }}</style>
<rect x="0.5" y="0.5" width="{WIDE - 1:g}" height="{HIGH - 1}" rx="9" fill="{BACK}" stroke="{EDGE}"/>
<path d="M1 {BAR}H{WIDE - 1:g}M{PANE:g} {BAR}V{HIGH - 1}" stroke="{EDGE}"/>"""


Screen = tuple[list[str], list[int]]
"""The rows of a pane with their colours, and the column and row of its cursor."""


class Run(NamedTuple):
    """Neighbouring characters of one look, from `column` on."""

    row: int
    column: int
    text: str
    fill: str
    bold: bool


class Tmux:
    """Two panes of COLUMNS by ROWS, each with a shell, in a tmux server of their own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._command = ["tmux", "-u", "-L", f"picture-{os.getpid()}", "-f", "/dev/null"]
        self._environment = os.environ | environment
        self._environment.pop("TMUX", None)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Have the panes for the length of a with block; everything in them ends with it."""
        # One column between the panes, one row for the status line that is switched off.
        size = ("-x", str(2 * COLUMNS + 1), "-y", str(ROWS))
        try:
            self("new-session", "-d", *size, "sh", ";", "set", "status", "off", ";", "split-window", "-h", "sh")
            self("resize-window", *size)
            yield
        finally:
            with suppress(Failed):  # it never started
                self("kill-server")

    def __call__(self, *words: str) -> str:
        """Run one command of tmux's, and return what it said."""
        command = [*self._command, *words]
        done = subprocess.run(command, check=False, env=self._environment, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"tmux {words[0]}: {done.stderr.strip()}")
        return done.stdout

    def say(self, pane: int, line: str, seen: str, *panes: int) -> None:
        """Type a line, and wait until what it leads to is on the screens: both, unless told otherwise."""
        self("send-keys", "-t", f":.{pane}", "-l", "--", f"{line}\r")
        self.expect(seen, *(panes or (LEFT, RIGHT)))

    def screen(self, pane: int) -> list[str]:
        """Return the rows of a pane, with their colours."""
        return self("capture-pane", "-e", "-p", "-t", f":.{pane}").split("\n")[:ROWS]

    def expect(self, pattern: str, *panes: int) -> None:
        """Wait until `pattern` is on these screens."""
        deadline = time.monotonic() + SECONDS
        for pane in panes:
            while not re.search(pattern, screen := SGR.sub("", "\n".join(self.screen(pane))), re.MULTILINE):
                if time.monotonic() > deadline:
                    raise Failed(f"{pattern!r} is not on the screen of {PEOPLE[pane]}:\n{screen}")
                time.sleep(0.02)


def converse(tmux: Tmux, passwords: list[str]) -> None:
    """Start both clients as people do, and hold the conversation."""
    for pane in (LEFT, RIGHT):
        tmux.expect(r"^\$", pane)
        tmux.say(pane, f"securechat connect --plain --user {PEOPLE[pane]}", r"^Password for \w+: *$", pane)
        tmux.say(pane, passwords[pane], "^#lobby>", pane)
    tmux.say(LEFT, "Good morning, Boris!", "<anna> Good morning")
    tmux.say(RIGHT, "Привет, Анна! Кофе готов.", "<boris> Привет")
    tmux.say(LEFT, "/me brings the cups", r"\* anna brings")
    tmux.say(LEFT, "/join #garden", "#garden: 1 person", LEFT)
    tmux.say(LEFT, "/topic Breakfast at nine", "you set the topic", LEFT)
    tmux.say(RIGHT, "/join #garden", "#garden: 2 people", RIGHT)
    tmux.expect("boris joined #garden", LEFT)
    # Half a line stays where it is while another one arrives.
    half = "Yes, under the apple t"
    tmux("send-keys", "-t", f":.{RIGHT}", "-l", "--", half)
    tmux.say(LEFT, "Shall we sit outside?", "#garden <anna> Shall we")
    tmux.expect(f"^#garden> {half}", RIGHT)


def session(home: Path) -> list[Screen]:
    """Return both screens at the end of a conversation, each with its cursor."""
    passwords = [secrets.token_urlsafe(12) for _ in PEOPLE]
    commands = [("init-certs",), *(("adduser", name, "--password-stdin") for name in PEOPLE)]
    for words, typed in zip(commands, ["", *passwords], strict=True):
        command = [SECURECHAT, "--home", str(home), *words]
        subprocess.run(command, input=f"{typed}\n", text=True, check=True, stdout=subprocess.DEVNULL)
    command = [SECURECHAT, "--home", str(home), "serve", "--port", "0"]
    with program("The server", command, home / "server.log") as server:
        path = f"{Path(SECURECHAT).parent}:{os.environ['PATH']}"
        settings = {"SECURECHAT_HOME": str(home), "SECURECHAT_CONNECT_PORT": server.wait_for(READY)[1]}
        (home / "profile").write_text("PS1='$ '\n")
        settings |= {"PATH": path, "ENV": str(home / "profile"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        tmux = Tmux(settings | {"TMUX_TMPDIR": str(home)})
        with tmux.running():
            converse(tmux, passwords)
            cursor = ("display-message", "-p", "-F", "#{cursor_x} #{cursor_y}", "-t")
            return [(tmux.screen(at), [*map(int, tmux(*cursor, f":.{at}").split())]) for at in (LEFT, RIGHT)]


def runs(rows: list[str]) -> Iterator[Run]:
    """Cut a screen where its look changes (SGR: ECMA-48, 8.3.117); a look goes on in the next row."""
    row, column, fill, bold = 0, 0, TEXT, False
    for index, part in enumerate(SGR.split("\n".join(rows))):
        if index % 2 == 0:
            for number, text in enumerate(part.split("\n")):
                row, column = (row + 1, 0) if number else (row, column)
                if text.strip():
                    yield Run(row, column, text, fill, bold)
                column += len(text)
            continue
        for code in map(int, part.split(";") if part else ["0"]):
            if code in (0, 39):
                fill = TEXT
            bold = code == 1 or (bold and code not in (0, 22))
            fill = FAINT if code == 2 else COLOURS.get(code, fill)


def drawing(screens: list[Screen]) -> Iterator[str]:
    """Give the picture, line by line."""
    yield HEAD
    for number, (rows, (x, y)) in enumerate(screens):
        left, top = number * PANE + MARGIN, BAR + MARGIN
        middle = left + COLUMNS * CELL / 2
        yield f'<text x="{middle:g}" y="20" text-anchor="middle" fill="{FAINT}">{PEOPLE[number]}</text>'
        where = f'x="{left + x * CELL:g}" y="{top + y * LINE:g}"'
        yield f'<rect {where} width="{CELL}" height="{LINE - 2}" fill="{CURSOR}"/>'
        for run in runs(rows):
            where = f'x="{left + run.column * CELL:g}" y="{top + run.row * LINE + FONT}"'
            # The length is given so that columns meet whatever font the reader has.
            look = f'textLength="{len(run.text) * CELL:g}" fill="{run.fill}"{BOLD if run.bold else ""}'
            yield f'<text {where} {look} xml:space="preserve">{escape(run.text)}</text>'
    yield "</svg>"


def main() -> int:
    """Return 0 once the picture is there."""
    end_in_order()
    forget_settings()
    with tempfile.TemporaryDirectory(prefix="securechat-picture-") as folder:
        try:
            screens = session(Path(folder))
        except (Failed, OSError, subprocess.SubprocessError) as problem:
            print(f"scripts/picture.py: {problem}", file=sys.stderr)
            return 1
    PICTURE.write_text("\n".join(drawing(screens)) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
