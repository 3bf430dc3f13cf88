"""The conversation as a client knows it: messages in, items to show out. Pure: no socket, clock or thread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Final

from securechat.client import replies
from securechat.client.channels import MAX_CHANNELS, RANKS, Channel
from securechat.client.items import Item, What
from securechat.client.text import clean, clean_lines
from securechat.client.words import _
from securechat.config import DEFAULT_LOBBY
from securechat.protocol.errors import Fault
from securechat.protocol.framing import MAX_BODY
from securechat.protocol.message import Message, parse_tags
from securechat.protocol.names import fold

Items = list[Item]

ACTION: Final = "\x01ACTION "
_CTCP: Final = "\x01"


class Model:
    """Who we are, where we are, who else is there, and where typed text goes. Owned by the front end's thread.

    `target` is the casefolded name of the channel or person that typed text goes to, or empty. `lobby` is the
    channel that a login lands in: of the channels that the server joins us to unasked, it is the one to talk in.
    """

    def __init__(
        self, nick: str, capabilities: frozenset[str] = frozenset(), *, lobby: str = DEFAULT_LOBBY
    ) -> None:
        self.nick = nick
        self.capabilities = capabilities
        self.channels: dict[str, Channel] = {}
        self.target = ""
        self._person = ""  # whom typed text goes to where that is no channel
        self._lobby = fold(lobby)
        self._wanted = ""  # the channel that a person asked for: its JOIN moves them there
        self._chosen = False  # whether a person chose the target
        self._source = ""  # how others see us: nick!user@host

    @property
    def key(self) -> str:
        """Our casefolded name."""
        return fold(self.nick)

    @property
    def target_name(self) -> str:
        """The target as it is written, for sending; empty where there is none."""
        channel = self.channels.get(self.target)
        return channel.name if channel else self._person if fold(self._person) == self.target else ""

    def room(self, target: str) -> int:
        """Return how many bytes of text fit a PRIVMSG to `target` as others get it, with our source before it."""
        source = len(self._source.encode()) or 2 * len(self.nick.encode()) + 8
        return MAX_BODY - len(f": PRIVMSG {target} :\r\n".encode()) - source

    def want(self, name: str) -> None:
        """Note that a person asked to join this channel."""
        self._wanted = fold(name)

    def talk_in(self, name: str, now: int) -> Items:
        """Let typed text go to a channel that we are in, or to a person. Somebody chose that."""
        self.target, self._person, self._chosen = fold(name), name, True
        return [Item(What.TALKING, now, channel=clean(self.target_name))]

    def said(self, target: str, text: str, now: int) -> Items:
        """Return what to show at once for something we said: nothing where the server will echo it."""
        if "echo-message" in self.capabilities:
            return []
        return self._message(Message("PRIVMSG", [target, text], self.nick), now, What.MESSAGE)

    def feed(self, message: Message | Fault, now: int) -> Items:
        """Take what the server sent; give what to show. `now` is for what carries no time of its own."""
        if isinstance(message, Fault):
            return [
                Item(What.PROBLEM, now, _("The server sent a line that cannot be read: {}.").format(message.value))
            ]
        when = _time(message, now)
        handler = self._HANDLERS.get(message.command)
        if handler is None:
            return replies.show(message, when)
        if len(message.params) < _LEAST.get(message.command, 1):
            return []
        return handler(self, message, when)

    # --- messages ---

    def _privmsg(self, message: Message, when: int) -> Items:
        return self._message(message, when, What.MESSAGE)

    def _notice(self, message: Message, when: int) -> Items:
        if "!" not in (message.source or ""):
            return [Item(What.INFO, when, clean(message.params[1]))]  # from the server itself
        return self._message(message, when, What.NOTICE)

    def _message(self, message: Message, when: int, what: What) -> Items:
        sender, (target, text) = _nick(message), message.params[:2]
        own = self._is_me(sender)
        if own:
            self._learn(message)
        if text.startswith(_CTCP):
            if not text.startswith(ACTION):
                return _other_ctcp(sender, text, when)
            what, text = What.ACTION, text.removeprefix(ACTION).removesuffix(_CTCP)
        channel = self._channel_name(target)
        recipient = "" if channel else clean(target)
        return [Item(what, when, clean_lines(text), clean(sender), clean(channel), recipient, own=own)]

    # --- who is where ---

    def _join(self, message: Message, when: int) -> Items:
        name, sender = message.params[0], _nick(message)
        key = fold(name)
        if not self._is_me(sender):
            if key not in self.channels:
                return []
            self.channels[key].add(sender)
            return [Item(What.JOINED, when, sender=clean(sender), channel=clean(name))]
        if len(self.channels) >= MAX_CHANNELS:
            return []
        self._learn(message)
        self.channels[key] = Channel(name)
        if key == self._wanted:
            self.target, self._chosen, self._wanted = key, True, ""
        elif not self.target or (key == self._lobby and not self._chosen):
            self.target = key
        return [Item(What.JOINED, when, sender=clean(sender), channel=clean(name), own=True)]

    def _part(self, message: Message, when: int) -> Items:
        reason = message.params[1] if len(message.params) > 1 else ""
        return self._gone(_nick(message), message.params[0], Item(What.LEFT, when, clean(reason)))

    def _kick(self, message: Message, when: int) -> Items:
        channel, victim, *reason = message.params
        text = clean(reason[0]) if reason else ""
        return self._gone(victim, channel, Item(What.REMOVED, when, text, recipient=clean(victim)), _nick(message))

    def _gone(self, who: str, name: str, item: Item, by: str = "") -> Items:
        """Take somebody out of a channel, perhaps ourselves; `item` is completed to say so."""
        channel = self.channels.get(fold(name))
        if channel is None:
            return []
        own = self._is_me(who)
        shown = _complete(item, clean(by or who), clean(channel.name), own=own)
        if not own:
            channel.remove(who)
            return [shown]
        del self.channels[fold(name)]
        if self.target != fold(name):
            return [shown]
        self.target, self._chosen = next(reversed(self.channels), ""), False
        return [shown, Item(What.TALKING, item.time, channel=clean(self.target_name))]

    def _quit(self, message: Message, when: int) -> Items:
        sender = _nick(message)
        seen = [channel.remove(sender) for channel in self.channels.values()]
        if not any(seen) or self._is_me(sender):
            return []
        return [Item(What.QUIT, when, clean(message.params[0] if message.params else ""), clean(sender))]

    def _rename(self, message: Message, when: int) -> Items:
        old, new = _nick(message), message.params[0]
        own = self._is_me(old)
        if own:
            self.nick, self._source = new, ""
        for channel in self.channels.values():
            if channel.remove(old):
                channel.add(new)
        return [Item(What.RENAMED, when, clean(new), clean(old), own=own)]

    def _names(self, message: Message, _: int) -> Items:
        channel = self.channels.get(fold(message.params[-2]))
        if channel is not None:
            channel.tell(message.params[-1].split())
        return []

    def _names_end(self, message: Message, when: int) -> Items:
        name = message.params[1]
        channel = self.channels.get(fold(name))
        if channel is None:
            return [
                Item(What.PROBLEM, when, _("You are not in {}, so nobody tells you who is.").format(clean(name)))
            ]
        return [Item(What.NAMES, when, channel=clean(name), names=tuple(map(clean, channel.told())))]

    # --- topics and capabilities ---

    def _topic(self, message: Message, when: int) -> Items:
        name, text = message.params[0], message.params[1]
        self._note_topic(name, text)
        sender = _nick(message)
        return [Item(What.TOPIC_SET, when, clean(text), clean(sender), clean(name), own=self._is_me(sender))]

    def _topic_is(self, message: Message, when: int) -> Items:
        name, text = message.params[1], message.params[2] if message.command == "332" else ""
        self._note_topic(name, text)
        return [Item(What.TOPIC, when, clean(text), channel=clean(name))]

    def _note_topic(self, name: str, text: str) -> None:
        channel = self.channels.get(fold(name))
        if channel is not None:
            channel.topic = text

    def _cap(self, message: Message, _: int) -> Items:
        # cap-notify: what is taken away is gone; what is offered later we do without.
        if message.params[1].upper() == "DEL":
            self.capabilities -= frozenset(message.params[2].split())
        return []

    _HANDLERS: ClassVar[dict[str, Callable[[Model, Message, int], Items]]] = {
        "PRIVMSG": _privmsg,
        "NOTICE": _notice,
        "JOIN": _join,
        "PART": _part,
        "KICK": _kick,
        "QUIT": _quit,
        "NICK": _rename,
        "TOPIC": _topic,
        "CAP": _cap,
        "331": _topic_is,
        "332": _topic_is,
        "353": _names,
        "366": _names_end,
    }

    # --- small things ---

    def _is_me(self, nick: str) -> bool:
        return fold(nick) == self.key

    def _learn(self, message: Message) -> None:
        if message.source and "!" in message.source:
            self._source = message.source

    def _channel_name(self, target: str) -> str:
        """Return the channel that a message to `target` belongs to; empty for a direct message."""
        channel = self.channels.get(fold(target))
        if channel is not None:
            return channel.name
        bare = target.lstrip(RANKS)  # "@#team" is for those of that rank (ISUPPORT STATUSMSG)
        return bare if bare.startswith("#") else ""


def _nick(message: Message) -> str:
    return (message.source or "").partition("!")[0]


def _complete(item: Item, sender: str, channel: str, *, own: bool) -> Item:
    return Item(item.what, item.time, item.text, sender, channel, item.recipient, own=own)


def _other_ctcp(sender: str, text: str, when: int) -> Items:
    """Show a request of another client's machinery by its name. It is never answered."""
    verb = clean(text.strip(_CTCP).partition(" ")[0])[:32]
    text = _("{name} sent a CTCP {verb} request, which is not answered.")
    return [Item(What.INFO, when, text.format(name=clean(sender), verb=verb))]


def _time(message: Message, now: int) -> int:
    """Return the time that the message carries (IRCv3 server-time), in milliseconds since 1970, or `now`."""
    stamp = parse_tags(message.tags).get("time") if message.tags else None
    if not stamp:
        return now
    try:
        return round(datetime.fromisoformat(stamp).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return now


_LEAST: Final = {
    "PRIVMSG": 2,
    "NOTICE": 2,
    "KICK": 2,
    "QUIT": 0,
    "TOPIC": 2,
    "CAP": 3,
    "331": 2,
    "332": 3,
    "353": 2,
    "366": 2,
}
"""The least number of parameters with which a message means something (1 where not listed)."""
