"""The bot in the README, as it stands there, in a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from helpers.commands import environment
from helpers.homes import PASSWORDS

ROOT = Path(__file__).parents[2]


def test_the_bot_answers(server, home, dial):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert code.count("\n") <= 15
    bot = subprocess.Popen(
        [sys.executable, "-c", code, "localhost", str(server.port), str(home.certs / "ca.pem")],
        stdout=subprocess.PIPE,
        env=environment(SECURECHAT_PASSWORD=PASSWORDS["bob"]),
    )
    try:
        assert bot.stdout.readline() == b"ready\n"
        alice = dial(server, "alice")
        alice.send("PRIVMSG #lobby :!ping")
        alice.expect(r":bob!\S+ PRIVMSG #lobby :pong")
    finally:
        bot.send_signal(signal.SIGTERM)
        bot.communicate()
