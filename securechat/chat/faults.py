"""How lines that are no messages are answered: in a sentence, and never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Close, Effects
from securechat.chat.people import Session
from securechat.chat.render import error
from securechat.protocol import numerics
from securechat.protocol.errors import Fault

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

_FAILS: Final = {
    Fault.BAD_UTF8: ("INVALID_UTF8", "Your line was not sent: set your client to UTF-8"),
    Fault.BAD_BYTES: ("INVALID_LINE", "Your line was not sent: it has NUL or CR inside"),
    Fault.BAD_SHAPE: ("INVALID_LINE", "Your line was not sent: it is not an IRC message"),
}


def refuse(hub: Hub, session: Session, fault: Fault) -> Effects:
    """Decide the answer to a fault; only a line without end costs the connection."""
    if fault is Fault.TOO_LONG:
        text = "Your line was too long and was not sent; send it in several"
        yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(text,))
    elif fault is Fault.ENDLESS:
        yield from hub.depart(session, "Line without end")
        yield Close(session, error("A line without end was sent"), "sent a line without end")
    else:
        code, text = _FAILS[fault]
        yield hub.fail(session, "*", code, text=text)
