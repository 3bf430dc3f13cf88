"""Devices of an account: certified, listed and revoked. What the users file says of them is decided here."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from securechat.certs import DEVICE_DAYS, DeviceCertificate, KeyPlace, certify
from securechat.certs.pieces import PublicKey
from securechat.config import Limits
from securechat.records import Account, Device
from securechat.server.accounts import AccountRefused, find
from securechat.storage.users import UserFile

CERTIFICATES: Final = 3
"""Certificates that a device may have: a renewal leaves one behind for a while, others make room."""
MAX_NAME_BYTES: Final = 32
OVERLAP_MS: Final = 7 * 24 * 60 * 60 * 1000
"""How long a certificate goes on being good after it was renewed: whoever lost the answer asks again with it."""


def check_device(name: str) -> str:
    """Return a device's name that may be given. Raises AccountRefused."""
    if not name or not name.isprintable() or len(name.encode()) > MAX_NAME_BYTES or set(name) & set(" @:*,"):
        raise AccountRefused(
            f"A device's name has 1 to {MAX_NAME_BYTES} bytes and no spaces, colons, commas, stars or @; "
            f"choose another."
        )
    return name


def enrol(
    users: UserFile,
    folder: Path,
    account: str,
    device: str,
    key: PublicKey,
    *,
    created: int | None = None,
    proof: str = "",
    most: int = Limits().enrolled_devices,
    days: int = DEVICE_DAYS,
    place: KeyPlace | None = None,
) -> tuple[Device, DeviceCertificate]:
    """Certify a key for a device of an account and note it. Raises AccountRefused, CertificateError, UsersError.

    With `created` it is for the account that was made then, and with `proof` (a fingerprint) for whoever has that
    certificate while it is good: what was asked for before somebody revoked it comes to nothing.
    `most` devices may have a certificate; one that has one is renewed. It is signed first: what nobody noted is
    good for nothing, where what was noted and never signed would take a place.
    """
    check_device(device)
    owner = find(users, account)
    _room(owner, device, _now(), most)
    made = certify(folder, key, owner.name, device, days=days, place=place or KeyPlace())
    noted = Device(device, made.fingerprint, _now(), milliseconds(made.not_after))
    with users.edit() as accounts:
        current = accounts.get(owner.key)
        if current is None or current.created != (created or owner.created) or current.disabled:
            raise AccountRefused(f"The account {owner.name} is gone or disabled; ask an administrator.")
        if proof and all(one.fingerprint != proof or one.not_after <= _now() for one in current.devices):
            raise AccountRefused("The certificate that asks was revoked; log in by password.")
        kept = _room(current, device, noted.created, most)
        accounts[owner.key] = replace(current, devices=(*kept, noted))
    return noted, made


def _room(account: Account, device: str, now: int, most: int) -> list[Device]:
    """Return the certificates that stay beside a new one for `device`. Raises AccountRefused."""
    good = [one for one in account.devices if one.not_after > now]
    own = sorted((one for one in good if one.name == device), key=lambda one: one.created)
    own = own[:1] + own[1:][2 - CERTIFICATES :]  # the first is what somebody asks by who lost the answers since
    kept = [one for one in good if one.name != device]
    kept += [replace(one, not_after=min(one.not_after, now + OVERLAP_MS)) for one in own]
    if len({one.name for one in kept} | {device}) > most:
        raise AccountRefused(f"{account.name} has {most} devices, which is the limit; revoke one first.")
    return kept


def revoke(users: UserFile, account: str, device: str | None = None) -> list[Device]:
    """Forget the certificates of a device, or of all; return what they were. Raises AccountRefused, UsersError.

    A running server reads the file and ends the sessions that logged in by them.
    """
    owner = find(users, account)
    with users.edit() as accounts:
        current = accounts.get(owner.key, owner)
        gone = [one for one in current.devices if device in (None, one.name)]
        if device is not None and not gone:
            raise AccountRefused(f"{owner.name} has no device {device!r}; 'securechat devices' lists them.")
        if gone:
            accounts[owner.key] = replace(
                current, devices=tuple(one for one in current.devices if one not in gone)
            )
    return gone


def newest(account: Account, now: int | None = None) -> list[Device]:
    """Return the newest certificate of each device that is still good, by name."""
    moment = _now() if now is None else now
    found: dict[str, Device] = {}
    for device in account.devices:
        if device.not_after > moment and device.created >= found.get(device.name, device).created:
            found[device.name] = device
    return [found[name] for name in sorted(found)]


def milliseconds(moment: datetime) -> int:
    """Return a moment as the records have it."""
    return int(moment.timestamp() * 1000)


def _now() -> int:
    return time.time_ns() // 1_000_000
