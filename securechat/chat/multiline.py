"""BATCH from clients: a message of several lines, taken whole or not at all (IRCv3 client-batch, multiline)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Effects, Reply
from securechat.chat.labels import own_label
from securechat.chat.people import Batch, Session
from securechat.chat.render import excess, repeatable, size
from securechat.chat.retry import say_once, take_key
from securechat.chat.sending import client_tags
from securechat.protocol.capabilities import MULTILINE_BYTES, MULTILINE_LINES, Cap
from securechat.protocol.message import Message, parse_tags
from securechat.records import Draft, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

TYPE: Final = "draft/multiline"
CONCAT: Final = "draft/multiline-concat"
NEXT_LINE, SAME_LINE = "\n", "\r"
"""What joins lines in an entry's text: a line feed, or a carriage return where CONCAT was said."""


def batch(hub: Hub, session: Session, message: Message) -> Effects:
    """BATCH +<reference> draft/multiline <target>: one message of several lines, up to BATCH -<reference>."""
    sign, reference = message.params[0][:1], message.params[0][1:]
    if sign == "+" and reference:
        if session.batch is not None:
            text = "The batch before this one was not ended; nothing of it was sent"
            yield _failed(hub, session, ("MULTILINE_INVALID", text))
        session.batch = _opened(session, message, reference)
    elif sign == "-" and session.batch is not None and session.batch.reference == reference:
        done, session.batch = session.batch, None
        yield from _finish(hub, session, done)
    else:
        yield _failed(hub, session, ("MULTILINE_INVALID", "No such batch is open"))


def _opened(session: Session, message: Message, reference: str) -> Batch:
    """Return a batch that begins. One that cannot be takes its lines all the same, and is refused at its end."""
    kind, target = (*message.params[1:3], "", "")[:2]
    opened = Batch(reference, target, client_tags(message.tags), own_label(session, message))
    if not session.caps & Cap.MULTILINE:
        opened.fault = ("MULTILINE_INVALID", "Ask for the capability draft/multiline first")
    elif kind != TYPE:
        opened.fault = ("UNKNOWN_TYPE", repeatable(reference), repeatable(kind), f"The one type here is {TYPE}")
    elif not target or "," in target:
        opened.fault = ("MULTILINE_INVALID", "A multiline batch has one target")
    return opened


def collect(hub: Hub, session: Session, message: Message) -> Effects | None:
    """Take a line that belongs to a batch; None for one that does not.

    A wrong line is answered at the batch's end. One of a batch that is not open is never sent by itself.
    """
    if "batch=" not in message.tags or session.person is None:
        return None
    tags, open_batch = parse_tags(message.tags), session.batch
    if "batch" not in tags:
        return None
    if open_batch is None or tags["batch"] != open_batch.reference:
        text = "This line was not sent: the batch that it belongs to is not open"
        return iter((_failed(hub, session, ("MULTILINE_INVALID", text)),))
    if not open_batch.fault:
        open_batch.fault = _add(session, open_batch, message, concat=CONCAT in tags)
    return iter(())


def _add(session: Session, batch_: Batch, message: Message, *, concat: bool) -> tuple[str, ...]:
    """Add one line; return the fault that it has, if any."""
    person, params = session.person, message.params
    assert person is not None
    kinds = {"PRIVMSG", "NOTICE"} if not batch_.command else {batch_.command}
    if message.command not in kinds or len(params) < 2:
        return ("MULTILINE_INVALID", "A multiline batch has PRIVMSG lines only, or NOTICE lines only")
    if params[0] != batch_.target:
        shown = repeatable(batch_.target), repeatable(params[0])
        return ("MULTILINE_INVALID_TARGET", *shown, "A line has another target than its batch")
    text = params[1]
    if (concat and not text) or excess(person.source_size, message.command, params[0], text) > 0:
        return ("MULTILINE_INVALID", "A line is too long with its source, or an empty one is to be appended")
    batch_.text += text if not batch_.lines else (SAME_LINE if concat else NEXT_LINE) + text
    batch_.command = message.command
    batch_.lines += 1
    batch_.size += size(text) + (batch_.lines > 1 and not concat)
    if batch_.lines > MULTILINE_LINES:
        return ("MULTILINE_MAX_LINES", str(MULTILINE_LINES), f"At most {MULTILINE_LINES} lines; nothing was sent")
    if batch_.size > MULTILINE_BYTES:
        return ("MULTILINE_MAX_BYTES", str(MULTILINE_BYTES), f"At most {MULTILINE_BYTES} bytes; nothing was sent")
    return ()


def _finish(hub: Hub, session: Session, done: Batch) -> Effects:
    if done.fault:
        yield _failed(hub, session, done.fault)
    elif not done.text.strip(NEXT_LINE + SAME_LINE):
        yield _failed(hub, session, ("MULTILINE_INVALID", "The message has blank lines only"))
    else:
        kind = Kind.PRIVMSG if done.command == "PRIVMSG" else Kind.NOTICE
        session.active = hub.now
        tags, key = take_key(done.tags)
        yield from say_once(hub, session, Draft(kind, done.target, "", done.text, tags, key))


def _failed(hub: Hub, session: Session, fault: tuple[str, ...]) -> Reply:
    code, *context, text = fault
    return hub.fail(session, "BATCH", code, *context, text=text)
