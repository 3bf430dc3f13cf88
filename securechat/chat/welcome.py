"""What a client is told when its login is complete: 001 to 005, how many are here, and the message of the day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from securechat.chat import modes
from securechat.chat.channels import MAX_TOPIC
from securechat.chat.effects import Effects
from securechat.chat.info import isupport_lines, lusers_lines, motd_lines
from securechat.chat.people import Session
from securechat.chat.presence import MAX_AWAY, MAX_MONITORED
from securechat.chat.registration import MAX_REALNAME
from securechat.chat.rules import Rules
from securechat.protocol import numerics
from securechat.protocol.framing import MAX_BODY
from securechat.protocol.names import MAX_CHANNEL, MAX_NICK

if TYPE_CHECKING:
    from securechat.chat.hub import Hub


def isupport(rules: Rules, listed: Iterable[str]) -> list[str]:
    """Return what this server supports, as the words of RPL_ISUPPORT; `listed` are commands with many targets."""
    return [
        "CASEMAPPING=rfc7613",
        f"AWAYLEN={MAX_AWAY}",
        f"CHATHISTORY={rules.limits.history_page}",
        "BOT=B",
        f"CHANLIMIT=#:{rules.limits.channels_per_account}",
        "CHANMODES=" + ",".join(modes.letters(sort) for sort in modes.Sort if sort is not modes.Sort.RANK),
        f"CHANNELLEN={MAX_CHANNEL}",
        "CHANTYPES=#",
        "ELIST=CMNTU",
        "EXCEPTS=e",
        "INVEX=I",
        f"KEYLEN={modes.MAX_KEY}",
        f"LINELEN={MAX_BODY}",
        f"MAXLIST=beI:{modes.MAX_LIST}",
        f"MODES={modes.MAX_CHANGES}",
        f"MONITOR={MAX_MONITORED}",
        "MSGREFTYPES=msgid,timestamp",
        f"NAMELEN={MAX_REALNAME}",
        f"NETWORK={rules.network}",
        f"NICKLEN={MAX_NICK}",
        "PREFIX=(qov)~@+",
        "TARGMAX=" + ",".join(f"{name}:{rules.limits.targets}" for name in listed),
        f"TOPICLEN={MAX_TOPIC}",
        "UTF8ONLY",
        "WHOX",
        "draft/ACCOUNTREQUIRED",
    ]


def burst(hub: Hub, session: Session) -> Effects:
    """Say welcome, to the account's name whatever nickname the client asked for."""
    rules = hub.rules
    yield hub.numeric(session, numerics.RPL_WELCOME, text=(rules.network, session.nick))
    yield hub.numeric(session, numerics.RPL_YOURHOST, text=(rules.server, rules.version))
    yield hub.numeric(session, numerics.RPL_CREATED, text=(rules.started,))
    flags = modes.letters(modes.Sort.FLAG) + modes.letters(modes.Sort.RANK)
    others = "".join(modes.letters(sort) for sort in (modes.Sort.LIST, modes.Sort.KEY, modes.Sort.LIMIT))
    version = f"securechat-{rules.version}"
    yield hub.numeric(
        session, numerics.RPL_MYINFO, rules.server, version, "".join(modes.USER), flags + others, others
    )
    yield from isupport_lines(hub, session)
    yield from lusers_lines(hub, session)
    yield from motd_lines(hub, session)
