"""From a connection to a member: CAP, SASL, PASS, NICK, USER; and PING, PONG, QUIT, which anybody may say.

Law 1: nothing here tells a stranger anything but what the server can do and whether the login worked.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from securechat.chat.effects import Admit, Ask, Close, Effects, Refused, Reply
from securechat.chat.messages import banned
from securechat.chat.people import Registration, Session
from securechat.chat.render import error, fail, repeatable, size
from securechat.chat.replay import catch_up, confirmed, device_name, note, replay
from securechat.protocol import capabilities, numerics
from securechat.protocol.framing import MAX_BODY
from securechat.protocol.message import Message, build, clip, fill
from securechat.protocol.names import MAX_NICK, fold
from securechat.protocol.sasl import MECHANISMS, Credentials, Exchange, SaslError, decode_external, decode_plain
from securechat.records import Account, Draft, Kind, Stretch, Unanswered

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

MAX_REALNAME = 64
MAX_REALNAME_BYTES = 96
"""Longest real name, in characters (ISUPPORT NAMELEN) and in UTF-8; a longer one is cut at login, as is usual."""
MAX_TOKEN = 390
"""Longest PING token in bytes: its PONG has the server's name twice."""
REFUSED = "Login refused: the name or the password is wrong"
NO_CERTIFICATE = (
    "Login refused: there is no client certificate, or it is not known here (any more); log in by password"
)
HOW_TO_LOG_IN = (
    "This server needs a login: set SASL PLAIN (or the server password NAME:PASSWORD) "
    "to your account in your client's settings"
)


def cap(hub: Hub, session: Session, message: Message) -> Effects:
    """CAP LS|LIST|REQ|END: LS and REQ hold up the login until END (IRCv3 capability-negotiation)."""
    registration = session.registration
    verb, rest = message.params[0].upper(), message.params[1:]
    if registration is not None and verb in ("LS", "REQ"):
        registration.negotiating = True
    if verb == "LS":
        modern = bool(rest and rest[0].isdecimal() and int(rest[0][:4]) >= 302)
        if modern:
            session.caps |= capabilities.Cap.CAP_NOTIFY
        yield from _cap_words(hub, session, "LS", capabilities.advertise(values=modern), several=modern)
    elif verb == "LIST":
        yield from _cap_words(hub, session, "LIST", capabilities.listed(session.caps), several=True)
    elif verb == "REQ":
        yield from _cap_request(hub, session, " ".join(rest))
    elif verb == "END":
        if registration is not None:
            registration.negotiating = False
            yield from advance(hub, session, registration)
    else:
        yield hub.numeric(session, numerics.ERR_INVALIDCAPCMD, repeatable(verb))


def _cap_words(hub: Hub, session: Session, verb: str, words: list[str], *, several: bool) -> Effects:
    lines = fill(words, _cap_room(hub, session, verb))
    for line in lines:
        more = ["*"] if several and line is not lines[-1] else []
        yield Reply(session, build("CAP", session.nick, verb, *more, line, source=hub.rules.server))


def _cap_room(hub: Hub, session: Session, verb: str) -> int:
    """Return the bytes of capability names that fit one CAP line."""
    return MAX_BODY - size(f":{hub.rules.server} CAP {session.nick} {verb} * :\r\n")


def _cap_request(hub: Hub, session: Session, words: str) -> Effects:
    granted = capabilities.request(words, session.caps)
    if granted is not None:
        session.caps = granted
        if session.person is not None:
            session.person.devices_changed()
    verb = "NAK" if granted is None else "ACK"
    # The words are repeated as they came; those of an overlong list would not fit and are refused unread.
    shown = words if size(words) <= _cap_room(hub, session, verb) else ""
    yield Reply(session, build("CAP", session.nick, verb, shown, source=hub.rules.server))


def authenticate(hub: Hub, session: Session, message: Message) -> Effects:
    """AUTHENTICATE <word>: PLAIN or EXTERNAL, then the response in pieces of 400; "*" aborts (IRCv3 sasl-3.1)."""
    registration, word = session.registration, message.params[0]
    if registration is None or session.account is not None:
        yield hub.numeric(session, numerics.ERR_SASLALREADY)
    elif word == "*":
        registration.exchange = None
        yield hub.numeric(session, numerics.ERR_SASLABORTED)
    elif registration.exchange is None:
        if word.upper() in MECHANISMS:
            registration.exchange = Exchange(word.upper())
            yield Reply(session, b"AUTHENTICATE +\r\n")
        else:
            yield hub.numeric(session, numerics.RPL_SASLMECHS, ",".join(MECHANISMS))
            text = f"This mechanism is not available; use {' or '.join(MECHANISMS)}"
            yield hub.numeric(session, numerics.ERR_SASLFAIL, text=(text,))
    else:
        yield from _response(hub, session, registration, registration.exchange, word)


