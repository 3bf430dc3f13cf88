"""Events as sentences, for a timeline that names the channel already. Pure."""

from __future__ import annotations

from securechat.client.items import Item, What
from securechat.client.words import _


def event(item: Item) -> str:
    """Return the sentence for what happened in a channel or what the server says."""
    why = f" ({item.text})" if item.text else ""
    if item.what is What.JOINED:
        return _("{} joined").format(item.sender)
    if item.what is What.LEFT:
        return _("{} left").format(item.sender) + why
    if item.what is What.REMOVED:
        who = _("You were") if item.own else _("{} was").format(item.recipient)
        return _("{} removed from {} by {}").format(who, item.channel, item.sender) + why
    if item.what is What.QUIT:
        return _("{} is offline").format(item.sender)
    if item.what is What.RENAMED:
        return _("{} is {} now").format(item.sender, item.text)
    if item.what is What.TOPIC:
        return _("The topic is: {}").format(item.text) if item.text else _("There is no topic")
    if item.what is What.TOPIC_SET:
        who = _("You") if item.own else item.sender
        return (
            _("{} set the topic: {}").format(who, item.text)
            if item.text
            else _("{} took the topic away").format(who)
        )
    return item.text
