"""What was said and is being said, as lines for people (`tail`) or as JSON for programs (`tail --json`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime

from securechat.client.api import Client
from securechat.client.errors import ClientError, RefusedError
from securechat.client.happenings import Interrupted, Message, Said
from securechat.client.places import Gap
from securechat.client.text import clean
from securechat.client.words import _
from securechat.protocol.names import fold

PAGE = 500
LEAST = 50
"""What is asked for at least: much of what was said may be reactions."""


def last(chat: Client, targets: Sequence[str], count: int) -> list[Said]:
    """Return the last `count` things said in each conversation, in order of time. Raises ClientError.

    With a count of 0 it still asks, so that a conversation that we may not read is refused.
    """
    found: list[Said] = []
    for target in targets:
        try:
            if not count:
                chat.history(target, limit=1)
            found += _last(chat, target, count)
        except RefusedError as refusal:
            if refusal.code != "INVALID_TARGET":
                raise
            text = _("There is nothing of {} to read: there is no such channel, or you are not in it.")
            raise ClientError(text.format(clean(target))) from None
    return sorted(found, key=lambda said: said.time)


def _last(chat: Client, target: str, count: int) -> list[Said]:
    """Return the last `count` messages, with the reactions and removals among and behind them."""
    found: list[Said] = []
    missing = count
    while missing > 0:
        page = chat.history(target, before=found[0] if found else None, limit=min(PAGE, max(missing, LEAST)))
        if not page:
            break
        said = [one for one in page if isinstance(one, Said)]
        found[:0] = said
        missing -= sum(isinstance(one, Message) for one in said)
    places = [place for place, one in enumerate(found) if isinstance(one, Message)]
    return found[places[-count] :] if count and len(places) >= count else found


def without_doubles(targets: Sequence[str]) -> list[str]:
    """Return each conversation once, whatever its letters' case."""
    return list({fold(target): target for target in reversed(targets)}.values())[::-1]


def following(chat: Client, targets: Sequence[str], shown: Sequence[Said]) -> Iterator[Said | Gap | Interrupted]:
    """Give what is said from now on in these conversations (none: all), but nothing of `shown`.

    Ends when the client is closed. Raises ClientError at the end of the connection.
    """
    wanted = {fold(target) for target in targets}
    done: dict[str, int] = {}
    for said in shown:
        key = fold(said.conversation)
        done[key] = max(done.get(key, 0), said.number or 0)
    for event in chat:
        if isinstance(event, Interrupted):
            yield event
        elif isinstance(event, Gap):
            if event.back:  # the numbers begin again there
                key = fold(event.target)
                done[key] = min(done.get(key, 0), event.first - 1)
            if not wanted or fold(event.target) in wanted:
                yield event
        elif isinstance(event, Said):
            key = fold(event.conversation)
            if (not wanted or key in wanted) and (event.number is None or event.number > done.get(key, 0)):
                yield event


def as_json(event: Said | Gap) -> str:
    """Return an event as one line of JSON: its fields and its "type"."""
    table: dict[str, object] = {"type": type(event).__name__.lower()}
    if isinstance(event, Gap):
        table |= event._asdict()
    else:
        table |= {field.name: getattr(event, field.name) for field in fields(event)}
    return json.dumps(table, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    raise TypeError(type(value).__name__)


def as_text(event: Said | Gap) -> list[str]:
    """Return an event as lines that are harmless for a terminal; further lines of a message are indented."""
    if isinstance(event, Message):
        first, *rest = [clean(line) for line in event.text.split("\n")]
        sender, where = clean(event.sender), clean(event.target)
        name = f"* {sender}" if event.action else f"-{sender}-" if event.notice else f"<{sender}>"
        stamp = f"{event.time.astimezone():%Y-%m-%d %H:%M}"
        return [f"[{stamp}] {where} {name} {first}", *(f"        {line}" for line in rest)]
    if isinstance(event, Gap):
        text = _("lines {first} to {last} of {where} are missing")
        return [f"-- {text.format(first=event.first, last=event.last, where=clean(event.target))}"]
    return []
