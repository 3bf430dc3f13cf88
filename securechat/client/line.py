"""The line client: on a terminal with a prompt, in a pipe without."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable

from securechat.client.connection import Connection
from securechat.client.pipe import PipeClient
from securechat.client.settings import ClientLimits, Endpoint
from securechat.protocol.sasl import Credentials


def talk(
    endpoint: Endpoint,
    context: ssl.SSLContext,
    secret: Credentials,
    *,
    leftover: bytes = b"",
    limits: ClientLimits | None = None,
    plain: bool = False,
) -> None:
    """Hold a conversation over standard input and output, until somebody quits or standard input ends.

    On a terminal that can it takes the full screen, unless it is to be `plain`. `leftover` is what was read of
    standard input already. Raises ClientError where the conversation ended otherwise. Must run in the main
    thread: it takes SIGINT, SIGTERM and SIGHUP.
    """

    def connect(notify: Callable[[], None]) -> Connection:
        return Connection(endpoint, context, secret, limits=limits, notify=notify)

    if is_terminal() and not plain:
        from securechat.client.screen.run import light_terminal, run  # noqa: PLC0415  # slow to import

        run(endpoint, context, secret, limits=limits, light=light_terminal())
    elif is_terminal():
        from securechat.client.terminal import TerminalClient  # noqa: PLC0415  # slow to import, not for pipes

        TerminalClient(connect).run()
    else:
        PipeClient(connect, leftover).run()


def is_terminal() -> bool:
    """Whether there is somebody who types, and a screen that can be redrawn."""
    if sys.stdin is None or sys.stdout is None:
        return False
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
