"""Devices that log in by certificate: ENROL and DEVICES, and what becomes of those that are revoked."""

from __future__ import annotations

import base64
import binascii
from functools import partial
from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Ask, Close, Effects, Reply
from securechat.chat.people import Session
from securechat.chat.render import error, repeatable, timestamp
from securechat.protocol import numerics
from securechat.protocol.message import Message, build
from securechat.protocol.names import fold
from securechat.protocol.sasl import CHUNK, Exchange, SaslError, pieces
from securechat.records import Account, Device, Enrol, Revoke, Unanswered

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

MAX_REQUEST: Final = 10 * CHUNK
"""Longest certificate request in base64: one for RSA with 4096 bits needs 2300 characters."""
REVOKED: Final = "This device's certificate was revoked: log in by password"


def enrol(hub: Hub, session: Session, message: Message) -> Effects:
    """ENROL <device> <piece>: a certificate request (PKCS #10, base64) in pieces of 400, as is the answer."""
    assert session.account is not None
    device, piece = message.params[0], message.params[1]
    shown, exchange = repeatable(device), session.enrolling
    if session.proof is not None and device != session.proof.name:
        # Whoever has a stolen device must not be able to leave another behind when that one is revoked.
        told = f"A certificate renews itself only ({session.proof.name}): log in by password to add a device"
        yield hub.fail(session, "ENROL", "PASSWORD_REQUIRED", shown, text=told)
        return
    if piece == "*":
        session.enrolling = None
        yield hub.fail(session, "ENROL", "ABORTED", shown, text="The request was dropped")
        return
    if exchange is None or exchange.mechanism != device:
        session.enrolling = exchange = Exchange(device, MAX_REQUEST)
    try:
        text = exchange.feed(piece)
        if text is None:
            return
        request = base64.b64decode(text, validate=True)
    except SaslError:
        session.enrolling = None
        told = f"A request has at most {MAX_REQUEST} characters, in pieces of {CHUNK}"
        yield hub.fail(session, "ENROL", "INVALID_REQUEST", shown, text=told)
        return
    except (binascii.Error, ValueError):
        session.enrolling = None
        yield hub.fail(session, "ENROL", "INVALID_REQUEST", shown, text="The request is not base64")
        return
    session.enrolling = None
    account, proof = session.account, session.proof
    asked = Enrol(account.key, device, request, account.created, proof.fingerprint if proof else "")
    yield Ask(session, asked, partial(_enrolled, hub, session, shown))


def _enrolled(hub: Hub, session: Session, shown: str, answer: tuple[Device, bytes] | Unanswered) -> Effects:
    if isinstance(answer, Unanswered):
        yield hub.fail(session, "ENROL", answer.code, shown, text=answer.text)
        return
    device, certificate = answer
    if session.proof is not None:
        session.proof, session.certificate = device, device.fingerprint  # what it logged in by will run out
    for piece in pieces(base64.b64encode(certificate).decode()):
        yield Reply(session, build("ENROL", device.name, piece, source=hub.rules.server))
    told = f"{device.name} logs in by this certificate until {timestamp(device.not_after)[:10]}"
    context = (device.name, timestamp(device.not_after), device.fingerprint)
    yield hub.note(session, "ENROL", "CERTIFICATE", *context, text=told)


def devices(hub: Hub, session: Session, message: Message) -> Effects:
    """DEVICES [LIST [<nick>]|REVOKE <device> [<nick>]]: what logs in by certificate. Of others: administrators."""
    assert session.account is not None
    verb, *rest = message.params or ["LIST"]
    verb = verb.upper()
    if verb not in ("LIST", "REVOKE") or (verb == "REVOKE" and not rest):
        yield hub.fail(session, "DEVICES", "INVALID_PARAMS", repeatable(verb), text="Say LIST or REVOKE <device>")
        return
    whose = rest[verb == "REVOKE" :]
    account = hub.accounts.get(fold(whose[0]) if whose else session.account.key)
    own = account is not None and account.key == session.account.key
    if not own and not (session.person is not None and hub.admin(session.person)):
        yield hub.numeric(session, numerics.ERR_NOPRIVILEGES)
    elif account is None:
        yield hub.numeric(session, numerics.ERR_NOSUCHNICK, repeatable(whose[0]))
    elif verb == "LIST":
        yield from _list(hub, session, account)
    elif all(one.name != rest[0] for one in account.devices):
        told = f"{account.name} has no such device"
        yield hub.fail(session, "DEVICES", "NO_SUCH_DEVICE", account.name, repeatable(rest[0]), text=told)
    else:
        yield Ask(session, Revoke(account.key, rest[0]), partial(_gone, hub, session, account, rest[0]))


def _list(hub: Hub, session: Session, account: Account) -> Effects:
    found = [device for device in account.devices if device.not_after > hub.now]
    for device in found:
        made, end = timestamp(device.created), timestamp(device.not_after)
        context = (account.name, device.name, made, end, device.fingerprint)
        yield hub.note(session, "DEVICES", "DEVICE", *context, text=f"logs in by certificate until {end[:10]}")
    text = f"{len(found)} {'certificate' if len(found) == 1 else 'certificates'}"
    yield hub.note(session, "DEVICES", "END", account.name, text=text)


def _gone(hub: Hub, session: Session, account: Account, device: str, answer: int | Unanswered) -> Effects:
    if isinstance(answer, Unanswered):
        yield hub.fail(session, "DEVICES", answer.code, account.name, repeatable(device), text=answer.text)
    else:
        text = f"{device} logs in by certificate no more"
        yield hub.note(session, "DEVICES", "REVOKED", account.name, repeatable(device), text=text)


def revoked(hub: Hub) -> list[Session]:
    """Return the sessions that logged in by a certificate which is known no more.

    One that ran out is dropped from the users file, too: that ends nobody's session while the device has another.
    """
    gone = []
    for person in hub.here.values():
        for session in person.sessions:
            if session.proof is None:
                continue
            known = hub.devices.get(session.proof.fingerprint)
            if known is not None and known[0].key == person.key:
                session.proof = known[1]  # its end may have been brought forward: it was renewed
            elif session.proof.not_after > hub.now or not _certified(hub, person.key, session.proof.name):
                gone.append(session)
    return gone


def _certified(hub: Hub, key: str, device: str) -> bool:
    account = hub.accounts.get(key)
    return account is not None and any(one.name == device for one in account.devices)


def end(hub: Hub, session: Session) -> Effects:
    """Decide the end of a session whose certificate was revoked."""
    yield from hub.depart(session, "Device revoked")
    yield Close(session, error(REVOKED), "device revoked")
