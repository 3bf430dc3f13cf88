"""Entries as lines, once per variant of capabilities that is listening, never per recipient."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import repeat
from typing import Final

from securechat.chat.people import Audience, Person
from securechat.protocol.capabilities import ORDER_TAG, Cap
from securechat.protocol.framing import MAX_BODY
from securechat.protocol.message import build, clip
from securechat.records import Entry, Kind

_TIME: Final = Cap.SERVER_TIME.value
_TAGS: Final = Cap.MESSAGE_TAGS.value
_ACCOUNT: Final = Cap.ACCOUNT_TAG.value
_EXTENDED_JOIN: Final = Cap.EXTENDED_JOIN.value
_ORDER: Final = Cap.ORDER.value
_REDACTION: Final = Cap.REDACTION.value
_MULTILINE: Final = Cap.BATCH | Cap.MULTILINE
_TEXTS: Final = frozenset({Kind.PRIVMSG, Kind.NOTICE})
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
        if msgid and entry.run:
            tags.append(f"msgid={entry.msgid}")
        if variant & _ORDER and entry.number:
            tags.append(f"{ORDER_TAG}={entry.number}")
        if bot:
            tags.append("bot")
        if entry.tags:
            tags.append(entry.tags)
    if variant & _ACCOUNT and entry.sender:
        tags.append(f"account={entry.sender}")
    return f"@{';'.join(tags)} " if tags else ""


def tag_sections(entries: Sequence[Entry], variant: int, *, bot: bool = False) -> Iterable[str]:
    """Give the `tag_section` of each of these messages, which differ in seq, text and number alone."""
    first = entries[0]
    whole = tag_section(first, variant, bot=bot)
    if not variant & _TAGS:
        return repeat(whole, len(entries))
    # What no two have in common: the end of the msgid, and the number.
    msgid = f"msgid={first.msgid}"
    before, _, after = whole.partition(msgid)
    before += msgid.removesuffix(f"{first.seq:x}")
    if not variant & _ORDER:
        return [f"{before}{entry.seq:x}{after}" for entry in entries]
    between, _, after = after.partition(f"{first.number}")
    return [f"{before}{entry.seq:x}{between}{entry.number}{after}" for entry in entries]


def lines(
    entry: Entry, body: str, audience: Audience, *, msgid: bool = True, bot: bool = False
) -> dict[int, bytes]:
    """Return variant to line for everybody in `audience`; `body` is the message from its source on.

    Whoever decided the entry has checked the parts: no CR, LF or NUL, and 512 bytes at most.
    """
    raw = body.encode() + b"\r\n"
    return {
        variant: tag_section(entry, variant, msgid=msgid, bot=bot).encode() + raw for variant in audience.variants
    }


def message_lines(entry: Entry, start: str, audience: Audience, *, bot: bool = False) -> dict[int, bytes]:
    """Return variant to the line or lines of a message; `start` is ":source COMMAND target".

    A variant that is not to hear of it is left out.
    """
    if entry.kind in _TEXTS and "\n" not in entry.text and "\r" not in entry.text:
        return lines(entry, f"{start} :{entry.text}", audience, bot=bot)
    told = {variant: message_line(entry, start, variant, bot=bot) for variant in audience.variants}
    return {variant: line for variant, line in told.items() if line}


def message_line(entry: Entry, start: str, variant: int, *, bot: bool = False) -> bytes:
    """Return the line or lines of a message for one variant, or nothing where that is not to hear of it.

    Only clients that read tags hear of a TAGMSG, and of a REDACT those that asked for it. A message of several
    lines is a batch for clients that know those, and single lines for others, blank ones left out (IRCv3
    multiline, "Fallback").
    """
    if entry.kind is Kind.REDACT:
        msgid, _, why = entry.text.partition(" ")
        body = f"{start} {msgid} :{why}" if why else f"{start} {msgid}"
        return f"{tag_section(entry, variant, bot=bot)}{body}\r\n".encode() if variant & _REDACTION else b""
    if entry.kind not in _TEXTS:
        return f"{tag_section(entry, variant, bot=bot)}{start}\r\n".encode() if variant & _TAGS else b""
    if "\n" not in entry.text and "\r" not in entry.text:
        return f"{tag_section(entry, variant, bot=bot)}{start} :{entry.text}\r\n".encode()
    parts = _LINES.split("\n" + entry.text)[1:]
    pairs = list(zip(parts[::2], parts[1::2], strict=True))
    several = _batch if variant & _MULTILINE == _MULTILINE else _single
    return several(entry, start, pairs, variant, bot=bot)


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


def event_body(entry: Entry, source: str, channel: str) -> str:
    """Return what a channel hears of a PART, KICK, TOPIC or MODE, from its source on."""
    if entry.kind is Kind.PART:
        return f":{source} PART {channel} :{entry.text}" if entry.text else f":{source} PART {channel}"
    if entry.kind is Kind.KICK:
        name, _, reason = entry.text.partition(" ")
        return f":{source} KICK {channel} {name} :{reason}"
    if entry.kind is Kind.TOPIC:
        return f":{source} TOPIC {channel} :{entry.text}"
    return f":{source} MODE {channel} {entry.text}"


def join_lines(entry: Entry, channel: str, person: Person, audience: Audience) -> dict[int, bytes]:
    """Return the JOIN of a person per variant (IRCv3 extended-join)."""
    return {variant: join_line(entry, channel, person, variant) for variant in audience.variants}


def join_line(entry: Entry, channel: str, person: Person, variant: int) -> bytes:
    """Return the JOIN of a person for one variant.

    An entry that is not itself a join (a member comes online) gives its time but not its msgid, which would
    stand for several channels.
    """
    body = f":{person.source} JOIN {channel}"
    if variant & _EXTENDED_JOIN:
        body += f" {person.name} :{person.realname}"
    tags = tag_section(entry, variant, msgid=entry.kind is Kind.JOIN, bot=person.bot)
    return f"{tags}{body}\r\n".encode()


def in_batch(data: bytes, reference: str) -> bytes:
    """Return lines as part of a batch; those of an inner one stay that (IRCv3 batch, "Nested batch")."""
    tag = f"batch={reference}"
    return b"".join(
        line if line.startswith(b"@batch=") else tagged(line, tag) for line in data.splitlines(keepends=True)
    )


def tagged(line: bytes, tag: str) -> bytes:
    """Return a line with one more tag in front; of several, the first is tagged."""
    return f"@{tag};".encode() + line[1:] if line.startswith(b"@") else f"@{tag} ".encode() + line


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


def note(server: str, command: str, code: str, *context: str, text: str) -> bytes:
    """Return a NOTE (IRCv3 standard-replies)."""
    return build("NOTE", command, code, *context, text, source=server)
