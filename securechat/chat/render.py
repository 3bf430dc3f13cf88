"""Entries as lines, once per variant of capabilities that is listening, never per recipient."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from securechat.chat.people import Audience, Person
from securechat.protocol.capabilities import Cap
from securechat.protocol.framing import MAX_BODY
from securechat.protocol.message import build, clip
from securechat.records import Entry, Kind

_TIME: Final = Cap.SERVER_TIME.value
_TAGS: Final = Cap.MESSAGE_TAGS.value
_ACCOUNT: Final = Cap.ACCOUNT_TAG.value
_EXTENDED_JOIN: Final = Cap.EXTENDED_JOIN.value
_MULTILINE: Final = Cap.BATCH | Cap.MULTILINE
_LINES: Final = re.compile("([\n\r])")


def timestamp(milliseconds: int) -> str:
    """Return "2026-01-31T12:00:00.123Z" (IRCv3 server-time)."""
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def tag_section(entry: Entry, variant: int, *, msgid: bool = True, bot: bool = False) -> str:
    """Return "@tags " for what this variant reads of the entry, or "" (message-tags, message-ids, account-tag)."""
    tags = []
    if variant & _TIME:
        tags.append(f"time={timestamp(entry.time)}")
    if variant & _TAGS:
        if msgid and entry.msgid:
            tags.append(f"msgid={entry.msgid}")
        if bot:
            tags.append("bot")
        if entry.tags:
            tags.append(entry.tags)
    if variant & _ACCOUNT and entry.sender:
        tags.append(f"account={entry.sender}")
    return f"@{';'.join(tags)} " if tags else ""


def lines(
    entry: Entry, body: str, audience: Audience, *, msgid: bool = True, bot: bool = False
) -> dict[int, bytes]:
    """Return variant to line for everybody in `audience`; `body` is the message from its source on.

    Whoever decided the entry has checked the parts: no CR, LF or NUL, and 512 bytes at most.
    """
    raw = body.encode() + b"\r\n"
    return {
        variant: tag_section(entry, variant, msgid=msgid, bot=bot).encode() + raw for variant in variants(audience)
    }


def message_lines(entry: Entry, start: str, audience: Audience, *, bot: bool = False) -> dict[int, bytes]:
    """Return variant to the line or lines of a message; `start` is ":source COMMAND target".

    Only clients that read tags hear of a TAGMSG. A message of several lines is a batch for clients that know
    those, and single lines for others, blank ones left out (IRCv3 multiline, "Fallback").
    """
    if entry.kind in (Kind.TAGMSG, Kind.TYPING):
        shown = lines(entry, start, audience, bot=bot)
        return {variant: line for variant, line in shown.items() if variant & _TAGS}
    if "\n" not in entry.text and "\r" not in entry.text:
        return lines(entry, f"{start} :{entry.text}", audience, bot=bot)
    parts = _LINES.split("\n" + entry.text)[1:]
    pairs = list(zip(parts[::2], parts[1::2], strict=True))
    return {
        variant: (
            _batch(entry, start, pairs, variant, bot=bot)
            if variant & _MULTILINE == _MULTILINE
            else _single(entry, start, pairs, variant, bot=bot)
        )
        for variant in variants(audience)
    }


def _batch(entry: Entry, start: str, pairs: list[tuple[str, str]], variant: int, *, bot: bool) -> bytes:
    source, _, target = start.split(" ", 2)
    reference = f"m{entry.seq:x}"
    out = [f"{tag_section(entry, variant, bot=bot)}{source} BATCH +{reference} draft/multiline {target}"]
    for join, text in pairs:
        concat = ";draft/multiline-concat" if join == "\r" else ""
        out.append(f"@batch={reference}{concat} {start} :{text}")
    out.append(f"{source} BATCH -{reference}\r\n")
    return "\r\n".join(out).encode()


def _single(entry: Entry, start: str, pairs: list[tuple[str, str]], variant: int, *, bot: bool) -> bytes:
    out: list[str] = []
    for _, text in pairs:
        if text:
            first = tag_section(entry if not out else entry._replace(tags=""), variant, msgid=not out, bot=bot)
            out.append(f"{first}{start} :{text}\r\n")
    return "".join(out).encode()


def join_lines(entry: Entry, channel: str, person: Person, audience: Audience) -> dict[int, bytes]:
    """Return the JOIN of a person per variant (IRCv3 extended-join).

    An entry that is not itself a join (a member comes online) gives its time but not its msgid, which would
    stand for several channels.
    """
    plain = f":{person.source} JOIN {channel}"
    extended = f"{plain} {person.name} :{person.realname}"
    msgid = entry.kind is Kind.JOIN
    return {
        variant: (
            tag_section(entry, variant, msgid=msgid, bot=person.bot)
            + (extended if variant & _EXTENDED_JOIN else plain)
            + "\r\n"
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
    return clip(word.replace(" ", "").lstrip(":"), 64) or "*"


def error(text: str) -> bytes:
    """Return the ERROR line that ends a connection (modern-irc, "ERROR message")."""
    return build("ERROR", text)


def fail(server: str, command: str, code: str, *context: str, text: str) -> bytes:
    """Return a FAIL (IRCv3 standard-replies): `command` is "*" where it concerns the whole connection."""
    return build("FAIL", command[:32], code, *context, text, source=server)
