"""Entries as lines, once per variant of capabilities that is listening, never per recipient."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from securechat.chat.people import Audience
from securechat.protocol.capabilities import Cap
from securechat.protocol.framing import MAX_BODY
from securechat.protocol.message import build
from securechat.records import Entry

_TIME: Final = int(Cap.SERVER_TIME)
_TAGS: Final = int(Cap.MESSAGE_TAGS)
_ACCOUNT: Final = int(Cap.ACCOUNT_TAG)
_EXTENDED_JOIN: Final = int(Cap.EXTENDED_JOIN)


def timestamp(milliseconds: int) -> str:
    """Return "2026-01-31T12:00:00.123Z" (IRCv3 server-time)."""
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def tag_section(entry: Entry, variant: int, *, msgid: bool = True) -> str:
    """Return "@tags " for what this variant reads of the entry, or "" (message-tags, message-ids, account-tag)."""
    tags = []
    if variant & _TIME:
        tags.append(f"time={timestamp(entry.time)}")
    if variant & _TAGS:
        if msgid:
            tags.append(f"msgid={entry.msgid}")
        if entry.tags:
            tags.append(entry.tags)
    if variant & _ACCOUNT:
        tags.append(f"account={entry.sender}")
    return f"@{';'.join(tags)} " if tags else ""


def lines(entry: Entry, body: str, audience: Audience, *, msgid: bool = True) -> dict[int, bytes]:
    """Return variant to line for everybody in `audience`; `body` is the message from its source on.

    Whoever decided the entry has checked the parts: no CR, LF or NUL, and 512 bytes at most.
    """
    raw = body.encode() + b"\r\n"
    return {variant: tag_section(entry, variant, msgid=msgid).encode() + raw for variant in variants(audience)}


def join_lines(entry: Entry, channel: str, source: str, realname: str, audience: Audience) -> dict[int, bytes]:
    """Return the JOIN of `entry.sender` per variant (IRCv3 extended-join).

    An entry that is not itself a join (a member comes online) gives its time but not its msgid, which would
    stand for several channels.
    """
    plain = f":{source} JOIN {channel}"
    extended = f"{plain} {entry.sender} :{realname}"
    msgid = entry.target != ""
    return {
        variant: (
            f"{tag_section(entry, variant, msgid=msgid)}{extended if variant & _EXTENDED_JOIN else plain}\r\n"
        ).encode()
        for variant in variants(audience)
    }


def variants(audience: Audience) -> set[int]:
    """Return the variants that somebody in `audience` reads."""
    return {variant for _, variant in audience.groups}


def size(text: str) -> int:
    """Return the bytes that `text` takes on the wire."""
    return len(text) if text.isascii() else len(text.encode())


def excess(source_size: int, command: str, target: str, text: str) -> int:
    """Return by how many bytes ":source COMMAND target :text" is too long for a line (0 or less: it fits)."""
    fixed = 1 + source_size + 1 + len(command) + 1 + size(target) + 2 + 2
    return fixed + size(text) - MAX_BODY


def repeatable(word: str) -> str:
    """Return what a client said as a reply may repeat it: a middle parameter that fits any line."""
    return word.replace(" ", "").lstrip(":")[:64] or "*"


def error(text: str) -> bytes:
    """Return the ERROR line that ends a connection (modern-irc, "ERROR message")."""
    return build("ERROR", text)


def fail(server: str, command: str, code: str, *context: str, text: str) -> bytes:
    """Return a FAIL (IRCv3 standard-replies): `command` is "*" where it concerns the whole connection."""
    return build("FAIL", command, code, *context, text, source=server)
