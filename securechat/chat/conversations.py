"""Which conversation an entry belongs to, and who else is in it."""

from __future__ import annotations

from typing import Final

from securechat.protocol.names import fold
from securechat.records import SAID, Kind

EVENTS: Final = frozenset({Kind.JOIN, Kind.PART, Kind.TOPIC, Kind.MODE, Kind.KICK})
"""Kinds of a channel's history besides what is said (IRCv3 chathistory, draft/event-playback)."""


def conversation(kind: int, target: str, sender: str, text: str) -> str:
    """Return the conversation (see `records.Entry`) of an entry with these parts, or empty.

    What is for everybody is part of none; nor is a CTCP request, which a program would answer again later.
    """
    if kind in SAID:
        if text.startswith("\x01") and not text.startswith("\x01ACTION"):
            return ""
        if target.startswith("#"):
            return target
        return pair(target, fold(sender)) if target != "*" else ""
    return target if kind in EVENTS else ""


def pair(one: str, other: str) -> str:
    """Return the conversation of two accounts' keys; keys have no spaces."""
    return f"{one} {other}" if one <= other else f"{other} {one}"


def partner(conversation_: str, key: str) -> str:
    """Return the key of whom `key` talks to: a channel, the other account, or itself for notes to oneself."""
    one, _, other = conversation_.partition(" ")
    return other if other and one == key else one
