"""REDACT: taking a message back (IRCv3 message-redaction). It is gone for good; that it was there is not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from securechat.chat.effects import Ask, Effects
from securechat.chat.history import Wrong, scope_of
from securechat.chat.messages import too_long
from securechat.chat.people import Session
from securechat.chat.render import excess, repeatable
from securechat.protocol import numerics
from securechat.protocol.message import Message
from securechat.protocol.names import fold
from securechat.records import Draft, Entry, Kind, Lookup, Scope, Unanswered

if TYPE_CHECKING:
    from securechat.chat.hub import Hub


def redact(hub: Hub, session: Session, message: Message) -> Effects:
    """REDACT <target> <msgid> [:<reason>]: takes a message back: one's own, or any where one runs the channel."""
    target, msgid, reason = (*message.params, "")[:3]
    person = session.person
    assert person is not None
    try:
        scope = scope_of(hub, session, target)
    except Wrong:
        text = "You cannot delete messages from there"
        yield hub.fail(session, "REDACT", "INVALID_TARGET", repeatable(target), text=text)
        return
    over = excess(person.source_size, f"REDACT {target} {msgid}", "", reason)
    if over > 0:
        yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),))
        return
    then = partial(_found, hub, session, scope, target, f"{msgid} {reason}".rstrip())
    yield Ask(session, Lookup(msgid=msgid), then)


def _found(
    hub: Hub, session: Session, scope: Scope, target: str, text: str, answer: Entry | Unanswered | None
) -> Effects:
    person, account = session.person, session.account
    assert person is not None
    assert account is not None
    shown = repeatable(target), repeatable(text.partition(" ")[0])
    if isinstance(answer, Unanswered):
        yield hub.fail(session, "REDACT", "UNKNOWN_MSGID", *shown, text=answer.text)
        return
    if answer is None or not _within(answer, scope):
        why = "This message does not exist, or was taken back already"
        yield hub.fail(session, "REDACT", "UNKNOWN_MSGID", *shown, text=why)
        return
    own = fold(answer.sender) == person.key and answer.time >= account.created
    channel = person.channels.get(scope.conversation)
    if not own and (channel is None or not hub.operates(person, channel)):
        why = "You may take back your own messages only"
        yield hub.fail(session, "REDACT", "REDACT_FORBIDDEN", *shown, text=why)
        return
    yield Draft(
        Kind.REDACT, answer.target if channel is not None else _recipient(answer, person.key), person.name, text
    )


def _within(entry: Entry, scope: Scope) -> bool:
    kinds = (Kind.PRIVMSG, Kind.NOTICE, Kind.TAGMSG)
    same = entry.conversation == scope.conversation and entry.kind in kinds
    return same and entry.seq >= scope.seq and entry.time >= scope.time


def _recipient(entry: Entry, key: str) -> str:
    """Return the other side of a direct message as seen from `key`."""
    return entry.target if entry.target != key else fold(entry.sender)
