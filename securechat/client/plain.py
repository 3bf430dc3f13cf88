"""The full screen's commands where there is no screen: about the last message, and answered in lines. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from securechat.client.desk.reading import mentions
from securechat.client.desk.waiting import reply_tag
from securechat.client.engine import Engine
from securechat.client.errors import ClientError
from securechat.client.items import Item, What
from securechat.client.links import links
from securechat.client.model import Model
from securechat.client.places import BEGINNING, conversation
from securechat.client.questions import Answered
from securechat.client.text import clean
from securechat.client.words import _, ngettext
from securechat.protocol.capabilities import KEY_TAG
from securechat.protocol.message import Message, build, escape_tag, parse_tags
from securechat.protocol.names import fold

PAGE: Final = 100
_SOMEWHERE: Final = frozenset({"unread", "date", "reply", "react", "redact", "mute", "link"})
"""Commands about where typed text goes."""
REMEMBERED: Final = 1000
"""Messages that an answer, a reaction or a removal can be about (law 5)."""
_SPOKEN: Final = frozenset({"PRIVMSG", "NOTICE"})
_QUOTE: Final = 60


class _Heard(NamedTuple):
    msgid: str
    where: str
    sender: str
    text: str
    own: bool


class Plain:
    """What a line client does with commands that are about messages. Owned by its session."""

    def __init__(self, engine: Engine, model: Model, now: Callable[[], int]) -> None:
        self._engine = engine
        self._model = model
        self._now = now
        self._heard: dict[str, _Heard] = {}
        self._muted: set[str] = set()
        self._then: dict[str, Callable[[Answered], list[Item]]] = {}

    # --- what comes ---

    def hear(self, message: Message, items: list[Item]) -> list[Item]:
        """Remember a message; give what to show for it instead of `items`."""
        tags = parse_tags(message.tags) if message.tags else {}
        sender = (message.source or "").partition("!")[0]
        if message.command == "TAGMSG" and message.params:
            return self._reaction(message, tags, clean(sender))
        if message.command == "REDACT" and len(message.params) > 1:
            gone = self._heard.pop(message.params[1], None)
            what = _("{name} took back: {text}").format(
                name=clean(sender), text=_quote(gone.text) if gone else _("an earlier message")
            )
            return self._info(what)
        if message.command not in _SPOKEN or not message.params:
            return items
        where = fold(conversation(message, self._model.nick))
        own = fold(sender) == self._model.key
        msgid = tags.get("msgid", "")
        if msgid and len(message.params) > 1:
            self._heard[msgid] = _Heard(msgid, where, clean(sender), clean(message.params[1]), own)
            for old in list(islice(self._heard, max(0, len(self._heard) - REMEMBERED))):
                del self._heard[old]
        if where in self._muted and not own and not mentions(message.params[-1], self._model.nick):
            return []
        answered = self._heard.get(tags.get("+draft/reply", "") or tags.get("+reply", ""))
        return items if answered is None else [_answering(item, answered) for item in items]

    def _reaction(self, message: Message, tags: dict[str, str], sender: str) -> list[Item]:
        about = self._heard.get(tags.get("+draft/reply", "") or tags.get("+reply", ""))
        reaction = tags.get("+draft/react", "")
        if not reaction or fold(conversation(message, self._model.nick)) in self._muted:
            return []
        quote = f"{about.sender}: {_quote(about.text)}" if about else _("an earlier message")
        return self._info(
            _("{name} reacts {reaction} to {text}").format(name=sender, reaction=clean(reaction)[:32], text=quote)
        )

    def answered(self, answer: Answered) -> list[Item]:
        """Take the server's answer to what was asked here; give what to show."""
        then = self._then.pop(answer.label, None)
        return self._guarded(partial(then, answer)) if then is not None else []

    # --- what a person wants ---

    def do(self, name: str, rest: str) -> list[Item]:
        """Do what a command of the full screen does; give what to show at once."""
        if name in _SOMEWHERE and not self._model.target_name:
            return self._problem(_("You are in no channel: /join #name first."))
        doing: Callable[[str], list[Item]] = getattr(self, f"_{name}")
        return self._guarded(partial(doing, rest.strip()))

    def _guarded(self, doing: Callable[[], list[Item]]) -> list[Item]:
        try:
            return doing()
        except ClientError as failure:
            return self._problem(str(failure))
        except ValueError:  # from build()
            return self._problem(_("That is too long or malformed; nothing was sent."))

    def _open(self, name: str) -> list[Item]:
        if not name or " " in name:
            return self._problem(_("Type /open NAME."))
        if name.startswith("#") and fold(name) not in self._model.channels:
            return self._problem(_("You are not in {}: /join enters it.").format(clean(name)))
        return self._model.talk_in(name, self._now())

    def _close(self, _rest: str) -> list[Item]:
        if self._model.target in self._model.channels or not self._model.target:
            return self._problem(_("You are in this channel: /part leaves it."))
        return self._model.talk_in(next(iter(self._model.channels), ""), self._now())

    def _reply(self, text: str) -> list[Item]:
        about = self._last(own=False)
        if not text or about is None:
            return self._problem(_("There is no message to answer yet.") if text else _("Type /reply TEXT."))
        target = self._model.target_name
        room = self._model.room(target)
        self._engine.say(target, text, tags=reply_tag(about.msgid), room=room)
        return []

    def _react(self, reaction: str) -> list[Item]:
        about = self._last(own=False)
        if not reaction or about is None:
            nothing = _("There is no message to react to yet.")
            return self._problem(nothing if reaction else _("Type /react EMOJI."))
        tags = (
            f"+draft/react={escape_tag(reaction[:16])};{reply_tag(about.msgid)};{KEY_TAG}={self._engine.new_key()}"
        )
        self._engine.ask(build("TAGMSG", self._model.target_name, tags=tags), again=True)
        return []

    def _redact(self, _rest: str) -> list[Item]:
        about = self._last(own=True)
        if about is None:
            return self._problem(_("There is no message of yours to take back."))
        self._engine.ask(build("REDACT", self._model.target_name, about.msgid))
        return []

    def _link(self, _rest: str) -> list[Item]:
        for heard in reversed(self._heard.values()):
            if heard.where == self._model.target:
                for start, end in reversed(links(heard.text)):
                    return self._info(heard.text[start:end])
        return self._problem(_("There is no link here yet."))

    def _mute(self, _rest: str) -> list[Item]:
        key, name = self._model.target, clean(self._model.target_name)
        muted = key not in self._muted
        self._muted.symmetric_difference_update({key})
        text = _("{} is mute now.") if muted else _("{} is not mute any more.")
        return self._info(text.format(name))

    def _theme(self, _rest: str) -> list[Item]:
        return self._problem(_("Lines have the terminal's own colours: there is no theme to change."))

    # --- what is asked of the server ---

    def _search(self, words: str) -> list[Item]:
        if not words:
            return self._problem(_("Type /search WORDS."))
        return self._ask(build("SEARCH", f"text={escape_tag(words)};limit={PAGE // 2}"), self._page)

    def _date(self, day: str) -> list[Item]:
        try:
            moment = datetime.fromisoformat(day).astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            return self._problem(_("Type the day as in /date 2026-01-31."))
        since = f"timestamp={moment:%Y-%m-%dT%H:%M:%S}.000Z"
        return self._ask(build("CHATHISTORY", "AFTER", self._model.target_name, since, str(PAGE)), self._page)

    def _unread(self, _rest: str) -> list[Item]:
        """Show what was said behind the read marker of all our devices, and move it there."""
        target = self._model.target_name

        def move(answer: Answered) -> list[Item]:
            times = [parse_tags(one.tags).get("time", "") for one in answer.messages if one.tags]
            if times and times[-1]:
                self._engine.send(build("MARKREAD", target, f"timestamp={times[-1]}"))
            return self._page(answer)

        def read(answer: Answered) -> list[Item]:
            marks = ["".join(one.params[1:2]) for one in answer.messages if one.command == "MARKREAD"]
            since = marks[0] if marks and "=" in marks[0] else f"timestamp={BEGINNING}"
            return self._ask(build("CHATHISTORY", "AFTER", target, since, str(PAGE)), move)

        return self._ask(build("MARKREAD", target), read)

    def _ask(self, line: bytes, then: Callable[[Answered], list[Item]]) -> list[Item]:
        self._then[self._engine.ask(line, private=True, again=True)] = then
        return []

    def _page(self, answer: Answered) -> list[Item]:
        found: list[Item] = []
        for message in answer.messages:
            if message.command in _SPOKEN:
                found += self._model.feed(message, self._now())
            elif message.command == "FAIL":
                return self._problem(clean(message.params[-1]))
        if not found:
            return self._info(_("Nothing was found."))
        head = ngettext("{} message from the log:", "{} messages from the log:", len(found)).format(len(found))
        end = _("There is more behind it.") if len(found) >= PAGE else _("That is all of it.")
        return [*self._info(head), *(replace(one, old=True) for one in found), *self._info(end)]

    # --- small things ---

    def _last(self, *, own: bool) -> _Heard | None:
        """Return the last message where typed text goes: of others, or (`own`) of ours."""
        here = (one for one in reversed(self._heard.values()) if one.where == self._model.target)
        return next((one for one in here if one.own == own), None)

    def _info(self, text: str) -> list[Item]:
        return [Item(What.INFO, self._now(), text)]

    def _problem(self, text: str) -> list[Item]:
        return [Item(What.PROBLEM, self._now(), text)]


def _quote(text: str) -> str:
    return text if len(text) <= _QUOTE else text[: _QUOTE - 1] + "…"


def _answering(item: Item, answered: _Heard) -> Item:
    text = _("(answering {name}) {text}").format(name=answered.sender, text=item.text)
    return Item(item.what, item.time, text, item.sender, item.channel, item.recipient, own=item.own)
