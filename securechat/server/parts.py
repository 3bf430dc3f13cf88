"""What a server needs before it can start, gathered from disk and system; or one sentence on what is missing."""

from __future__ import annotations

import base64
import logging
import resource
import socket
import ssl
import textwrap
import time
import unicodedata
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import securechat
from securechat import certs
from securechat.certs import CertificateError
from securechat.chat.conversations import conversation
from securechat.chat.rules import Rules
from securechat.config import Home, ServerConfig
from securechat.net.listener import listen
from securechat.net.tls import server_context
from securechat.protocol.names import NameRefused, check_channel
from securechat.records import Entry
from securechat.server import caretaker
from securechat.server.directory import Directory
from securechat.storage.log import LogError, SqliteLog
from securechat.storage.users import UserFile, UsersError

log = logging.getLogger(__name__)

MOTD_LINES: Final = 100
MOTD_WIDTH: Final = 80


class ServerError(Exception):
    """The server cannot start. The text is one sentence that names the file or command that mends it."""


class Parts(NamedTuple):
    """Everything that a server is made of; the sockets listen already."""

    context: ssl.SSLContext
    users: UserFile
    directory: Directory
    store: SqliteLog
    newest: Entry | None
    sockets: list[socket.socket]
    rules: Rules


def gather(config: ServerConfig) -> Parts:
    """Return the parts. Raises ServerError, and then leaves nothing open."""
    rules = _rules(config)
    look_after_certificates(config)
    context = load_context(config)
    rules = replace(rules, authority=authority(config))
    users = UserFile(config.home.users)
    directory = _load_users(users)
    with ExitStack() as undo:
        try:
            store = SqliteLog(config.home.log, conversation)
            undo.callback(store.close)
            began, newest = store.began(), store.last()
        except LogError as error:
            raise ServerError(str(error)) from None
        sockets = _listen(config)
        undo.pop_all()
    if began is not None:
        rules = replace(rules, started=_day(began))
    return Parts(context, users, directory, store, newest, sockets, rules)


def look_after_certificates(config: ServerConfig) -> None:
    """Renew what is due before anybody connects; what is missing or broken is told by `load_context`."""
    if config.certificate is not None or (config.home.certs / "server.pem").exists():
        for warning in caretaker.look(config, datetime.now(UTC)).warnings:
            log.warning("%s", warning)


def authority(config: ServerConfig) -> str:
    """Return the authority's certificate as CA tells it; empty where clients verify by those of their system."""
    if config.certificate is not None:
        return ""
    try:
        return base64.b64encode(certs.der(config.home.certs / "ca.pem")).decode()
    except CertificateError as error:
        raise ServerError(str(error)) from None


def load_context(config: ServerConfig) -> ssl.SSLContext:
    """Return the TLS context with the server's certificate. Raises ServerError."""
    certificate, key = config.certificate_files
    authority = config.home.certs / "ca.pem"
    try:
        for path in (certificate, key):
            path.open("rb").close()  # OpenSSL's own error does not say which of the two it is about
        known = authority if config.certificate is None or authority.exists() else None
        if known is not None:
            _check_apart(config, certificate, key, known)
        return server_context(certificate, key, tls12=config.tls12, authority=known)
    except (FileNotFoundError, NotADirectoryError) as missing:
        if config.certificate is not None:
            raise ServerError(f"There is no {missing.filename}: put it there, or mend --cert and --key.") from None
        raise ServerError(
            f"There is no server certificate in {config.home.certs}: run `securechat init-certs`."
        ) from None
    except ssl.SSLError:
        way_out = "run `securechat init-certs`" if config.certificate is None else "put back the two that do"
        raise ServerError(f"{certificate} and {key} are damaged or do not belong together: {way_out}.") from None
    except CertificateError as error:
        raise ServerError(str(error)) from None
    except OSError as error:
        raise ServerError(
            f"{error.filename or key} cannot be read ({error.strerror}): run this as the user who owns it."
        ) from None


def _check_apart(config: ServerConfig, certificate: Path, key: Path, authority: Path) -> None:
    """Refuse a server that would have the authority's key in its memory at all times."""
    signing = config.home.certs / "ca.key"
    if (signing.exists() and key.samefile(signing)) or certs.same_key(certificate, authority):
        raise ServerError(
            f"{certificate} has the key of the authority {authority}, which must never serve: "
            "move server.pem and server.key away and run `securechat init-certs`."
        )


def _load_users(users: UserFile) -> Directory:
    try:
        directory = Directory(users, loud=True)
        invited = bool(users.invites())
    except UsersError as error:
        raise ServerError(str(error)) from None
    if not directory.accounts and not invited:
        raise ServerError(f"There are no users in {users.path}: run `securechat adduser NAME`.")
    return directory


def _listen(config: ServerConfig) -> list[socket.socket]:
    try:
        return listen(config.host, config.port)
    except socket.gaierror:
        raise ServerError(f"--host {config.host} is not an address of this machine.") from None
    except OSError as error:
        raise ServerError(
            f"Cannot listen on {config.host} port {config.port} ({error.strerror}): "
            "stop what uses it, or choose another with --host and --port."
        ) from None


def _rules(config: ServerConfig) -> Rules:
    if config.lobby is not None:
        try:
            check_channel(config.lobby)
        except NameRefused as refused:
            raise ServerError(f"--lobby {config.lobby}: {refused}") from None
    return Rules(
        server=config.name,
        limits=config.limits,
        lobby=config.lobby,
        version=securechat.__version__,
        started=_day(time.time_ns() // 1_000_000),
        motd=motd(config.home),
    )


def _day(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def motd(home: Home) -> tuple[str, ...]:
    """Return the message of the day in lines that fit, without control characters; empty where there is none."""
    try:
        text = home.motd.read_text("utf-8", errors="replace")
    except OSError:
        return ()
    lines = []
    for line in text.splitlines()[:MOTD_LINES]:
        clean = "".join(char for char in line if unicodedata.category(char) != "Cc")
        lines += textwrap.wrap(clean, MOTD_WIDTH) or [""]
    return tuple(lines)


def raise_file_limit(connections: int) -> None:
    """Let the process open as many sockets as it may serve, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 64
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        if most < wanted:
            log.warning("the system allows %d open files: fewer connections than --limit connections", most)


def address(sock: socket.socket) -> str:
    """Return where a socket listens, as "192.0.2.1:6697" or "[2001:db8::1]:6697"."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
