"""What a decision can ask for, and what applying an entry gives out. Handlers return these and never send."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

from securechat.chat.people import Audience, Channel, Session
from securechat.protocol.sasl import Credentials
from securechat.records import Draft, Kind, Question, Request


class Reply(NamedTuple):
    """Lines for one session, CR LF included."""

    session: Session
    data: bytes


class Fanout(NamedTuple):
    """One entry for many: its line per variant; a variant without one does not hear of it.

    `skip` is a session that said it and wants no echo.
    """

    audience: Audience
    lines: dict[int, bytes]
    skip: Session | None = None


class Ask(NamedTuple):
    """Find the answer elsewhere; the session's later lines wait for what `then` decides of it.

    Credentials and Redeem are answered by an Account, or None where they are wrong; the others as `records` says.
    Any of them can be answered by Unanswered. The question is put after this turn has been committed.
    """

    session: Session
    question: Credentials | Question | Request
    then: Callable[[Any], Effects]


class Burst(NamedTuple):
    """As many drafts as there are texts, all from one session for one channel: see `chat.burst`."""

    session: Session
    kind: Kind
    channel: Channel
    sender: str
    texts: list[str]


class Admit(NamedTuple):
    """The session has logged in: what holds for strangers (deadlines) holds no more."""

    session: Session


class Refused(NamedTuple):
    """A login was refused; `why` is for the operator's log. Those by password are noted where they are checked."""

    session: Session
    why: str


class Close(NamedTuple):
    """End a session after sending `data`. `reason` is for the operator's log."""

    session: Session
    data: bytes
    reason: str


class Rehash(NamedTuple):
    """Read users, certificates and message of the day again, and tell the session."""

    session: Session


Effect: TypeAlias = Draft | Burst | Reply | Ask | Admit | Refused | Close | Rehash
Effects: TypeAlias = Iterable[Effect]
"""A decision. Each draft is applied before the next effect is asked for: where what follows depends on that, the
handler is a generator."""

Output: TypeAlias = Reply | Fanout
