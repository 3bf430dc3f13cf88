"""What a client is told when its login is complete: 001 to 005 and the message of the day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from securechat.chat.channels import MAX_TOPIC
from securechat.chat.effects import Effects
from securechat.chat.people import CHANNEL_MODES, Session
from securechat.chat.queries import motd_lines
from securechat.chat.rules import Rules
from securechat.protocol import numerics
from securechat.protocol.framing import MAX_BODY
from securechat.protocol.names import MAX_CHANNEL, MAX_NICK

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

TOKENS_PER_LINE: Final = 12
"""With the nickname first and the text last a line has at most 15 parameters (modern-irc, 005)."""


def isupport(rules: Rules, listed: Iterable[str]) -> list[str]:
    """Return what this server supports, as the words of RPL_ISUPPORT; `listed` are commands with many targets."""
    return [
        "CASEMAPPING=rfc7613",
        f"CHANLIMIT=#:{rules.limits.channels_per_account}",
        f"CHANMODES=b,,,{CHANNEL_MODES}",
        f"CHANNELLEN={MAX_CHANNEL}",
        "CHANTYPES=#",
        f"LINELEN={MAX_BODY}",
        f"NETWORK={rules.network}",
        f"NICKLEN={MAX_NICK}",
        "PREFIX=(qo)~@",
        "TARGMAX=" + ",".join(f"{name}:{rules.limits.targets}" for name in listed),
        f"TOPICLEN={MAX_TOPIC}",
        "UTF8ONLY",
        "draft/ACCOUNTREQUIRED",
    ]


def burst(hub: Hub, session: Session) -> Effects:
    """Say welcome, to the account's name whatever nickname the client asked for."""
    rules = hub.rules
    yield hub.numeric(session, numerics.RPL_WELCOME, text=(rules.network, session.nick))
    yield hub.numeric(session, numerics.RPL_YOURHOST, text=(rules.server, rules.version))
    yield hub.numeric(session, numerics.RPL_CREATED, text=(rules.started,))
    yield hub.numeric(
        session, numerics.RPL_MYINFO, rules.server, f"securechat-{rules.version}", "i", CHANNEL_MODES, "b"
    )
    for start in range(0, len(hub.isupport), TOKENS_PER_LINE):
        yield hub.numeric(session, numerics.RPL_ISUPPORT, *hub.isupport[start : start + TOKENS_PER_LINE])
    yield from motd_lines(hub, session)
