"""`serve`."""

from __future__ import annotations

import gc
import logging
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import securechat
from securechat import config
from securechat.cli import CommandError
from securechat.cli.options import HERE, HomeOption, option

if TYPE_CHECKING:
    from securechat.server.app import Server


class LogLevel(StrEnum):
    """How much the log says."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Host = Annotated[str, option(metavar="ADDRESS", help="Address to listen on; 0.0.0.0 or :: for all.")]
Port = Annotated[int, option(metavar="N", min=0, max=65535, help="Port to listen on; 0 takes a free one.")]
Name = Annotated[str, option(metavar="NAME", help="What the server calls itself in its replies.")]
Lobby = Annotated[str, option(metavar="CHANNEL", help="The channel that everybody is joined to.")]
NoLobby = Annotated[bool, option("--no-lobby", help="Join nobody anywhere.")]
Workers = Annotated[
    int, option(metavar="N", min=1, max=config.MOST_WORKERS, help="Threads that serve connections.")
]
Tls12 = Annotated[bool, option("--tls12", help="Accept TLS 1.2 beside TLS 1.3.")]
Limit = Annotated[
    list[str] | None,
    option(metavar="NAME=VALUE", help="Change a limit; may be repeated. A wrong name lists them all."),
]
Keep = Annotated[
    int | None,
    option(
        metavar="DAYS",
        min=1,
        max=config.MOST_DAYS,
        show_default=False,
        help="Let go of what was said longer ago (default: keep it for ever).",
    ),
]
Certificate = Annotated[
    Path | None,
    option("--cert", metavar="FILE", show_default=False, help="A certificate with its chain from a public CA."),
]
Key = Annotated[Path | None, option("--key", metavar="FILE", show_default=False, help="Its private key.")]
Level = Annotated[LogLevel, option("--log-level", help="How much the log says.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("serve")(serve)


def serve(
    host: Host = config.DEFAULT_HOST,
    port: Port = config.DEFAULT_PORT,
    name: Name = config.DEFAULT_SERVER_NAME,
    lobby: Lobby = config.DEFAULT_LOBBY,
    no_lobby: NoLobby = False,
    workers: Workers = config.DEFAULT_WORKERS,
    tls12: Tls12 = False,
    keep: Keep = None,
    cert: Certificate = None,
    key: Key = None,
    limit: Limit = None,
    log_level: Level = LogLevel.INFO,
    home: HomeOption = HERE,
) -> None:
    """Run the server until Ctrl-C or SIGTERM; SIGHUP reads certificates and users again.

    It renews its own certificate when a third of its life is left. With --cert and --key it shows that one
    instead, and clients verify it by their system's authorities.
    """
    if (cert is None) != (key is None):
        raise config.ConfigError("--cert and --key go together: name both files, or neither.")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,31}", name):
        raise config.ConfigError(f"--name {name!r}: want at most 32 letters, digits, dots and hyphens.")
    settings = config.ServerConfig(
        home=config.Home(home),
        host=host,
        port=port,
        name=name,
        lobby=None if no_lobby else lobby,
        workers=workers,
        tls12=tls12,
        keep_days=keep,
        certificate=cert,
        key=key,
        limits=config.Limits.parse(limit or []),
    )
    logging.basicConfig(
        level=log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)-7s %(message)s"
    )
    _run(settings)


def _run(settings: config.ServerConfig) -> None:
    from securechat.server.app import Server

    terminal = sys.stderr is not None and sys.stderr.isatty()
    with _blocked(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        server = Server(settings, on_failure=lambda: os.kill(os.getpid(), signal.SIGTERM))
        with server:
            # What a message leaves behind has no cycles. To look for some after every 700 new objects took 6 % of
            # a busy server's time; and what is there from the start stays.
            gc.freeze()
            gc.set_threshold(20_000, 50, 100)
            _announce(settings, server)
            while (received := signal.Signals(signal.sigwait(signals))) is signal.SIGHUP:
                if terminal and not sys.stderr.isatty():
                    break  # the terminal is gone, and was all that there was of a way to end this
                server.reread("SIGHUP")
            if not server.failed:
                logging.getLogger(__name__).info("stopping (%s)", received.name)
    if server.failed:
        raise CommandError("The server stopped because of an internal error; its log says more.")


@contextmanager
def _blocked(*signals: signal.Signals) -> Iterator[set[signal.Signals]]:
    """Block signals before any thread starts, so that every thread inherits it and only sigwait sees them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield set(signals)
    finally:
        # A second one that is still pending must not end the process in its own way here.
        while signal.sigtimedwait(signals, 0):
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _announce(settings: config.ServerConfig, server: Server) -> None:
    """Print the one line that says where the server is and how its certificate is recognised."""
    from securechat.certs import fingerprint

    if settings.certificate is None:
        known = f"CA SHA-256 {fingerprint(settings.home.certs / 'ca.pem')}"
    else:
        known = f"certificate {settings.certificate}"
    version = "TLS 1.2 and 1.3" if settings.tls12 else "TLS 1.3"
    where = ", ".join(server.addresses)
    print(
        f"securechat {securechat.__version__} listening on {where} ({version}), {known}",
        flush=True,
    )
