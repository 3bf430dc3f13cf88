"""The issuer thread: certificates for devices, revocations and invites, away from the sequencer.

Between them it looks after the server's own certificate.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty
from typing import Any, Final

from securechat.certs import CertificateError, KeyAwayError, RequestRefused, key_of
from securechat.chat.people import Session
from securechat.config import Limits, ServerConfig
from securechat.records import Account, Enrol, Redeem, Request, Revoke, Unanswered
from securechat.server import audit, caretaker, devices, invites
from securechat.server.accounts import AccountRefused
from securechat.server.answering import Answering
from securechat.server.items import Answered, Item, Notice, Reread
from securechat.server.passwords import PasswordHasher
from securechat.storage.users import UserFile, UsersError

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 24 * 60 * 60.0
"""How often the certificates are looked at."""
HOUR: Final = 60 * 60.0
MOST_PACED: Final = 10_000
"""Accounts whose pace is remembered."""
CANNOT_SIGN: Final = (
    "This server cannot sign, for the key of its CA is kept elsewhere: ask an administrator for a certificate "
    "(securechat issue-cert)"
)
_TROUBLE: Final = Unanswered("INTERNAL_ERROR", "The server cannot do that now: try again later")


class Pace:
    """How often accounts did something within the last hour. Owned by the thread that calls it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._done: dict[str, deque[float]] = {}

    def take(self, key: str, now: float) -> bool:
        """Whether an account may do it once more; counts it if so."""
        done = self._done.setdefault(key, deque())
        while done and done[0] <= now - HOUR:
            done.popleft()
        if len(done) >= self._most:
            return False
        done.append(now)
        if len(self._done) > MOST_PACED:
            self._done = {one: times for one, times in self._done.items() if times and times[-1] > now - HOUR}
        return True


class Issuer(Answering[Request]):
    """Answers requests one after the other. `run` is the body of its thread, which owns the paces.

    `tell` takes items for the sequencer.
    """

    def __init__(self, config: ServerConfig, users: UserFile, hasher: PasswordHasher) -> None:
        super().__init__(config.limits.enrolments_waiting)
        self._config = config
        self._folder: Path = config.home.certs
        self._limits: Limits = config.limits
        self._users = users
        self._hasher = hasher
        self._invites = invites.Open(users)
        self._pace = Pace(config.limits.enrolments_per_hour)
        self._look_at = time.monotonic() + LOOK_SECONDS
        self.tell: Callable[[Item], None] = lambda _: None

    def run(self) -> None:
        """Answer until stopped."""
        while True:
            left = self._look_at - time.monotonic()
            if left <= 0:  # however much is asked of us
                self._look_at = time.monotonic() + LOOK_SECONDS
                self.look(datetime.now(UTC))
                continue
            try:
                job = self._jobs.get(timeout=left)
            except Empty:
                continue
            if job is None:
                return
            session, request = job
            answer = self._try(request)
            if isinstance(request, Redeem):
                _note(session, answer)
            self.answer(Answered(session, answer))

    def look(self, now: datetime) -> None:
        """Renew what is due, and tell the administrators what nears its end and cannot be renewed here."""
        try:
            found = caretaker.look(self._config, now)
        except Exception:
            log.exception("looking after the certificates failed")
            return
        if found.renewed:
            self.tell(Reread("a new server certificate"))
        for warning in found.warnings:
            log.warning("%s", warning)
            self.tell(Notice(warning))

    def _try(self, request: Request) -> Any:
        try:
            return self._do(request)
        except RequestRefused as refused:
            return Unanswered("INVALID_REQUEST", str(refused))
        except AccountRefused as refused:
            return Unanswered("REFUSED", str(refused).removesuffix("."))
        except KeyAwayError:
            return Unanswered("CANNOT_SIGN", CANNOT_SIGN)
        except (CertificateError, UsersError) as trouble:
            log.error("%s", trouble)  # noqa: TRY400  # the disk's fault: one sentence for the operator
        except Exception:
            log.exception("a request to the issuer failed")
        return _TROUBLE

    def _do(self, request: Request) -> Any:
        if isinstance(request, Redeem):
            return invites.redeem(self._users, request, known=self._invites, hasher=self._hasher)
        if isinstance(request, Revoke):
            gone = devices.revoke(self._users, request.account, request.device)
            log.info("revoked: device %s of %s", request.device, request.account)
            return len(gone)
        return self._enrol(request)

    def _enrol(self, request: Enrol) -> Any:
        devices.check_device(request.device)
        # Before anything is made of the request: what is wrong with it costs as much to find out.
        if not self._pace.take(request.account, time.monotonic()):
            text = f"You asked for {self._limits.enrolments_per_hour} certificates within an hour: try again later"
            return Unanswered("RATE_LIMITED", text)
        key = key_of(request.request)
        most = self._limits.enrolled_devices
        device, made = devices.enrol(
            self._users,
            self._folder,
            request.account,
            request.device,
            key,
            created=request.created,
            proof=request.proof,
            most=most,
        )
        log.info("enrolled: device %s of %s until %s", device.name, request.account, f"{made.not_after:%Y-%m-%d}")
        return device, made.der


def _note(session: Session, answer: Account | Unanswered | None) -> None:
    """Note what became of an invite, for the operator's log."""
    if isinstance(answer, Account):
        log.info("invite used: %s made the account %s", session.address, answer.name)
    else:
        audit.refused(session, "no such invite" if answer is None else f"an invite, {answer.code}")
