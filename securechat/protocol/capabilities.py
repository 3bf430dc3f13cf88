"""The IRCv3 capabilities of this server (IRCv3 capability-negotiation 302)."""

from __future__ import annotations

from enum import IntFlag
from typing import Final


class Cap(IntFlag):
    """What a client can ask for. The first four change how an entry is written to it: they make its variant."""

    SERVER_TIME = 1
    MESSAGE_TAGS = 2
    ACCOUNT_TAG = 4
    EXTENDED_JOIN = 8
    ECHO_MESSAGE = 16
    MULTI_PREFIX = 32
    SASL = 64
    CAP_NOTIFY = 128


VARIANT_MASK: Final = Cap.SERVER_TIME | Cap.MESSAGE_TAGS | Cap.ACCOUNT_TAG | Cap.EXTENDED_JOIN

CAPABILITIES: Final[dict[str, tuple[Cap, str]]] = {
    "account-tag": (Cap.ACCOUNT_TAG, ""),
    "cap-notify": (Cap.CAP_NOTIFY, ""),
    "echo-message": (Cap.ECHO_MESSAGE, ""),
    "extended-join": (Cap.EXTENDED_JOIN, ""),
    "message-tags": (Cap.MESSAGE_TAGS, ""),
    "multi-prefix": (Cap.MULTI_PREFIX, ""),
    "sasl": (Cap.SASL, "PLAIN"),
    "server-time": (Cap.SERVER_TIME, ""),
}
"""Name on the wire to flag and to the value that version 302 shows."""


def advertise(*, values: bool) -> list[str]:
    """Return the words of CAP LS, with values for clients that said 302 or newer."""
    return [f"{name}={value}" if value and values else name for name, (_, value) in CAPABILITIES.items()]


def listed(caps: Cap) -> list[str]:
    """Return the names of the capabilities that are on, for CAP LIST."""
    return [name for name, (cap, _) in CAPABILITIES.items() if cap & caps]


def request(words: str, caps: Cap) -> Cap | None:
    """Return what `caps` become by a CAP REQ of these words ("a -b"), or None: granted whole or not at all."""
    for word in words.split():
        known = CAPABILITIES.get(word.removeprefix("-"))
        if known is None:
            return None
        caps = caps & ~known[0] if word.startswith("-") else caps | known[0]
    # cap-notify cannot be turned off by clients that spoke 302 (capability-negotiation, "cap-notify");
    # nothing here depends on it, so granting the request is harmless.
    return caps
