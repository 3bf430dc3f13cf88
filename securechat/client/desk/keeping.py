"""What of a talk outlives the program: drafts, what waits to be sent, what is muted. Pure: dicts in and out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from securechat.client.desk.talk import Talk
from securechat.client.desk.waiting import MAX_TEXT, read_waiting

VERSION: Final = 1
MAX_DRAFTS: Final = 200


def kept(talk: Talk) -> dict[str, Any]:
    """Return what is to be kept, made of plain JSON values."""
    conversations = talk.desk.conversations.values()
    return {
        "version": VERSION,
        "drafts": dict([(one.name, one.draft) for one in conversations if one.draft][:MAX_DRAFTS]),
        "muted": [one.name for one in conversations if one.muted],
        "waiting": [asdict(one) for one in talk.waiting.values()],
    }


def restore(talk: Talk, state: dict[str, Any]) -> None:
    """Take over what was kept, before the talk begins. What is not understood is left out."""
    if state.get("version") != VERSION:
        return
    drafts, muted, rows = state.get("drafts"), state.get("muted"), state.get("waiting")
    for name, text in list(drafts.items())[:MAX_DRAFTS] if isinstance(drafts, dict) else ():
        if isinstance(text, str) and name:
            talk.desk.open(name).draft = text[:MAX_TEXT]
    for name in muted[:MAX_DRAFTS] if isinstance(muted, list) else ():
        if isinstance(name, str) and name:
            talk.desk.open(name).muted = True
    for one in read_waiting(rows):
        talk.take_up(one)
