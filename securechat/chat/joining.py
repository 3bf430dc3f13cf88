"""From an invite to an account, before any login: CA, REGISTER and VERIFY (IRCv3 draft/account-registration).

Law 1: nothing here tells whether an account or an invite exists to anybody who has not its token.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Ask, Close, Effects, Reply
from securechat.chat.people import Registration, Session
from securechat.chat.registration import advance, logged_in
from securechat.chat.render import error, repeatable
from securechat.protocol.message import Message, build
from securechat.protocol.names import fold
from securechat.protocol.sasl import Credentials, pieces
from securechat.records import Account, Redeem, Unanswered

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

REFUSED: Final = "Refused: this invite is none for that name, was used or has expired; ask for another"
_OURS: Final = frozenset({"BUSY", "INTERNAL_ERROR"})
"""What is no fault of whoever tries, and counts for nothing."""
_ALREADY: Final = "You are logged in already"


def authority(hub: Hub, session: Session, message: Message) -> Effects:
    """CA: the certificate of this server's authority (DER, base64) in pieces of 400, to compare with an invite."""
    if not hub.rules.authority:
        yield hub.fail(session, "CA", "NO_AUTHORITY", text="Verify this server by your system's authorities")
        return
    for piece in pieces(hub.rules.authority):
        yield Reply(session, build("CA", piece, source=hub.rules.server))


def register(hub: Hub, session: Session, message: Message) -> Effects:
    """REGISTER <account> * <password>: choose a password for an account one is invited to make; then VERIFY."""
    account, _, password = message.params[:3]
    registration = session.registration
    if registration is None or session.account is not None:
        yield hub.fail(session, "REGISTER", "ALREADY_AUTHENTICATED", repeatable(account), text=_ALREADY)
        return
    name = registration.nick if account == "*" else account
    if not name:
        yield hub.fail(
            session, "REGISTER", "NEED_NICK", "*", text="Say which account: REGISTER <account> * <password>"
        )
        return
    registration.joining = Credentials(name, password)
    told = "Now send your invite's token: VERIFY <account> <token>"
    line = build("REGISTER", "VERIFICATION_REQUIRED", repeatable(name), told, source=hub.rules.server)
    yield Reply(session, line)


def verify(hub: Hub, session: Session, message: Message) -> Effects:
    """VERIFY <account> <token>: make the account that an invite is for, with the password of REGISTER; log in."""
    account, token = message.params[:2]
    registration = session.registration
    if registration is None or session.account is not None:
        yield hub.fail(session, "VERIFY", "ALREADY_AUTHENTICATED", repeatable(account), text=_ALREADY)
        return
    joining, registration.joining = registration.joining, None
    if joining is None or fold(joining.name) != fold(account):
        text = "Choose a password first: REGISTER <account> * <password>"
        yield hub.fail(session, "VERIFY", "INVALID_CODE", repeatable(account), text=text)
        return
    request = Redeem(joining.name, token, joining.password)
    yield Ask(session, request, partial(_redeemed, hub, session, repeatable(account)))


def _redeemed(hub: Hub, session: Session, shown: str, answer: Account | Unanswered | None) -> Effects:
    registration = session.registration
    if registration is None:
        return
    if isinstance(answer, Account):
        told = f"The account {answer.name} is yours; you are logged in"
        yield Reply(session, build("VERIFY", "SUCCESS", answer.name, told, source=hub.rules.server))
        yield from logged_in(hub, session, answer, "")
        yield from advance(hub, session, registration)
        return
    if isinstance(answer, Unanswered) and answer.code in _OURS:
        yield hub.fail(session, "VERIFY", "TEMPORARILY_UNAVAILABLE", shown, text=answer.text)
        return
    code, text = (answer.code, answer.text) if answer is not None else ("INVALID_CODE", REFUSED)
    yield hub.fail(session, "VERIFY", code, shown, text=text)
    yield from _count(hub, session, registration)


def _count(hub: Hub, session: Session, registration: Registration) -> Effects:
    """Count a try as one at a password."""
    registration.tries += 1
    if registration.tries >= hub.rules.limits.login_tries:
        yield Close(session, error(f"{REFUSED} ({registration.tries} tries)"), "invite refused too often")
