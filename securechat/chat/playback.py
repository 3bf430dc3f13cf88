"""What was said earlier, as somebody may read it and as their client reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from securechat.chat.conversations import partner
from securechat.chat.effects import Reply
from securechat.chat.people import Channel, Person, Session
from securechat.chat.render import event_body, excess, in_batch, join_line, message_line, tag_section, timestamp
from securechat.protocol.capabilities import Cap
from securechat.protocol.names import fold
from securechat.records import SAID, Entry, Kind, Reader, Scope

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

_REFERENCE: Final = "h"
"""A batch is sent whole, so its reference need not differ from that of the next."""


def reader(hub: Hub, session: Session) -> Reader:
    """Return what somebody may read: their channels, and their direct messages since the account was made."""
    person, account = session.person, session.account
    assert account is not None
    channels = person.channels if person is not None else hub.person(account.name).channels
    scopes = tuple(channel_scope(channel, account.key) for channel in channels.values())
    return Reader(account.key, scopes, account.created)


def channel_scope(channel: Channel, key: str) -> Scope:
    """Return how far back a member may read: all of it, or with +H what was said since they joined."""
    return Scope(channel.key, channel.members[key].seq if "H" in channel.flags else 0)


def readable(entry: Entry, who: Reader) -> bool:
    """Whether somebody may read an entry (the log's queries ask the same)."""
    if " " in entry.conversation:
        return who.account in entry.conversation.split(" ") and entry.time >= who.since
    return any(scope.conversation == entry.conversation and entry.seq >= scope.seq for scope in who.channels)


def batch(
    hub: Hub, session: Session, kind: str, target: str, entries: Iterable[Entry], *, complete: bool = False
) -> Reply:
    """Return entries as a batch, or as single lines for clients without (IRCv3 chathistory).

    `complete` marks it as the last one in its direction (draft/chathistory-end).
    """
    told = [line for entry in entries if (line := entry_line(hub, session, entry))]
    end = "@draft/chathistory-end " if complete and session.caps & Cap.MESSAGE_TAGS else ""
    return enclosed(hub, session, f"{kind} {target}".rstrip(), told, end)


def enclosed(hub: Hub, session: Session, opening: str, told: list[bytes], tags: str = "") -> Reply:
    """Return lines in a batch that `opening` (type and parameters) begins; without it where it is not known."""
    if not session.caps & Cap.BATCH:
        return Reply(session, b"".join(told))
    server = hub.rules.server
    start = f"{tags}:{server} BATCH +{_REFERENCE} {opening}\r\n".encode()
    inner = b"".join(in_batch(line, _REFERENCE) for line in told)
    return Reply(session, start + inner + f":{server} BATCH -{_REFERENCE}\r\n".encode())


def entry_line(hub: Hub, session: Session, entry: Entry) -> bytes:
    """Return an entry as it was sent then, to this session; empty where that would not have heard of it."""
    person = _person(hub, entry.sender)
    name = display_name(hub, session, entry)
    if entry.kind is Kind.REDACTED:
        # Its place, for those who count; to others it never was.
        entry = entry._replace(kind=Kind.REDACT, text=entry.msgid, run="")
    if entry.kind in SAID:
        return message_line(entry, f":{person.source} {entry.kind.name} {name}", session.caps)
    if entry.kind is Kind.JOIN:
        return join_line(entry, name, person, session.caps)
    return f"{tag_section(entry, session.caps)}{event_body(entry, person.source, name)}\r\n".encode()


def dated(hub: Hub, session: Session, entry: Entry) -> Entry:
    """Return a message that says itself when it was said, for clients that do not read the time of a line.

    One that would then be too long for a line stays as it is.
    """
    if session.caps & Cap.SERVER_TIME or entry.text.startswith("\x01"):
        return entry
    text = f"[{timestamp(entry.time)[:16].replace('T', ' ')} UTC] {entry.text}"
    size, name = _person(hub, entry.sender).source_size, display_name(hub, session, entry)
    fits = all(excess(size, entry.kind.name, name, line) <= 0 for line in re.split("[\n\r]", text))
    return entry._replace(text=text) if fits else entry


def display_name(hub: Hub, session: Session, entry: Entry) -> str:
    """Return the target of an entry's line: the channel, or who was spoken to, as their owners write it."""
    channel = hub.channels.get(entry.conversation)
    if channel is not None:
        return channel.name
    account = session.account
    if account is not None and entry.target == account.key:
        return account.name
    return name_of(hub, entry.target)


def name_of(hub: Hub, key: str) -> str:
    """Return the name of an account or channel as its owner writes it; the key of one that is gone."""
    channel, account = hub.channels.get(key), hub.accounts.get(key)
    return channel.name if channel else account.name if account else key


def other_side(hub: Hub, session: Session, conversation: str) -> str:
    """Return the name under which a session knows a conversation."""
    assert session.account is not None
    return name_of(hub, partner(conversation, session.account.key))


def _person(hub: Hub, name: str) -> Person:
    key = fold(name)
    return hub.people.get(key) or Person(name, key)
