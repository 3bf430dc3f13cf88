"""Events as sentences, for a timeline that names the channel already. Pure."""

from __future__ import annotations

from securechat.client.items import Item, What
from securechat.client.words import _, ngettext


def missing(count: int) -> str:
    """Return the sentence about lines that are not to be had."""
    return ngettext(
        "{} line is missing here: the server does not have it.",
        "{} lines are missing here: the server does not have them.",
        count,
    ).format(count)


def event(item: Item) -> str:
    """Return the sentence for what happened in a channel or what the server says."""
    why = f" ({item.text})" if item.text else ""
    if item.what is What.JOINED:
        return _("{} joined").format(item.sender)
    if item.what is What.LEFT:
        return _("{} left").format(item.sender) + why
    if item.what is What.REMOVED:
        text = (
            _("You were removed from {channel} by {sender}")
            if item.own
            else _("{name} was removed from {channel} by {sender}")
        )
        return text.format(name=item.recipient, channel=item.channel, sender=item.sender) + why
    if item.what is What.QUIT:
        return _("{} is offline").format(item.sender)
    if item.what is What.RENAMED:
        return _("{old} is {new} now").format(old=item.sender, new=item.text)
    if item.what is What.TOPIC:
        return _("The topic is: {}").format(item.text) if item.text else _("There is no topic")
    if item.what is What.TOPIC_SET:
        if item.own:
            text = _("You set the topic: {topic}") if item.text else _("You took the topic away")
        else:
            text = _("{name} set the topic: {topic}") if item.text else _("{name} took the topic away")
        return text.format(name=item.sender, topic=item.text)
    return item.text
