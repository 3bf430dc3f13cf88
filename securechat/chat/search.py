"""SEARCH: finding what was said, as soju.im/search has it (IRCv3 pull request 496)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Ask, Effects
from securechat.chat.history import Wrong, moment, scope_of
from securechat.chat.people import Session
from securechat.chat.playback import batch, reader
from securechat.chat.render import repeatable
from securechat.protocol.message import Message, parse_tags
from securechat.protocol.names import fold
from securechat.records import Search, Stretch, Unanswered

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

ATTRIBUTES: Final = frozenset({"in", "from", "after", "before", "text", "limit"})


def search(hub: Hub, session: Session, message: Message) -> Effects:
    """SEARCH <attribute>=<value>{;...}: in, from, after, before, text, limit; every word of text must be there."""
    try:
        question = _question(hub, session, parse_tags(message.params[0]))
    except Wrong as wrong:
        yield hub.fail(session, "SEARCH", "INVALID_PARAMS", *wrong.context, text=wrong.text)
        return
    yield Ask(session, question, partial(_show, hub, session))


def _question(hub: Hub, session: Session, wanted: dict[str, str]) -> Search:
    unknown = wanted.keys() - ATTRIBUTES
    if unknown:
        raise Wrong("INVALID_PARAMS", repeatable(min(unknown)), text="There is no such attribute")
    most = hub.rules.limits.search_results
    limit = wanted.get("limit", str(most))
    if not (limit.isascii() and limit.isdecimal() and 0 < len(limit) < 10 and int(limit)):
        raise Wrong("INVALID_PARAMS", "limit", text="The limit is a number from 1")
    place = wanted.get("in", "")
    question = Search(
        reader(hub, session),
        wanted.get("text", ""),
        min(int(limit), most),
        scope_of(hub, session, place).conversation if place else "",
        fold(wanted.get("from", "")),
        moment(wanted["after"]) if "after" in wanted else None,
        moment(wanted["before"]) if "before" in wanted else None,
    )
    if not (question.text.split() or question.sender or question.conversation):
        raise Wrong("INVALID_PARAMS", text="Say what to look for: text=..., from=... or in=...")
    return question


def _show(hub: Hub, session: Session, answer: Stretch | Unanswered) -> Effects:
    if isinstance(answer, Unanswered):
        yield hub.fail(session, "SEARCH", "INTERNAL_ERROR", text=answer.text)
    else:
        yield batch(hub, session, "soju.im/search", "", answer.entries)
