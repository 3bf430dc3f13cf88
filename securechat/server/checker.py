"""Checker threads: verify passwords away from the sequencer, a bounded number at a time."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from securechat.chat.people import Session
from securechat.protocol.names import fold
from securechat.protocol.sasl import Credentials
from securechat.records import Account
from securechat.server import accounts, audit
from securechat.server.answering import Answering
from securechat.server.directory import Directory
from securechat.server.items import Answered
from securechat.server.passwords import PasswordHasher
from securechat.storage.users import UserFile, UsersError

log = logging.getLogger(__name__)

THREADS: Final = 2
"""Argon2 checks at once: each takes 19 MiB and, though it frees the interpreter, a core."""


class Checker(Answering[Credentials]):
    """Checks credentials against the users file. `run` is the body of every checker thread."""

    def __init__(self, users: UserFile, hasher: PasswordHasher, waiting: int) -> None:
        super().__init__(waiting, THREADS)
        self._users = users
        self._hasher = hasher

    def run(self) -> None:
        """Check until stopped."""
        directory = Directory(self._users)
        while (job := self._jobs.get()) is not None:
            session, credentials = job
            directory.refresh()
            try:
                account = self._check(directory, session, credentials)
            except Exception:
                # Out of memory, say. Nothing is known then, so nobody gets in; and the thread lives (law 6).
                log.exception("a password check failed")
                audit.refused(session, "the check failed")
                account = None
            self.answer(Answered(session, account))

    def _check(self, directory: Directory, session: Session, credentials: Credentials) -> Account | None:
        key = fold(credentials.account)
        account = directory.accounts.get(key)
        # An unknown name is verified against a dummy, so that it takes as long as a wrong password.
        right = self._hasher.verify(account.hash if account else None, credentials.password)
        if account is None or not right or account.disabled:
            audit.refused(session, _why(account, right=right))
            return None
        if self._hasher.outdated(account.hash):
            self._rehash(account, credentials.password)
            account = replace(account, hash="")  # not to be compared: it is another one now
        return account

    def _rehash(self, account: Account, password: str) -> None:
        try:
            accounts.rehash(self._users, account.key, account.hash, password, hasher=self._hasher)
        except UsersError as failure:
            log.warning("%s kept an old password hash: %s", account.name, failure)


def _why(account: Account | None, *, right: bool) -> str:
    """Return why a login was refused, for the operator's log; whoever tried is told less."""
    if account is None:
        return "unknown name"
    return f"{account.name} is disabled" if right else f"wrong password for {account.name}"
