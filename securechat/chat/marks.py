"""MARKREAD: up to where a person has read, on all their devices and for nobody else (IRCv3 read-marker)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from securechat.chat.effects import Effects, Fanout, Output, Reply
from securechat.chat.history import Wrong, moment, scope_of
from securechat.chat.people import Audience, Person, Session
from securechat.chat.playback import name_of
from securechat.chat.render import repeatable, timestamp
from securechat.protocol.capabilities import Cap
from securechat.protocol.message import Message, build
from securechat.protocol.names import fold
from securechat.records import Draft, Entry, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub


def markread(hub: Hub, session: Session, message: Message) -> Effects:
    """MARKREAD <target> [timestamp=<moment>]: asks up to where one has read, or says it; never goes back."""
    person, params = session.person, message.params
    assert person is not None
    if not params:
        yield hub.fail(session, "MARKREAD", "NEED_MORE_PARAMS", text="Missing parameters")
        return
    key = fold(params[0])
    try:
        _check_target(hub, session, params[0], key)
        read = _moment(params[1], hub.now) if len(params) > 1 else 0
    except Wrong as wrong:
        yield hub.fail(session, "MARKREAD", "INVALID_PARAMS", *wrong.context, text=wrong.text)
        return
    if read > hub.marks.get(person.key, {}).get(key, 0):
        yield Draft(Kind.MARK, key, person.key, str(read))
        if session.caps & Cap.READ_MARKER:
            return  # told like all other devices
    yield mark_line(hub, session, person, key)


def _check_target(hub: Hub, session: Session, target: str, key: str) -> None:
    """Let marks be set where there is something to read, so that nobody makes any number of them."""
    scope_of(hub, session, target)
    if not target.startswith("#") and key not in hub.accounts:
        raise Wrong("INVALID_PARAMS", repeatable(target), text="There is nobody of that name")


def _moment(word: str, now: int) -> int:
    kind, _, value = word.partition("=")
    if kind != "timestamp":
        raise Wrong("INVALID_PARAMS", repeatable(word), text="The moment is given as timestamp=...")
    return min(moment(value), now)


def mark_line(hub: Hub, session: Session, person: Person, key: str) -> Reply:
    """Return up to where a person has read a channel or a conversation with an account."""
    return Reply(session, _line(hub, person, key))


def _line(hub: Hub, person: Person, key: str) -> bytes:
    read = hub.marks.get(person.key, {}).get(key, 0)
    shown = f"timestamp={timestamp(read)}" if read else "*"
    # Not as a trailing parameter: clients look at this one without a parser's help.
    return build("MARKREAD", name_of(hub, key), shown, source=hub.rules.server).replace(b" :", b" ")


def apply_mark(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """A person has read on: all their devices that asked to know are told."""
    marks = hub.marks.setdefault(entry.sender, {})
    marks[entry.target] = max(int(entry.text), marks.get(entry.target, 0))
    person = hub.people.get(entry.sender)
    if hub.restoring or person is None:
        return []
    audience = Audience(session for session in person.sessions if session.caps & Cap.READ_MARKER)
    return [Fanout(audience, dict.fromkeys(audience.variants, _line(hub, person, entry.target)))]