def _response(hub: Hub, session: Session, registration: Registration, exchange: Exchange, word: str) -> Effects:
    try:
        response = exchange.feed(word)
        if response is None:
            return
        registration.exchange = None
        if exchange.mechanism == "EXTERNAL":
            yield from _external(hub, session, registration, decode_external(response))
            return
        credentials = decode_plain(response)
    except SaslError as wrong:
        registration.exchange = None
        if wrong.too_long:
            yield hub.numeric(session, numerics.ERR_SASLTOOLONG)
        else:
            why = NO_CERTIFICATE if exchange.mechanism == "EXTERNAL" else REFUSED
            yield from _refused(hub, session, registration, why)
        return
    yield Ask(session, credentials, partial(answered, hub, session, credentials))


def _external(hub: Hub, session: Session, registration: Registration, name: str) -> Effects:
    """Log in by the client certificate. The users file as it is in this turn says whose it is, if anybody's."""
    account, device = hub.devices.get(session.certificate, (None, None))
    if (
        account is None
        or device is None
        or account.disabled
        or device.not_after <= hub.now
        or (name and fold(name.partition("@")[0]) != account.key)
    ):
        yield Refused(session, f"certificate {session.certificate[:16] or 'missing'}")
        yield from _refused(hub, session, registration, NO_CERTIFICATE)
        return
    session.proof = device
    yield from logged_in(hub, session, account, device.name)
    yield hub.numeric(session, numerics.RPL_SASLSUCCESS)
    yield from advance(hub, session, registration)


def password(hub: Hub, session: Session, message: Message) -> Effects:
    """PASS <name>:<password>: for clients without SASL. Checked when NICK and USER are there."""
    registration = session.registration
    if registration is None:
        yield hub.numeric(session, numerics.ERR_ALREADYREGISTERED)
        return
    # irssi sends a password with spaces as several parameters.
    name, colon, secret = " ".join(message.params).partition(":")
    if not (name and colon and secret):
        text = "Set the server password to NAME:PASSWORD"
        yield hub.numeric(session, numerics.ERR_PASSWDMISMATCH, text=(text,))
        return
    registration.passed = Credentials(name, secret)


def nick(hub: Hub, session: Session, message: Message) -> Effects:
    """NICK: noted before the login, where it says only that the client wants one; the account names its user."""
    wanted = message.params[0] if message.params else ""
    if not wanted:
        yield hub.numeric(session, numerics.ERR_NONICKNAMEGIVEN)
    elif session.registration is not None:
        session.registration.nick = wanted[:MAX_NICK]
        yield from advance(hub, session, session.registration)
    elif session.person is not None and fold(wanted) != session.person.key:
        yield hub.numeric(session, numerics.ERR_NONICKCHANGE, text=(session.person.name,))


def user(hub: Hub, session: Session, message: Message) -> Effects:
    """USER <user> 0 * :<realname>: the real name that others see; a user name is not shown to anybody."""
    registration = session.registration
    if registration is None or registration.user:
        yield hub.numeric(session, numerics.ERR_ALREADYREGISTERED)
        return
    registration.user = message.params[0] or "*"
    registration.realname = clip(message.params[3][:MAX_REALNAME], MAX_REALNAME_BYTES)
    yield from advance(hub, session, registration)


def answered(
    hub: Hub, session: Session, credentials: Credentials, account: Account | Unanswered | None
) -> Effects:
    """Go on after a password check: `account` is None where it was refused. Names and reasons stay untold."""
    registration = session.registration
    if registration is None:
        return
    if isinstance(account, Unanswered):
        yield Close(session, error("Too many logins at once: try again in a moment"), "too many logins at once")
        return
    if account is None:
        yield from _refused(hub, session, registration)
        return
    if registration.checking_pass:
        session.account, session.since = account, hub.now
        session.device = device_name(credentials.device)
    else:
        yield from logged_in(hub, session, account, credentials.device)
        yield hub.numeric(session, numerics.RPL_SASLSUCCESS)
    yield from advance(hub, session, registration)


