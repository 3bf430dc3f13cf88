"""The line client: on a terminal with a prompt, in a pipe without."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable
from functools import partial

from securechat.client import keepsake
from securechat.client.connection import Connection
from securechat.client.devices import Device
from securechat.client.events import Event, LoggedIn
from securechat.client.multiline import CAPABILITY as MULTILINE
from securechat.client.pipe import PipeClient
from securechat.client.resume import NEEDED
from securechat.client.settings import ClientLimits, Endpoint
from securechat.protocol.sasl import Credentials


class _Announcing(Connection):
    """A connection that calls `entered`, in the thread that takes the events, at its first login."""

    entered: Callable[[], None] | None = None

    def next_event(self, timeout: float | None = None) -> Event | None:
        """Take the next event (see Connection)."""
        event = super().next_event(timeout)
        if isinstance(event, LoggedIn) and self.entered is not None:
            entered, self.entered = self.entered, None
            entered()
        return event


def talk(
    endpoint: Endpoint,
    context: ssl.SSLContext,
    secret: Credentials,
    *,
    leftover: bytes = b"",
    limits: ClientLimits | None = None,
    plain: bool = False,
    entered: Callable[[], None] | None = None,
    device: Device | None = None,
) -> None:
    """Hold a conversation over standard input and output, until somebody quits or standard input ends.

    On a terminal that can it takes the full screen, unless it is to be `plain`. `leftover` is what was read of
    standard input already; `entered` is called once when we are in. Raises ClientError where the conversation
    ended otherwise. Must run in the main thread: it takes SIGINT, SIGTERM and SIGHUP.
    """

    def connect(notify: Callable[[], None], more: frozenset[str] = NEEDED) -> Connection:
        connection = _Announcing(endpoint, context, secret, limits=limits, notify=notify, more=more, device=device)
        connection.entered = entered
        return connection

    if is_terminal() and not plain:
        from securechat.client.screen.run import light_terminal, run  # noqa: PLC0415  # slow to import

        run(endpoint, context, secret, limits=limits, light=light_terminal(), entered=entered, device=device)
    elif is_terminal():
        from securechat.client.terminal import TerminalClient  # noqa: PLC0415  # slow to import, not for pipes

        place = keepsake.place(secret.name, endpoint)
        TerminalClient(partial(connect, more=NEEDED | {MULTILINE}), secret.name.partition("@")[0], place).run()
    else:
        PipeClient(connect, leftover).run()


def is_terminal() -> bool:
    """Whether there is somebody who types, and a screen that can be redrawn."""
    if sys.stdin is None or sys.stdout is None:
        return False
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
