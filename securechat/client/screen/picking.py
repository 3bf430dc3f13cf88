"""Picking a message, by the keyboard or the mouse, and what can be done with it then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message_pump import MessagePump

from securechat.client.desk.entries import Entry
from securechat.client.links import links
from securechat.client.screen.finding import Reacting
from securechat.client.screen.wrap import clip
from securechat.client.words import _

if TYPE_CHECKING:
    from securechat.client.screen.app import ChatApp

_KEYS: Final = {
    "r": "reply",
    "enter": "reply",
    "e": "react",
    "x": "redact",
    "delete": "redact",
    "o": "link",
    "к": "reply",
    "у": "react",
    "ч": "redact",
    "щ": "link",
}
"""What keys do with a message that was picked by keys: the same keys with the Russian layout as well."""
_ACTION: Final = "app.with_picked('{}')"


class Picking(MessagePump):
    """The part of the app that acts on one message. Everything here runs in the app's thread.

    With a message picked by keys, letters say what to do. Picked by the mouse, letters are text as always, and the
    row above the input has what can be clicked. `_doubted` is a message that is about to be taken back.
    """

    _doubted: Entry | None = None
    by_keys = False
    """Whether the message was picked by keys: focus says so only a moment later."""

    @property
    def _app(self) -> ChatApp:
        return cast("ChatApp", self)

    def action_pick(self) -> None:
        """Pick a message: keys say what to do with it."""
        chat = self._app
        self.by_keys = True
        chat.timeline.focus()
        chat.timeline.action_select(-1)
        chat.draw()

    def on_key(self, event: events.Key) -> None:
        """Do something with the picked message; what is nothing of that is text."""
        chat, timeline = self._app, self._app.timeline
        if chat.focused is not timeline:
            return
        doing = _KEYS.get(event.key) or _KEYS.get((event.character or "").lower())
        if timeline.selected is not None and doing:
            event.stop()
            self.action_with_picked(doing)
        elif event.is_printable and event.key not in ("j", "k"):
            # Focus comes later than the next key may: nothing is picked from now on.
            event.stop()
            timeline.selected = self._doubted = None
            chat.prompt.focus()
            chat.prompt.insert(event.character or "")
        chat.draw()

    def action_with_picked(self, doing: str) -> None:
        """Do something with the picked message. It is taken back when that was asked for twice."""
        entry = self._app.timeline.selected
        if doing == "redact" and entry is not self._doubted:
            self._doubted = entry
        else:
            self._doubted = None
            getattr(self, f"do_{doing}")("")
        self._app.draw()

    def target(self, *, own: bool | None = None) -> Entry | None:
        """Return the picked message, or the last one (of ours, or of others where that is said)."""
        chat = self._app
        if chat.timeline.selected is not None:
            return chat.timeline.selected
        said = (one for one in reversed(chat.desk.here.entries) if one.spoken and one.msgid and not one.redacted)
        return next((one for one in said if own in (None, one.own)), None)

    def do_reply(self, text: str) -> None:
        """Answer a message: what is typed next, or `text` at once."""
        chat, entry = self._app, self.target(own=False)
        if entry is None or not entry.msgid or entry.redacted:
            chat.notify(_("There is no message to answer yet."))
            return
        chat.reply_to = entry.msgid
        chat.timeline.selected = None
        if text:
            chat.submit(text)
        chat.prompt.focus()

    def do_react(self, reaction: str) -> None:
        """React to a message, by one of a few where none is given."""
        chat, entry = self._app, self.target(own=False)
        if entry is None or entry.redacted:
            chat.notify(_("There is no message to react to yet."))
        elif reaction:
            chat.talk.react(entry, reaction.strip()[:16])
        else:

            def react(chosen: str | None) -> None:
                if chosen:
                    chat.talk.react(entry, chosen)

            chat.push_screen(Reacting(chat.look), react)

    def do_redact(self, _rest: str) -> None:
        """Take back a message."""
        entry = self.target(own=True)
        if entry is None or not entry.msgid or entry.redacted:
            self._app.notify(_("There is no message of yours to take back."))
        else:
            self._app.talk.redact(entry)

    def do_link(self, _rest: str) -> None:
        """Open the first link of a message."""
        chat = self._app
        entry = self.target()
        found = links(entry.text) if entry is not None else []
        if entry is None or not found:
            chat.notify(_("There is no link in that message."))
            return
        address = entry.text[found[0][0] : found[0][1]]
        chat.notify(address)
        chat.open_url(address)

    # --- hints ---

    def replying(self) -> str:
        """Say whom an answer goes to."""
        entry = self._app.desk.here.by_id.get(self._app.reply_to)
        quote = f"{entry.sender}: {entry.text}" if entry else ""
        return clip(_(" ↱ answering {} (Esc: no answer)").format(clip(quote, 40)), self._app.size.width)

    def picking(self) -> list[Segment]:
        """Say what can be done with a picked message, each to be clicked; the keys where these do it."""
        chat = self._app
        by_key = self.by_keys
        if chat.timeline.selected is self._doubted and self._doubted is not None:
            return [self._button("redact", "x", _("take back for good"), by_key=by_key), Segment(_("  Esc no"))]
        names = [("reply", "r", _("reply")), ("react", "e", _("react"))]
        names += [("redact", "x", _("take back")), ("link", "o", _("open link"))]
        return [*(self._button(*one, by_key=by_key) for one in names), Segment(_("  Esc done"))]

    def _button(self, doing: str, key: str, name: str, *, by_key: bool) -> Segment:
        style = Style(underline=not by_key, meta={"@click": _ACTION.format(doing)})
        return Segment(f" {key} {name} " if by_key else f" {name} ", style)
