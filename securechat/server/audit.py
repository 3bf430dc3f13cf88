"""The operator's log of who came and went: one readable line each, and never a secret (law 7)."""

from __future__ import annotations

import logging

from securechat.chat.people import Session

log = logging.getLogger(__name__)


def login(session: Session) -> None:
    """Note a login that succeeded."""
    by = f" by the certificate of {session.proof.name}" if session.proof is not None else ""
    log.info("login: %s from %s%s", session.nick, session.address, by)


def refused(session: Session, why: str) -> None:
    """Note a login that was refused."""
    log.info("login refused: %s from %s", why, session.address)


def left(session: Session, reason: str) -> None:
    """Note the end of a connection."""
    if session.person is not None:
        log.info("left: %s from %s (%s)", session.person.name, session.address, reason)
    else:
        log.info("closed: %s before login (%s)", session.address, reason)
