"""What a device has missed, for clients that cannot ask: sent at its login, once, before anything new.

How far a device has got is known from its answers to PING: everything sent before that had arrived. It is kept
by account and device, so that neither a restart nor a cut connection loses a line. What was sent in the seconds
before a cut may come again; a client that asks for `draft/chathistory` has msgids against that and gets no replay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Ask, Close, Effects, Output, Reply
from securechat.chat.people import Person, Session
from securechat.chat.playback import dated, entry_line, readable, reader
from securechat.chat.render import error
from securechat.protocol.capabilities import Cap
from securechat.protocol.message import build, clip
from securechat.records import SAID, Draft, Entry, Kind, Missed, Stretch, Unanswered

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

CONFIRM_MILLISECONDS: Final = 10_000
"""How often a device is asked whether it has got what was sent."""
MAX_DEVICE: Final = 32
_NOTHING: Final = Stretch([], complete=True)
_ASKED: Final = "seen-"
_SPOKEN: Final = (Kind.PRIVMSG, Kind.NOTICE)
_COUNTED: Final = tuple(sorted(SAID))


def catch_up(hub: Hub, session: Session, then: Callable[[Stretch], Effects]) -> Effects:
    """Find what a session's device has missed and go on with that; with nothing where its client can ask."""
    account = session.account
    assert account is not None
    if session.caps & Cap.CHATHISTORY:
        yield from then(_NOTHING)
        return
    seen = hub.seen.get(account.key, {}).get(session.device)
    limits = hub.rules.limits
    limit = limits.replay if seen is not None else limits.first_replay
    # Who counts would miss what has a number and is not sent; to others it would only use up the limit.
    kinds = _COUNTED if session.caps & Cap.ORDER else _SPOKEN
    question = Missed(reader(hub, session), seen or 0, limit, kinds)
    yield Ask(session, question, partial(_found, hub, session, then, question, hub.newest))


def _found(
    hub: Hub,
    session: Session,
    then: Callable[[Stretch], Effects],
    question: Missed,
    asked: int,
    answer: Stretch | Unanswered,
) -> Effects:
    """Add what was said since the log was asked; if that is more than is remembered, ask again."""
    if isinstance(answer, Unanswered):
        # To let it in would make what it missed count as seen. Clients come again by themselves.
        yield Close(session, error(answer.text), "what it missed could not be read")
        return
    recent = hub.recent
    if recent and len(recent) == recent.maxlen and recent[0].seq > asked + 1:
        yield from catch_up(hub, session, then)
        return
    who = reader(hub, session)
    missed = {entry.seq: entry for entry in answer.entries if readable(entry, who)}
    later = (entry for entry in recent if entry.seq > asked and entry.kind in question.kinds)
    missed |= {entry.seq: entry for entry in later if readable(entry, who)}
    entries = [missed[seq] for seq in sorted(missed)]
    whole = answer.complete and len(entries) <= question.limit
    yield from then(Stretch(entries[-question.limit :], whole or not question.seq))


def replay(hub: Hub, session: Session, missed: Stretch) -> Effects:
    """Send what was missed, as ordinary lines, and ask whether it arrived. Say so where that is not all."""
    told = [entry_line(hub, session, dated(hub, session, entry)) for entry in missed.entries]
    session.asked = hub.newest
    if told and not missed.complete:
        text = f"This device has missed more: only the newest {len(told)} lines follow; the server keeps all"
        yield Reply(session, build("NOTICE", session.nick, text, source=hub.rules.server))
    if told:
        yield Reply(session, b"".join(told))
        yield _ask(hub, session)


def confirm(hub: Hub) -> Effects:
    """Ask devices whether they have got what was sent to them since they last said so, now and then."""
    if hub.now < hub.confirm_at:
        return
    hub.confirm_at = hub.now + CONFIRM_MILLISECONDS
    for person in list(hub.people.values()):
        newest = max([person.newest, *(channel.newest for channel in person.channels.values())])
        for session in person.sessions:
            if newest > session.asked and not session.caps & Cap.CHATHISTORY:
                yield _ask(hub, session)


def _ask(hub: Hub, session: Session) -> Reply:
    session.asked = hub.newest
    return Reply(session, build("PING", f"{_ASKED}{hub.newest:x}", source=hub.rules.server))


def confirmed(hub: Hub, session: Session, token: str) -> Effects:
    """Note that a device has got everything up to the question that it answers."""
    person = session.person
    if person is None or token != f"{_ASKED}{session.asked:x}" or session.seen == session.asked:
        return
    session.seen = session.asked
    yield from note(hub, session, person, session.seen)


def note(hub: Hub, session: Session, person: Person, seq: int) -> Effects:
    """Keep how far a device has got. One device too many makes the one forgotten that is furthest behind."""
    places = hub.seen.get(person.key, {})
    if session.caps & Cap.CHATHISTORY or places.get(session.device, -1) >= seq:
        return
    if session.device not in places and len(places) >= hub.rules.limits.devices_known:
        yield Draft(Kind.SEEN, min(places, key=lambda device: places[device]), person.key)
    yield Draft(Kind.SEEN, session.device, person.key, str(seq))


def device_name(text: str) -> str:
    """Return the name of a device as it is kept."""
    return clip(text, MAX_DEVICE)


def apply_seen(hub: Hub, entry: Entry, origin: Session | None) -> list[Output]:
    """A device has got further, or is forgotten. Nobody hears of it."""
    places = hub.seen.setdefault(entry.sender, {})
    if entry.text:
        places[entry.target] = int(entry.text)
    else:
        places.pop(entry.target, None)
    return []
