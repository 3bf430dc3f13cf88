"""Logs with things said in them, made without a server."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from securechat.chat.conversations import conversation
from securechat.protocol.names import fold
from securechat.records import LATEST, SAID, Draft, Entry, Kind
from securechat.storage.log import SqliteLog

NOON = int(datetime(2026, 1, 31, 12).astimezone().timestamp() * 1000)
MINUTE = 60_000
DAY = 24 * 60 * MINUTE


def fill(path: Path, *drafts: Draft, start: int = NOON, step: int = MINUTE) -> list[Entry]:
    """Add to the log in `path`, a `step` of time apart; give the entries."""
    log = SqliteLog(path, conversation)
    newest = log.last()
    seq, made, numbers = newest.seq if newest else 0, [], {}
    for index, draft in enumerate(drafts):
        if draft.kind in LATEST:
            made.append(Entry(0, "", 0, *draft))
            continue
        seq += 1
        where = conversation(draft.kind, draft.target, draft.sender, draft.text)
        number = 0
        if where and draft.kind in SAID:
            number = numbers[where] = numbers.get(where, log.number(where)) + 1
        made.append(Entry(seq, "id", start + index * step, *draft, where, number))
    begun = 0
    for index, entry in enumerate(made):
        if entry.kind is Kind.FORGET:  # in a turn of its own
            log.append(made[begun:index])
            log.append([entry])
            begun = index + 1
    log.append(made[begun:])
    log.close()
    return made


def said(target: str, sender: str, text: str, kind: Kind = Kind.PRIVMSG) -> Draft:
    return Draft(kind, fold(target), sender, text)
