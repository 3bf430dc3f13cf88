"""The IRCv3 capabilities of this server (IRCv3 capability-negotiation 302)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from securechat.protocol.sasl import MECHANISMS


class Cap(IntEnum):
    """What a client can ask for, one bit each; a session's capabilities are an int of those bits.

    Not an IntFlag: testing one of its bits costs as much as a whole decision (0.75 us). Those in VARIANT_MASK
    change how an entry is written to the client.
    """

    SERVER_TIME = 1
    MESSAGE_TAGS = 2
    ACCOUNT_TAG = 4
    EXTENDED_JOIN = 8
    BATCH = 16
    MULTILINE = 32
    ECHO_MESSAGE = 1 << 6
    MULTI_PREFIX = 1 << 7
    SASL = 1 << 8
    CAP_NOTIFY = 1 << 9
    ACCOUNT_NOTIFY = 1 << 10
    AWAY_NOTIFY = 1 << 11
    CHGHOST = 1 << 12
    EXTENDED_MONITOR = 1 << 13
    INVITE_NOTIFY = 1 << 14
    LABELED_RESPONSE = 1 << 15
    NO_IMPLICIT_NAMES = 1 << 16
    SETNAME = 1 << 17
    STANDARD_REPLIES = 1 << 18
    USERHOST_IN_NAMES = 1 << 19
    ORDER = 1 << 20
    REDACTION = 1 << 21
    CHATHISTORY = 1 << 22
    EVENT_PLAYBACK = 1 << 23
    READ_MARKER = 1 << 24
    SEARCH = 1 << 25
    ACCOUNT_REGISTRATION = 1 << 26


VARIANT_MASK: Final = (
    Cap.SERVER_TIME
    | Cap.MESSAGE_TAGS
    | Cap.ACCOUNT_TAG
    | Cap.EXTENDED_JOIN
    | Cap.BATCH
    | Cap.MULTILINE
    | Cap.ORDER
    | Cap.REDACTION
)

KEY_TAG: Final = "+securechat/key"
"""Client tag with an idempotency key: a message that is sent again with the same one is not a second message."""
ORDER_TAG: Final = "securechat/order"
"""Tag with the number of a message in its conversation, none left out; and the capability that brings it."""

MULTILINE_BYTES: Final = 16 * 1024
MULTILINE_LINES: Final = 128
"""Longest multiline message (IRCv3 multiline, "Capabilities")."""

CAPABILITIES: Final[dict[str, tuple[Cap, str]]] = {
    "account-notify": (Cap.ACCOUNT_NOTIFY, ""),
    "account-tag": (Cap.ACCOUNT_TAG, ""),
    "away-notify": (Cap.AWAY_NOTIFY, ""),
    "batch": (Cap.BATCH, ""),
    "cap-notify": (Cap.CAP_NOTIFY, ""),
    "chghost": (Cap.CHGHOST, ""),
    "draft/account-registration": (Cap.ACCOUNT_REGISTRATION, "before-connect,custom-account-name"),
    "draft/chathistory": (Cap.CHATHISTORY, ""),
    "draft/event-playback": (Cap.EVENT_PLAYBACK, ""),
    "draft/message-redaction": (Cap.REDACTION, ""),
    "draft/multiline": (Cap.MULTILINE, f"max-bytes={MULTILINE_BYTES},max-lines={MULTILINE_LINES}"),
    "draft/read-marker": (Cap.READ_MARKER, ""),
    "echo-message": (Cap.ECHO_MESSAGE, ""),
    "extended-join": (Cap.EXTENDED_JOIN, ""),
    "extended-monitor": (Cap.EXTENDED_MONITOR, ""),
    "invite-notify": (Cap.INVITE_NOTIFY, ""),
    "labeled-response": (Cap.LABELED_RESPONSE, ""),
    "message-tags": (Cap.MESSAGE_TAGS, ""),
    "multi-prefix": (Cap.MULTI_PREFIX, ""),
    "no-implicit-names": (Cap.NO_IMPLICIT_NAMES, ""),
    "sasl": (Cap.SASL, ",".join(MECHANISMS)),
    ORDER_TAG: (Cap.ORDER, ""),
    "server-time": (Cap.SERVER_TIME, ""),
    "setname": (Cap.SETNAME, ""),
    "soju.im/search": (Cap.SEARCH, ""),
    "standard-replies": (Cap.STANDARD_REPLIES, ""),
    "userhost-in-names": (Cap.USERHOST_IN_NAMES, ""),
}
"""Name on the wire to flag and to the value that version 302 shows."""


def advertise(*, values: bool) -> list[str]:
    """Return the words of CAP LS, with values for clients that said 302 or newer."""
    return [f"{name}={value}" if value and values else name for name, (_, value) in CAPABILITIES.items()]


def listed(caps: int) -> list[str]:
    """Return the names of the capabilities that are on, for CAP LIST."""
    return [name for name, (cap, _) in CAPABILITIES.items() if cap & caps]


def request(words: str, caps: int) -> int | None:
    """Return what `caps` become by a CAP REQ of these words ("a -b"), or None: granted whole or not at all."""
    for word in words.split():
        known = CAPABILITIES.get(word.removeprefix("-"))
        if known is None:
            return None
        caps = caps & ~known[0] if word.startswith("-") else caps | known[0]
    # cap-notify cannot be turned off by clients that spoke 302 (capability-negotiation, "cap-notify");
    # nothing here depends on it, so granting the request is harmless.
    return caps
