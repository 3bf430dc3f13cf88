"""Questions about the server: MOTD, LUSERS, VERSION, TIME, INFO, ADMIN, STATS and HELP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from securechat.chat.effects import Effects, Reply
from securechat.chat.people import Session
from securechat.chat.render import repeatable, timestamp
from securechat.protocol import numerics
from securechat.protocol.message import Message

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

TOKENS_PER_LINE: Final = 12
"""With the nickname first and the text last a line has at most 15 parameters (modern-irc, 005)."""


def motd(hub: Hub, session: Session, message: Message) -> Effects:
    """MOTD: what the operator wrote into motd.txt."""
    yield from motd_lines(hub, session)


def motd_lines(hub: Hub, session: Session) -> Iterable[Reply]:
    """Return 375, 372 and 376, or 422 where there is no message of the day."""
    if not hub.rules.motd:
        yield hub.numeric(session, numerics.ERR_NOMOTD)
        return
    yield hub.numeric(session, numerics.RPL_MOTDSTART, text=(hub.rules.server,))
    for line in hub.rules.motd:
        yield hub.numeric(session, numerics.RPL_MOTD, text=(line,))
    yield hub.numeric(session, numerics.RPL_ENDOFMOTD)


def isupport_lines(hub: Hub, session: Session) -> Iterable[Reply]:
    """Return 005, as many lines as the words take."""
    for start in range(0, len(hub.isupport), TOKENS_PER_LINE):
        yield hub.numeric(session, numerics.RPL_ISUPPORT, *hub.isupport[start : start + TOKENS_PER_LINE])


def lusers(hub: Hub, session: Session, message: Message) -> Effects:
    """LUSERS: how many are here."""
    yield from lusers_lines(hub, session)


def lusers_lines(hub: Hub, session: Session) -> Iterable[Reply]:
    """Return 251, 252, 254, 255, 265 and 266; people count once, whatever their devices."""
    count, admins = len(hub.here), sum(key in hub.here for key in hub.admins)
    if session.account is not None and not hub.online(session.account.key):
        # Whoever is just being welcomed is here too.
        count, admins = count + 1, admins + (session.account.key in hub.admins)
    most = max(hub.most, count)
    own = session.person.channels if session.person is not None else {}
    public = len(hub.channels) - len(hub.secret) + sum(key in hub.secret for key in own)
    yield hub.numeric(session, numerics.RPL_LUSERCLIENT, text=(count,))
    yield hub.numeric(session, numerics.RPL_LUSEROP, str(admins))
    yield hub.numeric(session, numerics.RPL_LUSERCHANNELS, str(public))
    yield hub.numeric(session, numerics.RPL_LUSERME, text=(count,))
    yield hub.numeric(session, numerics.RPL_LOCALUSERS, str(count), str(most), text=(count, most))
    yield hub.numeric(session, numerics.RPL_GLOBALUSERS, str(count), str(most), text=(count, most))


def version(hub: Hub, session: Session, message: Message) -> Effects:
    """VERSION: what runs here, and 005 again."""
    rules = hub.rules
    name = f"securechat-{rules.version}"
    yield hub.numeric(session, numerics.RPL_VERSION, name, rules.server, text=("IRCv3 over TLS",))
    yield from isupport_lines(hub, session)


def time(hub: Hub, session: Session, message: Message) -> Effects:
    """TIME: the server's clock, in UTC."""
    stamp = timestamp(hub.now)
    yield hub.numeric(session, numerics.RPL_TIME, hub.rules.server, text=(stamp.replace("T", " ")[:19] + " UTC",))


def info(hub: Hub, session: Session, message: Message) -> Effects:
    """INFO: what this is."""
    lines = (
        f"securechat {hub.rules.version}: secure group chat you run yourself.",
        "TLS always on, nobody in without logging in, every line kept.",
        f"This server keeps every line since {hub.rules.started}.",
    )
    for line in lines:
        yield hub.numeric(session, numerics.RPL_INFO, text=(line,))
    yield hub.numeric(session, numerics.RPL_ENDOFINFO)


def admin(hub: Hub, session: Session, message: Message) -> Effects:
    """ADMIN: who runs this server."""
    names = [account.name for account in hub.accounts.values() if account.admin]
    yield hub.numeric(session, numerics.RPL_ADMINME, hub.rules.server)
    yield hub.numeric(session, numerics.RPL_ADMINLOC1, text=(hub.rules.network,))
    shown = ", ".join(names[:8]) or "nobody has the role of an administrator"
    yield hub.numeric(session, numerics.RPL_ADMINEMAIL, text=(f"Ask: {shown}",))


def stats(hub: Hub, session: Session, message: Message) -> Effects:
    """STATS u: how long the server has been up."""
    letter = message.params[0][:1] if message.params else "*"
    if letter == "u":
        seconds = (hub.now - hub.born) // 1000
        days, rest = divmod(seconds, 86_400)
        parts = (days, rest // 3600, rest // 60 % 60, rest % 60)
        yield hub.numeric(session, numerics.RPL_STATSUPTIME, text=parts)
    yield hub.numeric(session, numerics.RPL_ENDOFSTATS, repeatable(letter))


def help_(hub: Hub, session: Session, message: Message) -> Effects:
    """HELP [<command>]: what a command does, from the table of commands."""
    asked = message.params[0].upper() if message.params else ""
    rows = hub.commands
    if asked and asked not in rows:
        yield hub.numeric(session, numerics.ERR_HELPNOTFOUND, repeatable(asked))
        return
    subject = asked or "*"
    if asked:
        yield hub.numeric(session, numerics.RPL_HELPSTART, subject, text=(asked,))
        lines = (rows[asked].handler.__doc__ or "").strip().splitlines()
    else:
        yield hub.numeric(session, numerics.RPL_HELPSTART, subject, text=("Commands; HELP COMMAND says more",))
        lines = [" ".join(sorted(rows)[start : start + 8]) for start in range(0, len(rows), 8)]
    for line in lines:
        yield hub.numeric(session, numerics.RPL_HELPTXT, subject, text=(line.strip(),))
    yield hub.numeric(session, numerics.RPL_ENDOFHELP, subject)
