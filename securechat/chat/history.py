"""CHATHISTORY: pages of what was said, by message or by moment (IRCv3 chathistory, draft/event-playback)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from securechat.chat.conversations import pair
from securechat.chat.effects import Ask, Effects, Reply
from securechat.chat.people import Session
from securechat.chat.playback import batch, channel_scope, enclosed, name_of, other_side, reader
from securechat.chat.render import repeatable, timestamp
from securechat.protocol.capabilities import Cap
from securechat.protocol.message import Message
from securechat.protocol.names import MAX_CHANNEL, fold
from securechat.records import Page, Place, Scope, Stretch, Targets, Unanswered

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

COMMAND: Final = "CHATHISTORY"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FAR: Final = 2**53

Ends: TypeAlias = tuple[Place | None, ...]


class Wrong(Exception):  # noqa: N818  # it is an answer to somebody, not a failure of ours
    """A request that cannot be answered: the FAIL's code, its context and its text."""

    def __init__(self, code: str, *context: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.context = context
        self.text = text


def chathistory(hub: Hub, session: Session, message: Message) -> Effects:
    """CHATHISTORY LATEST|BEFORE|AFTER|AROUND <target> <place> <limit>: what was said; also BETWEEN and TARGETS.

    A place is timestamp=<moment>, msgid=<id>, or * for LATEST. BETWEEN <target> <place> <place> <limit>;
    TARGETS <moment> <moment> <limit> lists conversations by their newest message.
    """
    verb = message.params[0].upper()
    try:
        if verb == "TARGETS":
            yield _targets(hub, session, message.params[1:])
        else:
            yield _page(hub, session, verb, message.params[1:])
    except Wrong as wrong:
        yield hub.fail(session, COMMAND, wrong.code, repeatable(verb), *wrong.context, text=wrong.text)


def _page(hub: Hub, session: Session, verb: str, params: list[str]) -> Ask:
    row = _SUBCOMMANDS.get(verb)
    if row is None:
        raise Wrong("INVALID_PARAMS", text="Unknown command")
    places, make = row
    _count(params, places + 2)
    scope = scope_of(hub, session, params[0])
    ends = tuple(_place(word, star=verb == "LATEST") for word in params[1 : 1 + places])
    page = make(Page(scope, _limit(hub, params[-1])), ends)
    caps = session.caps
    page = page._replace(
        events=bool(caps & Cap.EVENT_PLAYBACK), redacted=bool(caps & Cap.ORDER and caps & Cap.REDACTION)
    )
    return Ask(session, page, partial(_show_page, hub, session, verb, params[0]))


def _targets(hub: Hub, session: Session, params: list[str]) -> Ask:
    _count(params, 3)
    first, last = (_place(word, star=False) for word in params[:2])
    if first is None or last is None or first.msgid or last.msgid:
        raise Wrong("INVALID_PARAMS", text="TARGETS wants two timestamps")
    question = Targets(reader(hub, session), first.time, last.time, _limit(hub, params[2]))
    return Ask(session, question, partial(_show_targets, hub, session))


def _count(params: list[str], wanted: int) -> None:
    if len(params) != wanted:
        raise Wrong("INVALID_PARAMS", text=f"{'Insufficient' if len(params) < wanted else 'Too many'} parameters")


def scope_of(hub: Hub, session: Session, target: str) -> Scope:
    """Return the conversation that a session means by a target. Raises Wrong where it may not read that."""
    person, account = session.person, session.account
    assert person is not None
    assert account is not None
    key = fold(target)
    channel = person.channels.get(key)
    if channel is not None:
        return channel_scope(channel, person.key)
    if not target or target.startswith(("#", "$")) or len(target) > MAX_CHANNEL or set(target) & set(" ,*?!@:"):
        raise Wrong("INVALID_TARGET", repeatable(target), text="Messages could not be retrieved")
    return Scope(pair(person.key, key), 0, account.created)


def _place(word: str, *, star: bool) -> Place | None:
    kind, equals, value = word.partition("=")
    if word == "*" and star:
        return None
    if kind == "msgid" and value:
        return Place(msgid=value)
    if kind == "timestamp":
        return Place(time=moment(value))
    if equals and kind not in ("msgid", "timestamp"):
        raise Wrong("INVALID_MSGREFTYPE", repeatable(word), text="Messages are found by msgid= and timestamp=")
    raise Wrong("INVALID_PARAMS", repeatable(word), text="Neither timestamp=... nor msgid=...")


def moment(text: str) -> int:
    """Return the milliseconds since 1970 of "2026-01-31T12:00:00.123Z" (server-time). Raises Wrong."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or not text.endswith("Z") or "T" not in text:
        raise Wrong("INVALID_PARAMS", repeatable(text), text="Invalid timestamp")
    # In whole numbers: a float would be a millisecond off now and then.
    passed = when - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1000 + passed.microseconds // 1000


def _limit(hub: Hub, word: str) -> int:
    number = int(word) if word.isascii() and word.isdecimal() and len(word) < 10 else 0
    if number < 1:
        raise Wrong("INVALID_PARAMS", repeatable(word), text="The limit is a number from 1")
    return min(number, hub.rules.limits.history_page)


def _show_page(hub: Hub, session: Session, verb: str, target: str, answer: Stretch | Unanswered) -> Effects:
    if isinstance(answer, Unanswered):
        yield unanswered(hub, session, answer, verb, repeatable(target))
        return
    name = name_of(hub, fold(target))
    yield batch(hub, session, "chathistory", name, answer.entries, complete=answer.complete)


def _show_targets(hub: Hub, session: Session, answer: list[tuple[str, int]] | Unanswered) -> Effects:
    if isinstance(answer, Unanswered):
        yield unanswered(hub, session, answer, "TARGETS", "*")
        return
    told = [
        f":{hub.rules.server} {COMMAND} TARGETS {other_side(hub, session, where)} {timestamp(time)}\r\n".encode()
        for where, time in answer
    ]
    yield enclosed(hub, session, "draft/chathistory-targets", told)


def unanswered(hub: Hub, session: Session, why: Unanswered, *context: str) -> Reply:
    """Return the FAIL of a page that could not be had."""
    code = "INVALID_PARAMS" if why.code == "UNKNOWN_PLACE" else "MESSAGE_ERROR"
    return hub.fail(session, COMMAND, code, *context, text=why.text)


_SUBCOMMANDS: Final[dict[str, tuple[int, Callable[[Page, Ends], Page]]]] = {
    "LATEST": (1, lambda page, ends: page._replace(after=ends[0], newest=True)),
    "BEFORE": (1, lambda page, ends: page._replace(before=ends[0], newest=True)),
    "AFTER": (1, lambda page, ends: page._replace(after=ends[0])),
    "AROUND": (1, lambda page, ends: page._replace(around=ends[0])),
    "BETWEEN": (2, lambda page, ends: page._replace(after=ends[0], before=ends[1])),
}
"""How many places each names, and the page that it means."""
