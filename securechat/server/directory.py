"""The users file as one thread knows it: read again when it changes, kept when it breaks."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from securechat.protocol.names import NameRefused, check_nick
from securechat.records import Account
from securechat.storage.users import Stamp, UserFile, UsersError

log = logging.getLogger(__name__)


class Directory:
    """Who may log in, by key. Owned by the thread that calls `refresh`.

    Reads the file once here, where a broken or missing one is an error (UsersError); `loud` says whether this
    is the one that reports trouble later.
    """

    def __init__(self, users: UserFile, *, loud: bool = False) -> None:
        self._users = users
        self._loud = loud
        self._stamp: Stamp = users.stamp()
        self.accounts: Mapping[str, Account] = {}
        self.accounts = self._load()

    def refresh(self) -> bool:
        """Read the file again if it changed, and say whether it did.

        A file that is gone or broken is reported once and the accounts known so far stay in force: an
        accident with a file must not throw everybody out, and must not make anybody forget what they own.
        """
        stamp = self._users.stamp()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        if stamp is None:
            self._report(f"{self._users.path} is gone: restore it, or run `securechat adduser`.")
            return False
        try:
            self.accounts = self._load()
        except UsersError as failure:
            self._report(str(failure))
            return False
        if self._loud:
            log.info("read %s: %d users", self._users.path, len(self.accounts))
        return True

    def check(self) -> str:
        """Return what is wrong with the file as it is now, or empty."""
        try:
            self._load()
        except UsersError as failure:
            return str(failure)
        return ""

    def _load(self) -> Mapping[str, Account]:
        """Return the accounts; raise UsersError also where somebody's hand made a name that cannot be spoken."""
        accounts = self._users.load()
        for key, account in accounts.items():
            # Most are as they were: thousands of names, checked again for one change, would hold up the chat.
            if (known := self.accounts.get(key)) is not None and known.name == account.name:
                continue
            try:
                sound = check_nick(account.name) == account.key
            except NameRefused:
                sound = False
            if not sound:
                raise UsersError(
                    f"{self._users.path} has an account whose name or key is not as `securechat adduser` writes "
                    f"them ({account.name[:32]!a}); mend it or restore a copy."
                )
        return accounts

    def _report(self, trouble: str) -> None:
        if self._loud:
            log.error("%s Until then the users known so far may log in.", trouble)
