"""The content of the users file: accounts with their devices, and open invites, to bytes and back.

    {"version": 2, "users": [{"name", "key", "hash", "created", "roles", "devices": [...]}, ...], "invites": [...]}

Version 1 had neither devices nor invites; a file without them is still written as such, for older programs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from securechat.records import Account, Device, Invite

VERSION: Final = 2
_LAST_TIME: Final = 253_402_214_400_000  # the day before the year 10000, where dates end
_REQUIRED: Final[dict[str, type]] = {"name": str, "key": str, "hash": str, "created": int, "roles": list}
_FIELDS: Final[dict[str, type]] = _REQUIRED | {"disabled": bool, "kicked": int, "devices": list}
_DEVICE: Final[dict[str, type]] = {"name": str, "fingerprint": str, "created": int, "not_after": int}
_INVITE: Final[dict[str, type]] = {
    "name": str,
    "key": str,
    "hash": str,
    "created": int,
    "expires": int,
    "admin": bool,
}
_TIMES: Final = frozenset({"created", "kicked", "not_after", "expires"})
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Malformed(Exception):  # noqa: N818  # becomes a UsersError once the file's name is known
    """What is wrong with the content, without the content; and the way out."""

    def __init__(
        self, wrong: str, way_out: str = "restore a copy or mend it by hand (it was not changed)"
    ) -> None:
        super().__init__(f"{wrong}; {way_out}.")


@dataclass(slots=True)
class Book:
    """What a users file says: accounts by key, and by key of the account to be the invites that are open."""

    accounts: dict[str, Account] = field(default_factory=dict)
    invites: dict[str, Invite] = field(default_factory=dict)

    def copy(self) -> Book:
        """Return another with the same records, which never change."""
        return Book(dict(self.accounts), dict(self.invites))


def encode(book: Book) -> bytes:
    """Return the file's bytes."""
    users = []
    for key, account in book.accounts.items():
        assert key == account.key
        fields = {name: getattr(account, name) for name in _FIELDS} | {"roles": sorted(account.roles)}
        fields["devices"] = [_fields(device, _DEVICE) for device in account.devices]
        users.append({name: value for name, value in fields.items() if name in _REQUIRED or value})
    document: dict[str, Any] = {"version": VERSION, "users": users}
    if book.invites:
        document["invites"] = [_fields(invite, _INVITE) for invite in book.invites.values()]
    elif not any(account.devices for account in book.accounts.values()):
        document["version"] = 1
    # Readable by people: an operator looks into it, and Cyrillic names stay Cyrillic.
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _fields(record: Device | Invite, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


def decode(data: bytes) -> Book:
    """Return what the file's bytes say. Raises Malformed."""
    document = _parse(data)
    if not isinstance(document, dict) or not _is(document.get("version"), int):
        raise Malformed("is not a users file")
    if document["version"] > VERSION:
        newer = f"was written by a newer securechat (version {document['version']})"
        raise Malformed(newer, "upgrade this one (the file was not changed)")
    may_have = {"version", "users"} | ({"invites"} if document["version"] > 1 else set())
    if document["version"] < 1 or not {"version", "users"} <= document.keys() <= may_have:
        raise Malformed("is not a users file of a known version")
    if not isinstance(document["users"], list) or not isinstance(document.get("invites", []), list):
        raise Malformed("has no list of users")
    book = Book()
    for number, user in enumerate(document["users"], 1):
        account = _account(user, number)
        if account.key in book.accounts:
            raise Malformed(f"has one account twice (entry {number})")
        book.accounts[account.key] = account
    for number, found in enumerate(document.get("invites", []), 1):
        invite = _invite(found, number)
        book.invites[invite.key] = invite
    return book


def _parse(data: bytes) -> Any:
    wrong = "is not valid JSON"
    try:
        document = json.loads(data, object_pairs_hook=_object)
        json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair could never be written again
        return document
    except json.JSONDecodeError as error:
        wrong = f"is not valid JSON (line {error.lineno})"
    except (ValueError, RecursionError):
        pass
    # Outside the handler: what json raises carries the whole file.
    raise Malformed(wrong)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed("has a field twice in one entry")
    return fields


def _account(user: Any, number: int) -> Account:
    # Strict: a field that is not understood here would be lost with the next change.
    if not isinstance(user, dict) or not _REQUIRED.keys() <= user.keys() <= _FIELDS.keys():
        raise Malformed(f"has other fields in entry {number} than {', '.join(_FIELDS)}")
    _check(user, _FIELDS, f"entry {number}")
    if not all(isinstance(role, str) for role in user["roles"]):
        raise Malformed(f"has an unusable 'roles' in entry {number}")
    roles, devices = frozenset(user["roles"]), user.get("devices", ())
    return Account(**{**user, "roles": roles, "devices": tuple(_device(one, number) for one in devices)})


def _device(device: Any, number: int) -> Device:
    if not isinstance(device, dict) or device.keys() != _DEVICE.keys():
        raise Malformed(f"has an unusable device in entry {number}")
    _check(device, _DEVICE, f"a device of entry {number}")
    if not _SHA256.fullmatch(device["fingerprint"]):
        raise Malformed(f"has an unusable 'fingerprint' in a device of entry {number}")
    return Device(**device)


def _invite(invite: Any, number: int) -> Invite:
    if not isinstance(invite, dict) or invite.keys() != _INVITE.keys():
        raise Malformed(f"has an unusable invite ({number})")
    _check(invite, _INVITE, f"invite {number}")
    if not _SHA256.fullmatch(invite["hash"]):
        raise Malformed(f"has an unusable 'hash' in invite {number}")
    return Invite(**invite)


def _check(fields: dict[str, Any], types: Mapping[str, type], where: str) -> None:
    for name, value in fields.items():
        if not _is(value, types[name]) or value == "" or (name in _TIMES and not 0 <= value <= _LAST_TIME):
            raise Malformed(f"has an unusable {name!r} in {where}")


def _is(value: Any, wanted: type) -> bool:
    return isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)
