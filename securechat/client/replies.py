"""Replies that change nothing for the client: what they say to a person, in one sentence each. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from securechat.client.items import Item, What
from securechat.client.text import clean
from securechat.client.words import _
from securechat.protocol.message import Message


def show(message: Message, when: int) -> list[Item]:
    """Return what a message that the model has no use for tells a person; nothing for much of it."""
    params = [clean(param) for param in message.params]
    if message.command in _QUIET:
        return []
    if message.command in _SENTENCES:
        text = _SENTENCES[message.command](message, params)
        what = What.PROBLEM if message.command in ("FAIL", "WARN") else What.INFO
    elif message.command.isdecimal() and len(message.command) == 3:
        text = _numeric(message, params)
        what = What.PROBLEM if "400" <= message.command <= "599" else What.INFO
    else:
        return []
    return [Item(what, when, text)] if text else []


def _numeric(_message: Message, params: list[str]) -> str:
    """Return "what it is about: the sentence"; the first parameter is ourselves (modern-irc, "Numerics")."""
    *about, text = params[1:] or [""]
    return f"{' '.join(about)}: {text}" if about else text


def _standard(_message: Message, params: list[str]) -> str:
    """Return the sentence of FAIL, WARN, NOTE: command, code, context..., text (IRCv3 standard-replies)."""
    return params[-1] if len(params) > 2 else ""


def _note(message: Message, params: list[str]) -> str:
    return _device(params) or _standard(message, params)


def _fail(message: Message, params: list[str]) -> str:
    if params[:2] == ["DEVICES", "NO_SUCH_DEVICE"] and len(params) > 3:
        return _("There is no device {}: /devices lists yours.").format(params[3])
    return _standard(message, params)


def _device(params: list[str]) -> str:
    """Return the sentence of an answer to DEVICES (docs/protocol.md, "Logging in by certificate")."""
    match params:
        case ["DEVICES", "DEVICE", _account, device, since, until, fingerprint, *_rest]:
            text = _("{device}: since {since}, needs no password until {until} (certificate {fingerprint})")
            return text.format(device=device, since=since[:10], until=until[:10], fingerprint=fingerprint[:16])
        case ["DEVICES", "END", account, count, *_rest]:
            if count.startswith("0 "):
                return _("{} has no device that needs no password.").format(account)
            return _("Those are all the devices of {}; /revoke DEVICE locks one out.").format(account)
        case ["DEVICES", "REVOKED", _account, device, *_rest]:
            return _("{} is revoked: it needs the password from now on.").format(device)
    return ""


def _away(_message: Message, params: list[str]) -> str:
    if len(params) < 3:
        return ""
    nick, text = params[1:3]
    if text.startswith("is "):
        return f"{nick} {text}"
    return _("{name} is away: {reason}").format(name=nick, reason=text)


def _last(_message: Message, params: list[str]) -> str:
    return params[-1] if params else ""


def _motd(message: Message, params: list[str]) -> str:
    return _last(message, params).removeprefix("- ").rstrip()


def _invite(message: Message, params: list[str]) -> str:
    who = clean((message.source or _("somebody")).partition("!")[0])
    text = _("{name} invites you to {channel}: /join {channel}")
    return text.format(name=who, channel=params[1]) if len(params) > 1 else ""


def _mode(message: Message, params: list[str]) -> str:
    who = clean((message.source or "").partition("!")[0])
    text = _("{name} sets the mode of {channel} to {mode}")
    return text.format(name=who, channel=params[0], mode=" ".join(params[1:])) if len(params) > 1 else ""


def _listed(_message: Message, params: list[str]) -> str:
    if len(params) < 4:
        return ""
    name, count, topic = params[1:4]
    return f"{name} ({count}){f': {topic}' if topic else ''}"


def _invited(_message: Message, params: list[str]) -> str:
    text = _("{name} is invited to {channel}")
    return text.format(name=params[1], channel=params[2]) if len(params) > 2 else ""


def _who(_message: Message, params: list[str]) -> str:
    if len(params) < 6 or params[1] == params[-1]:  # the real name is the account's unless somebody changed it
        return ""
    return _("{name} is {real_name}").format(name=params[1], real_name=params[-1])


def _where(_message: Message, params: list[str]) -> str:
    text = _("{name} is in {channels}")
    return text.format(name=params[1], channels=params[2].rstrip()) if len(params) > 2 else ""


def _idle(_message: Message, params: list[str]) -> str:
    if len(params) < 4 or not (params[2].isascii() and params[2].isdecimal()):
        return ""
    hours, minutes = divmod(int(params[2][:12]) // 60, 60)
    if not (hours or minutes):
        return _("{} said something less than a minute ago").format(params[1])
    text = (
        _("{name} has been silent for {hours} h {minutes} min")
        if hours
        else _("{name} has been silent for {minutes} min")
    )
    return text.format(name=params[1], hours=hours, minutes=minutes)


def _about(_message: Message, params: list[str]) -> str:
    return " ".join([params[1], params[-1], *params[2:-1]]) if len(params) > 2 else ""


_SENTENCES: Final[dict[str, Callable[[Message, list[str]], str]]] = {
    "FAIL": _fail,
    "WARN": _standard,
    "NOTE": _note,
    "INVITE": _invite,
    "MODE": _mode,
    "ERROR": _last,
    "301": _away,
    "311": _who,
    "313": _about,
    "317": _idle,
    "319": _where,
    "322": _listed,
    "335": _about,
    "338": _about,
    "341": _invited,
    "372": _motd,
}

# What everybody is told at every login, the beginnings and ends of lists, and of WHOIS what is true of everybody.
_QUIET: Final = frozenset(
    {"002", "003", "004", "005", "250", "251", "252", "253", "254", "255", "265", "266"}
    | {"312", "315", "318", "321", "323", "330", "333", "369", "375", "376", "422", "671", "900", "903"}
)