def logged_in(hub: Hub, session: Session, account: Account, device: str) -> Effects:
    """Note who a session has proved to be, and when."""
    session.account, session.since = account, hub.now
    session.device = device_name(device)
    mask = f"{account.name}!u@{account.key}"
    yield hub.numeric(session, numerics.RPL_LOGGEDIN, mask, account.name, text=(account.name,))


def _refused(hub: Hub, session: Session, registration: Registration, why: str = REFUSED) -> Effects:
    registration.tries += 1
    if registration.checking_pass:
        yield hub.numeric(session, numerics.ERR_PASSWDMISMATCH, text=(REFUSED,))
        yield Close(session, error(REFUSED), "login refused")
        return
    yield hub.numeric(session, numerics.ERR_SASLFAIL, text=(why,))
    if registration.tries >= hub.rules.limits.login_tries:
        yield Close(session, error(f"{why} ({registration.tries} tries)"), "login refused too often")


def advance(hub: Hub, session: Session, registration: Registration) -> Effects:
    """Complete the login if everything that it needs has been said."""
    if registration.negotiating or not registration.nick or not registration.user:
        return
    if session.account is not None:
        yield from catch_up(hub, session, partial(_complete, hub, session, session.account, registration.realname))
    elif registration.passed is not None:
        registration.checking_pass = True
        yield Ask(session, registration.passed, partial(answered, hub, session, registration.passed))
    else:
        yield Reply(session, fail(hub.rules.server, "*", "ACCOUNT_REQUIRED", text=HOW_TO_LOG_IN))
        yield Close(session, error(HOW_TO_LOG_IN), "did not log in")


def _complete(hub: Hub, session: Session, account: Account, realname: str, missed: Stretch) -> Effects:
    """Let the session in: welcome it, show it to others, tell it what it missed, and bring it to the lobby."""
    current = hub.accounts.get(account.key)
    if current is None or _outdated(hub, session, account, current):
        # Deleted (or made anew), disabled, kicked or revoked between the proof and the end of the negotiation.
        yield Close(session, error(REFUSED), "account gone during login")
        return
    known = hub.people.get(account.key)
    if known is not None and len(known.sessions) >= hub.rules.limits.devices_per_account:
        text = f"This account has {len(known.sessions)} connections, which is the limit"
        yield Close(session, error(text), "too many devices")
        return
    session.registration = None
    yield Admit(session)
    yield from hub.welcome(session)
    kind = Kind.ATTACH if known is not None and known.sessions else Kind.ONLINE
    yield Draft(kind, "", account.name, realname)
    yield from replay(hub, session, missed)
    person = hub.people[account.key]
    if hub.lobby and hub.lobby not in person.channels and not banned(hub.channels[hub.lobby], person.key):
        yield Draft(Kind.JOIN, hub.lobby, account.name)


def _outdated(hub: Hub, session: Session, account: Account, current: Account) -> bool:
    """Whether what a session has proved, as `account` was then, counts no more."""
    if current.created != account.created or current.disabled or session.since <= current.kicked:
        return True
    if session.proof is not None:
        return session.certificate not in hub.devices
    return account.hash not in ("", current.hash)


def ping(hub: Hub, session: Session, message: Message) -> Effects:
    """PING <token>: answered in order, so it tells that everything said before it has been dealt with."""
    server, token = hub.rules.server, message.params[0]
    if len(token.encode()) > MAX_TOKEN:
        yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(f"A token has at most {MAX_TOKEN} bytes",))
    else:
        yield Reply(session, build("PONG", server, token, source=server))


def pong(hub: Hub, session: Session, message: Message) -> Effects:
    """PONG <token>: tells that everything sent before its PING has arrived."""
    return confirmed(hub, session, message.params[-1] if message.params else "")


def quit_(hub: Hub, session: Session, message: Message) -> Effects:
    """QUIT [:<reason>]: ends this connection; others see it if it was the account's last."""
    reason = message.params[0] if message.params else ""
    if session.person is not None:
        yield from note(hub, session, session.person, hub.newest)
    yield from hub.depart(session, f"Quit: {reason}" if reason else "Quit")
    yield Close(session, error("Goodbye"), "quit")
