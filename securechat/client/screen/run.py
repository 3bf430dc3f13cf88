"""From an address and a password to a full screen, and back to the shell in order."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from securechat.client import keepsake
from securechat.client.connection import Connection
from securechat.client.desk import keeping
from securechat.client.desk.desk import Desk
from securechat.client.desk.entries import Kind
from securechat.client.desk.talk import WANTED, Talk
from securechat.client.devices import Device
from securechat.client.errors import ClientError, reason
from securechat.client.events import Event, LoggedIn
from securechat.client.resume import NEEDED
from securechat.client.screen.app import Arrived, ChatApp
from securechat.client.settings import ClientLimits, Endpoint
from securechat.client.words import _
from securechat.protocol.sasl import Credentials


def run(
    endpoint: Endpoint,
    context: ssl.SSLContext,
    secret: Credentials,
    *,
    limits: ClientLimits | None,
    light: bool,
    entered: Callable[[], None] | None = None,
    device: Device | None = None,
) -> None:
    """Talk on a full screen until somebody quits. Raises ClientError where the login did not succeed.

    `entered` is called at the first login. Must run in the main thread. A terminal that is taken away
    ends it, and what waits is kept.
    """
    account = secret.name
    place = keepsake.place(account, endpoint)
    bell = _Bell()
    more = NEEDED | WANTED
    connection = Connection(endpoint, context, secret, limits=limits, notify=bell.ring, more=more, device=device)
    del secret
    talk = Talk(connection, Desk(), _milliseconds)
    talk.desk.nick = account.partition("@")[0]
    keeping.restore(talk, keepsake.load(place))
    app = bell.app = ChatApp(
        talk,
        _Events(connection, bell, entered).take,
        host=str(endpoint),
        pin=pin(context),
        save=lambda: _save(place, talk),
        light=light,
    )
    connection.start()
    try:
        with _signals(app):
            app.run()
    finally:
        connection.abort()
        connection.join()
    if app.mistake:
        raise _mistaken(app.mistake, place)
    if talk.model is None and talk.error is not None:
        raise talk.error


class _Bell:
    """Tells the app once that there are events, until it begins to take them. `ring` is for any thread."""

    def __init__(self) -> None:
        self.app: ChatApp | None = None
        self._rung = False

    def ring(self) -> None:
        """Post one message."""
        app = self.app
        if app is not None and app.is_running and not self._rung:
            self._rung = True
            with contextlib.suppress(RuntimeError):  # its loop is closed: nobody is left to be told
                app.post_message(Arrived())

    def silence(self) -> None:
        """Ring again for what comes from now on. Called before the events are taken, so that none is missed."""
        self._rung = False


class _Events:
    """Takes a connection's events, and calls `entered` at the first login."""

    def __init__(self, connection: Connection, bell: _Bell, entered: Callable[[], None] | None) -> None:
        self._connection = connection
        self._bell = bell
        self._entered = entered

    def take(self) -> Event | None:
        """Return the next event, or None where there is none now."""
        self._bell.silence()
        event = self._connection.next_event(0)
        if self._entered is not None and isinstance(event, LoggedIn):
            entered, self._entered = self._entered, None
            entered()
        return event


def _save(place: Path, talk: Talk) -> None:
    try:
        keepsake.save(place, keeping.kept(talk))
    except OSError as failure:
        if not talk.unkept:
            talk.unkept = True
            text = _("Drafts and waiting lines cannot be kept in {path}: {reason}.")
            text = text.format(path=place, reason=reason(failure))
            talk.desk.say(Kind.PROBLEM, text, _milliseconds())


def _mistaken(mistake: str, place: Path) -> ClientError:
    """Write down where the program failed, for whoever can mend it; return the sentence for a person."""
    file = place.with_name("mistake.txt")
    text = _("The client made a mistake and had to stop; what was typed is kept. Connect again to go on.")
    try:
        keepsake.write(file, mistake.encode(errors="replace"))
    except OSError:
        return ClientError(text)
    return ClientError(text + " " + _("What went wrong is in {}.").format(file))


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


def pin(context: ssl.SSLContext) -> str:
    """Return the beginning of the SHA-256 fingerprint of the authority that is trusted, to compare by eye."""
    found = context.get_ca_certs(binary_form=True)
    return hashlib.sha256(found[0]).hexdigest()[:8] if len(found) == 1 else ""  # many: the system's


@contextlib.contextmanager
def _signals(app: ChatApp) -> Iterator[None]:
    def stop(_number: int, _frame: object) -> None:
        app.call_later(app.exit)

    def hang_up(number: int, _frame: object) -> None:
        # The terminal is gone: whatever is still written to it may wait for ever.
        if app.is_running:
            app.keep()
        os._exit(128 + number)

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, stop),
        signal.SIGHUP: signal.signal(signal.SIGHUP, hang_up),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def light_terminal() -> bool:
    """Whether the terminal says that its background is light (COLORFGBG, as rxvt, Konsole and others set it)."""
    return os.environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")
