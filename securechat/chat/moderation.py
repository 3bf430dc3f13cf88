"""Running a channel: MODE, KICK and INVITE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from securechat.chat import modes
from securechat.chat.effects import Effects, Reply
from securechat.chat.masks import MAX_MASK
from securechat.chat.messages import too_long
from securechat.chat.modes import Change, Query, Refusal
from securechat.chat.people import Channel, Session
from securechat.chat.render import excess, repeatable
from securechat.protocol import numerics
from securechat.protocol.message import Message
from securechat.protocol.names import fold
from securechat.protocol.numerics import Numeric
from securechat.records import Draft, Kind

if TYPE_CHECKING:
    from securechat.chat.hub import Hub

_LISTS: Final[dict[str, tuple[Numeric, Numeric]]] = {
    "b": (numerics.RPL_BANLIST, numerics.RPL_ENDOFBANLIST),
    "e": (numerics.RPL_EXCEPTLIST, numerics.RPL_ENDOFEXCEPTLIST),
    "I": (numerics.RPL_INVEXLIST, numerics.RPL_ENDOFINVEXLIST),
}
_WRONG: Final = {
    "parameter": "The mode needs a parameter",
    "mask": f"A mask is an account's name or a pattern, without spaces and at most {MAX_MASK} bytes",
    "key": f"A key has no space, comma or colon and at most {modes.MAX_KEY} bytes",
    "limit": "A limit is a number above 0",
}


def mode(hub: Hub, session: Session, message: Message) -> Effects:
    """MODE <channel or own nick> [<changes> [<parameters>]]: shows or changes modes."""
    target, change = message.params[0], message.params[1:]
    if not target.startswith("#"):
        yield from _own_mode(hub, session, target, "".join(change[:1]))
        return
    channel = hub.find(session, target, outside=not change)
    if isinstance(channel, Reply):
        yield channel
    elif not change:
        inside = session.person is not None and session.person.key in channel.members
        shown = modes.shown(channel, member=inside)
        yield hub.numeric(session, numerics.RPL_CHANNELMODEIS, channel.name, *shown)
        yield hub.numeric(session, numerics.RPL_CREATIONTIME, channel.name, str(channel.created // 1000))
    else:
        yield from _channel_modes(hub, session, channel, change)


def _channel_modes(hub: Hub, session: Session, channel: Channel, params: list[str]) -> Effects:
    person = session.person
    assert person is not None
    wanted: list[Change] = []
    refused = False
    answered: set[Query | Refusal] = set()
    for item in modes.read(params):
        if item in answered:
            continue  # "bbbb..." must not list the bans as often as it has letters
        if not isinstance(item, Change):
            answered.add(item)
        if isinstance(item, Query):
            yield from _list(hub, session, channel, item.letter)
        elif not hub.operates(person, channel):
            if not refused:
                yield hub.not_operator(session, channel)
            refused = True
        elif isinstance(item, Refusal):
            yield _wrong(hub, session, channel, item)
        else:
            checked = _check(hub, session, channel, item, wanted)
            if isinstance(checked, Reply):
                yield checked
                continue
            wanted = [change for change in wanted if not modes.same(change, checked)]
            if modes.alters(channel, checked):
                wanted.append(checked)
    if "H" not in params[0]:
        wanted += modes.private(channel, wanted)
    while wanted:
        fitting = _fitting(person.source_size, channel, wanted)
        yield Draft(Kind.MODE, channel.key, person.name, modes.write(wanted[:fitting]))
        wanted = wanted[fitting:]


def _fitting(source_size: int, channel: Channel, wanted: list[Change]) -> int:
    """Return how many of the changes fit one line."""
    count = len(wanted)
    while count > 1 and excess(source_size, "MODE", channel.name, modes.write(wanted[:count])) > 0:
        count -= 1
    return count


def _check(hub: Hub, session: Session, channel: Channel, change: Change, wanted: list[Change]) -> Change | Reply:
    """Return a change with its parameter as the server writes it, or why it cannot follow those wanted."""
    sort = modes.TABLE[change.letter].sort
    if sort is modes.Sort.RANK:
        member = channel.members.get(fold(change.param))
        if member is None:
            name = repeatable(change.param)
            return hub.numeric(session, numerics.ERR_USERNOTINCHANNEL, name, channel.name)
        return change._replace(param=member.person.name)
    entries = sum(map(len, channel.lists.values()))
    entries += sum(1 if other.sign == "+" else -1 for other in wanted if other.letter in _LISTS)
    if sort is modes.Sort.LIST and change.sign == "+" and entries >= modes.MAX_LIST:
        return hub.numeric(session, numerics.ERR_BANLISTFULL, channel.name, change.letter)
    return change


def _wrong(hub: Hub, session: Session, channel: Channel, refusal: Refusal) -> Reply:
    if refusal.why == "unknown":
        return hub.numeric(session, numerics.ERR_UNKNOWNMODE, repeatable(refusal.letter))
    text = (_WRONG[refusal.why],)
    return hub.numeric(session, numerics.ERR_INVALIDMODEPARAM, channel.name, refusal.letter, "*", text=text)


def _list(hub: Hub, session: Session, channel: Channel, letter: str) -> Effects:
    entry, end = _LISTS[letter]
    for mask, by in channel.lists[letter].items():
        yield hub.numeric(session, entry, channel.name, mask, by.setter, str(by.time // 1000))
    yield hub.numeric(session, end, channel.name)


def _own_mode(hub: Hub, session: Session, target: str, change: str) -> Effects:
    """User modes: +i, which everybody has here, and +B for programs (IRCv3 bot-mode)."""
    person = session.person
    assert person is not None
    if fold(target) != person.key:
        yield hub.numeric(session, numerics.ERR_USERSDONTMATCH)
        return
    sign, bot = "+", person.bot
    for letter in change:
        if letter in "+-":
            sign = letter
        elif letter == "B":
            bot = sign == "+"
    if not set(change) <= {"+", "-", *modes.USER}:
        yield hub.numeric(session, numerics.ERR_UMODEUNKNOWNFLAG)
    elif bot != person.bot:
        yield Draft(Kind.BOT, "", person.name, "+" if bot else "-")
    else:
        yield hub.numeric(session, numerics.RPL_UMODEIS, "+iB" if person.bot else "+i")


def kick(hub: Hub, session: Session, message: Message) -> Effects:
    """KICK <channel> <nick>{,<nick>} [:<reason>]: removes members, except the owner. They may join again."""
    person = session.person
    assert person is not None
    channel = hub.find(session, message.params[0])
    if isinstance(channel, Reply):
        yield channel
        return
    if not hub.operates(person, channel):
        yield hub.not_operator(session, channel)
        return
    reason = message.params[2] if len(message.params) > 2 and message.params[2] else person.name
    for name in message.params[1].split(","):
        if not hub.operates(person, channel):
            break  # has just removed themselves
        member = channel.members.get(fold(name))
        if member is None:
            yield hub.numeric(session, numerics.ERR_USERNOTINCHANNEL, repeatable(name), channel.name)
        elif channel.owner == member.person.key and person is not member.person:
            text = "Nobody removes a channel's owner from it"
            yield hub.numeric(session, numerics.ERR_CHANOPRIVSNEEDED, channel.name, text=(text,))
        elif (over := excess(person.source_size, "KICK", f"{channel.name} {member.person.name}", reason)) > 0:
            yield hub.numeric(session, numerics.ERR_INPUTTOOLONG, text=(too_long(over),))
        else:
            yield Draft(Kind.KICK, channel.key, person.name, f"{member.person.name} {reason}")


def invite(hub: Hub, session: Session, message: Message) -> Effects:
    """INVITE <nick> <channel>: lets somebody in once, whatever +i, +k and +l say. Alone, lists those one has."""
    person = session.person
    assert person is not None
    if len(message.params) < 2:
        for channel in hub.channels.values():
            if person.key in channel.invited:
                yield hub.numeric(session, numerics.RPL_INVITELIST, channel.name)
        yield hub.numeric(session, numerics.RPL_ENDOFINVITELIST)
        return
    found = hub.find(session, message.params[1])
    account = hub.accounts.get(fold(message.params[0]))
    if isinstance(found, Reply):
        yield found
    elif account is None:
        yield hub.numeric(session, numerics.ERR_NOSUCHNICK, repeatable(message.params[0]))
    elif account.key in found.members:
        yield hub.numeric(session, numerics.ERR_USERONCHANNEL, account.name, found.name)
    elif "i" in found.flags and not hub.operates(person, found):
        yield hub.not_operator(session, found)
    else:
        yield hub.numeric(session, numerics.RPL_INVITING, account.name, found.name)
        other = hub.people.get(account.key)
        if other is not None and other.away:
            yield hub.numeric(session, numerics.RPL_AWAY, account.name, text=(other.away,))
        yield Draft(Kind.INVITE, found.key, person.name, account.name)
