"""Looks after the certificates: renews the server's own, and warns of what nears its end and needs a human."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from securechat import certs
from securechat.certs import CertificateError, KeyAwayError
from securechat.config import ServerConfig

log = logging.getLogger(__name__)

NEAR: Final = timedelta(days=30)
"""When the end of a server certificate is told, or with the last sixth of a short life."""
CA_NEAR: Final = timedelta(days=180)
"""When the end of the authority is told: everybody who connects needs its successor."""


class Findings(NamedTuple):
    """What a look found: whether there is a new server certificate, and a sentence for each trouble."""

    renewed: bool
    warnings: list[str]


def look(config: ServerConfig, now: datetime) -> Findings:
    """Renew the server's certificate if a third of its life is left, and warn of what is left to humans."""
    warnings: list[str] = []
    renewed = False
    try:
        if config.certificate is not None:
            warnings += _foreign(config, now)
        else:
            renewed, why = _own(config, now)
            warnings += why
        warnings += _authority(config, now)
    except CertificateError as trouble:
        warnings.append(str(trouble))
    return Findings(renewed, warnings)


def _own(config: ServerConfig, now: datetime) -> tuple[bool, list[str]]:
    folder = config.home.certs
    mine = certs.describe(folder)
    if not mine.due(now):
        return False, []
    try:
        new = certs.renew(folder, now)
    except KeyAwayError:
        if not _near(mine.not_before, mine.not_after, now):
            return False, []
        way_out = "run 'securechat init-certs' where the key of the CA can be used (--ca-offline DIR)"
        return False, [_ends("The server certificate", mine.not_after, now, way_out)]
    except CertificateError as trouble:
        return False, [_ends("The server certificate", mine.not_after, now, f"it could not be renewed: {trouble}")]
    log.info("the server certificate was renewed, until %s", f"{new.not_after:%Y-%m-%d}")
    return True, []


def _foreign(config: ServerConfig, now: datetime) -> list[str]:
    assert config.certificate is not None
    start, end = certs.period(config.certificate)
    if not _near(start, end, now):
        return []
    way_out = "have its issuer renew it, then send SIGHUP to the server, or REHASH"
    return [_ends(str(config.certificate), end, now, way_out)]


def _authority(config: ServerConfig, now: datetime) -> list[str]:
    path = config.home.certs / "ca.pem"
    if config.certificate is not None and not path.exists():
        return []
    end = certs.period(path)[1]
    if end - now >= CA_NEAR:
        return []
    way_out = "move ca.pem, ca.key and server.pem away, run 'securechat init-certs' and give out the new ca.pem"
    return [_ends("The certificate authority", end, now, way_out)]


def _near(start: datetime, end: datetime, now: datetime) -> bool:
    return end - now < min(NEAR, (end - start) / 6)


def _ends(what: str, end: datetime, now: datetime, way_out: str) -> str:
    days = max((end - now).days, 0)
    verb = "expired" if end <= now else "expires"
    left = "" if end <= now else f" (in {days} {'day' if days == 1 else 'days'})"
    return f"{what} {verb} on {end:%Y-%m-%d}{left}; {way_out.rstrip('.')}."
