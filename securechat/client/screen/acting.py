"""What keys and commands do on the full screen."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from textual import on
from textual.message_pump import MessagePump

from securechat.client.commands import COMMANDS
from securechat.client.desk.entries import Kind
from securechat.client.desk.reading import Said
from securechat.client.screen.finding import Finding
from securechat.client.screen.helping import Helping
from securechat.client.screen.lists import Lines
from securechat.client.screen.prompt import Prompt
from securechat.client.words import _, ngettext
from securechat.protocol.names import fold

if TYPE_CHECKING:
    from securechat.client.screen.app import ChatApp


class Acting(MessagePump):
    """The part of the app that acts. Everything here runs in the app's thread."""

    @property
    def _chat(self) -> ChatApp:
        return cast("ChatApp", self)

    # --- the input ---

    def enter(self) -> None:
        """Say or do what is in the input. What is not taken stays there."""
        prompt = self._chat.prompt
        self._chat.present()
        text = prompt.text
        if text.strip() == "/help":
            prompt.put("")
            self.action_help()
            return
        prompt.put("")  # first: another conversation may come to be shown, with its own draft
        if not self.submit(text):
            prompt.put(text)

    def submit(self, text: str) -> bool:
        """Say or do what was typed; give whether it was taken."""
        chat = self._chat
        before = chat.desk.current
        outcome = chat.talk.submit(text, chat.reply_to)
        if outcome is None:
            chat.after(before)
            return False
        chat.desk.history.add(text)
        chat.reply_to = ""
        chat.desk.conversations.get(before, chat.desk.here).draft = ""
        if outcome.said:
            chat.timeline.to_end()
        if outcome.action[0]:
            getattr(self, f"do_{outcome.action[0]}")(outcome.action[1])
        chat.after(before)
        chat.keep()
        if outcome.quit and chat.talk.model is None:
            chat.exit()
        return True

    def command(self, typed: str, *, ask: bool) -> None:
        """Do a command of the palette, or put it into the input where something is to be filled in."""
        if ask:
            self._chat.prompt.put(f"{typed} ")
            self._chat.prompt.focus()
        else:
            self.submit(typed)

    @on(Prompt.Changed)
    def _changed(self) -> None:
        chat = self._chat
        if chat.prompt.text:
            chat.present()
        chat.talk.typing(chat.prompt.text)
        chat._unsaved = True  # noqa: SLF001  # the other half of it

    def complete(self, back: bool) -> None:  # as the input calls it
        """Complete the word before the cursor: a name, a channel or a command."""
        chat = self._chat
        model = chat.talk.model
        channel = model.channels.get(chat.desk.current) if model is not None else None
        names = [name.lstrip("~&@%+") for name in channel.members.values()] if channel else []
        names += [one.name for _key, one in chat.desk.listed() if not one.channel]
        channels = [one.name for _key, one in chat.desk.listed() if one.channel]
        before = chat.prompt.before
        become = chat.desk.completion.tab(
            before, commands=COMMANDS, channels=channels, names=dict.fromkeys(names), back=back
        )
        if become is not None:
            rest = chat.prompt.text[len(before) :]
            chat.prompt.put(become + rest)
            chat.prompt.move_cursor_relative(columns=-len(rest))

    def walk(self, step: int) -> None:
        """Put an earlier (-1) or a later (1) input into the input."""
        history = self._chat.desk.history
        text = history.back(self._chat.prompt.text) if step < 0 else history.forth()
        if text is not None:
            self._chat.prompt.put(text)

    # --- keys ---

    def action_leave(self) -> None:
        """Quit."""
        self.submit("/quit")

    def action_end_of_input(self) -> None:
        """Quit where nothing is typed."""
        if not self._chat.prompt.text:
            self.action_leave()

    def action_clear(self) -> None:
        """Clear the input; where it is clear already, say how to leave."""
        chat = self._chat
        if chat.prompt.text or chat.reply_to:
            chat.reply_to = ""
            chat.prompt.put("")
        else:
            chat.notify(_("Ctrl+Q or the word выход quits."))
        chat.draw()

    def action_escape(self) -> None:
        """Back to the input and the newest."""
        chat = self._chat
        chat.reply_to = ""
        chat.timeline.action_leave()

    def action_turn(self, step: int) -> None:
        """Show the next conversation of the list, or the one before."""
        chat = self._chat
        keys = [key for key, _one in chat.desk.listed()]
        chat.show(keys[(keys.index(chat.desk.current) + step) % len(keys)])

    def action_page(self, up: int) -> None:
        """Scroll by a screen."""
        if isinstance(self._chat.screen, Helping):
            self._chat.screen.turn(up)
            return
        timeline = self._chat.timeline
        timeline.scroll_rows(up * max(1, timeline.size.height - 2))
        self._chat.draw()

    def action_newest(self) -> None:
        """Show the newest."""
        self._chat.timeline.to_end()

    def action_fold(self, what: str) -> None:
        """Show or hide the conversations or the members."""
        chat = self._chat
        side = chat.query_one("#conversations" if what == "list" else "#members")
        shown = bool(side.display)
        chat.screen.set_class(shown, f"-less-{what}")
        chat.screen.set_class(not shown, f"-more-{what}")
        chat.call_after_refresh(chat.draw)
        chat.call_after_refresh(chat.prompt.focus)  # which a list over the whole screen has taken

    def action_find(self) -> None:
        """Search."""
        self.do_search("")

    def action_help(self) -> None:
        """Show what keys and commands there are."""
        chat = self._chat
        if isinstance(chat.screen, Helping):
            chat.screen.dismiss(None)
        else:
            chat.push_screen(Helping(chat.look, chat.size.width))

    def action_unread(self) -> None:
        """Go to what is new."""
        self.do_unread("")

    def action_day(self) -> None:
        """Ask for a day."""
        self.command("/date", ask=True)

    @on(Lines.Picked)
    def _picked(self, message: Lines.Picked) -> None:
        if message.source.id == "conversations":
            self._chat.show(message.key)
        elif message.source.id == "members":
            self.do_open(message.key)

    # --- commands of the screen ---

    def do_open(self, name: str) -> None:
        """Show a conversation."""
        chat = self._chat
        for first in name.split()[:1]:
            chat.desk.open(first)
            chat.show(fold(first))

    def do_close(self, _rest: str) -> None:
        """Take the conversation off the list; channels are left by /part."""
        chat = self._chat
        if chat.desk.here.joined:
            chat.desk.say(Kind.PROBLEM, _("You are in this channel: /part leaves it."), chat._now())  # noqa: SLF001
        else:
            chat.desk.close(chat.desk.here.name)

    def do_unread(self, _rest: str) -> None:
        """Go to the next conversation with something new."""
        key = self._chat.desk.next_unread()
        if key is None:
            self._chat.notify(_("Nothing new."))
        else:
            self._chat.show(key)

    def do_date(self, day: str) -> None:
        """Go to a day."""
        chat = self._chat
        try:
            moment = round(datetime.fromisoformat(day.strip()).timestamp() * 1000)
        except (ValueError, OverflowError, OSError):
            chat.notify(_("Type the day as in /date 2026-01-31."))
            return
        chat.talk.library.go_to(chat.desk.here, max(1, moment))

    def do_search(self, words: str) -> None:
        """Search as you type."""
        chat = self._chat
        chat.push_screen(Finding(chat.talk, chat.look, words), self._go_to)

    def _go_to(self, found: Said | None) -> None:
        chat = self._chat
        if found is not None:
            chat.talk.library.go_to(chat.desk.open(found.where), found.entry.time)
            chat.after(chat.desk.current)

    def do_mute(self, _rest: str) -> None:
        """Be told of nothing here, or of everything again."""
        here = self._chat.desk.here
        here.muted = not here.muted
        self._chat.notify(
            (_("{} is mute now.") if here.muted else _("{} is not mute any more.")).format(here.name)
        )

    def do_theme(self, name: str) -> None:
        """Change the colours."""
        chat = self._chat
        chat.theme = name if name in ("light", "dark") else "dark" if chat.theme == "light" else "light"

    # --- hints ---

    def above(self) -> str:
        """Say that there is more below."""
        new = self._chat.desk.here.unread
        return (
            ngettext(" ↓ {} new below, Esc goes there", " ↓ {} new below, Esc goes there", new).format(new)
            if new
            else _(" ↓ older messages, Esc goes to the newest")
        )
