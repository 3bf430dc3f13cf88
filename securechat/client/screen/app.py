"""The full-screen client: draws the desk, gives it what is typed. The connection's thread only posts `Arrived`."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import Any, ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.filter import Monochrome
from textual.message import Message

from securechat.client.desk.desk import Desk
from securechat.client.desk.talk import Talk
from securechat.client.events import Event
from securechat.client.screen import sides
from securechat.client.screen.acting import Acting
from securechat.client.screen.lists import Bar, Lines
from securechat.client.screen.look import Look
from securechat.client.screen.over import Palette
from securechat.client.screen.palette import Commands
from securechat.client.screen.picking import Picking
from securechat.client.screen.prompt import Prompt
from securechat.client.screen.rows import Paper
from securechat.client.screen.style import LOOKS, SHEET, THEMES, Colourless
from securechat.client.screen.telling import tell
from securechat.client.screen.timeline import Timeline

TURN_SECONDS: Final = 0.006
PAUSE_SECONDS: Final = 0.003
"""How long events are dealt with before keys and drawing get their turn, and how long that is at least."""


class Arrived(Message):
    """The connection has events."""


class ChatApp(Acting, Picking, App[None]):
    """One person at a terminal. `next_event` gives an event of the connection or None; `save` keeps the state."""

    CSS = SHEET
    TITLE = "securechat"
    COMMANDS = {Commands}  # noqa: RUF012  # as Textual declares it
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # as Textual declares it
        (0, "-narrow"),
        (60, "-normal"),
        (100, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Quit", priority=True),
        Binding("ctrl+c", "clear", show=False, priority=True),
        Binding("ctrl+d", "end_of_input", show=False, priority=True),
        Binding("ctrl+f", "find", "Find", priority=True),
        Binding("ctrl+n,alt+down", "turn(1)", show=False, priority=True),
        Binding("ctrl+b,alt+up", "turn(-1)", show=False, priority=True),
        Binding("alt+a,ctrl+t", "unread", show=False, priority=True),
        Binding("alt+d,ctrl+g", "day", show=False, priority=True),
        Binding("ctrl+up,alt+k", "pick", show=False, priority=True),
        Binding("pageup", "page(1)", show=False, priority=True),
        Binding("pagedown", "page(-1)", show=False, priority=True),
        Binding("ctrl+end", "newest", show=False, priority=True),
        Binding("f1", "help", "Help", priority=True),
        Binding("f2", "fold('list')", show=False, priority=True),
        Binding("f3", "fold('people')", show=False, priority=True),
        Binding("escape", "escape", show=False),
    ]

    def __init__(
        self,
        talk: Talk,
        next_event: Callable[[], Event | None],
        *,
        host: str = "",
        pin: str = "",
        save: Callable[[], None] = lambda: None,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        light: bool = False,
    ) -> None:
        super().__init__()
        self.talk = talk
        self.focused_terminal = True
        self.reply_to = ""
        self.mistake = ""  # the traceback of what ended it
        self._next_event = next_event
        self._host = host
        self._pin = pin
        self._save = save
        self._now = now
        self._unsaved = False
        if self.no_color:  # Textual's own filter leaves shades of grey, on a ground of its own
            self._filters = [one for one in self._filters if not isinstance(one, Monochrome)]
            self._filters.append(Colourless(LOOKS.values()))
        for one in THEMES:
            self.register_theme(one)
        self.theme = "light" if light else "dark"

    @property
    def desk(self) -> Desk:
        """What is known."""
        return self.talk.desk

    @property
    def look(self) -> Look:
        """The colours of now."""
        return LOOKS.get(self.theme, LOOKS["dark"])

    def compose(self) -> ComposeResult:
        """Put the screen together."""
        yield Bar(id="topic")
        with Horizontal(id="middle"):
            yield Lines(id="conversations")
            with Vertical(id="talking"):
                yield Timeline(self.desk.here, id="timeline")
                yield Bar(id="typing")
                yield Prompt(
                    enter=self.enter,
                    tab=self.complete,
                    walk=self.walk,
                    id="prompt",
                    compact=True,
                    tab_behavior="focus",
                    highlight_cursor_line=False,
                )
            yield Lines(id="members")
        yield Bar(id="status")

    def on_mount(self) -> None:
        """Begin."""
        self.timeline = self.query_one(Timeline)
        self.prompt = self.query_one(Prompt)
        self.prompt.focus()
        self.prompt.put(self.desk.here.draft)
        self.set_interval(1, self._second)
        self.draw()
        self.post_message(Arrived())

    def action_command_palette(self) -> None:
        """Show the palette."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def get_system_commands(self, screen: Any) -> Any:  # noqa: ARG002  # Textual's own are not for a chat
        """Give no commands besides those of the table."""
        found: list[SystemCommand] = []
        return found

    def notify(self, message: str, **how: Any) -> None:
        """Show a sentence for a moment. What strangers wrote is no markup."""
        super().notify(message, **{"markup": False, **how})

    def _fatal_error(self) -> None:
        """End after a mistake of ours. Textual would print all that we know, such as what was said in secret."""
        self.mistake = traceback.format_exc()
        self._close_messages_no_wait()

    # --- what comes ---

    @on(Arrived)
    def take(self) -> None:
        """Deal with events for a moment; come again if there are more."""
        until = time.perf_counter() + TURN_SECONDS
        before, generation = self.desk.current, self.desk.here.generation
        while (event := self._next_event()) is not None:
            self.talk.receive(event)
            if time.perf_counter() >= until:
                self.set_timer(PAUSE_SECONDS, self._come_again)
                break
        self.after(before, moved=generation != self.desk.here.generation)

    def _come_again(self) -> None:
        self.post_message(Arrived())

    def after(self, before: str, *, moved: bool = True) -> None:
        """Draw what something has changed; `before` is the conversation that was shown."""
        if self.desk.current != before or self.timeline.conversation is not self.desk.here:
            self._turned(before)
        self._unsaved = self._unsaved or moved
        for notice in self.desk.notices:
            if not self.focused_terminal:
                tell(self, notice)
        self.desk.notices.clear()
        if self.talk.library.jump is not None:
            self._jumped(*self.talk.library.jump)
        if self.talk.link == "over" and (self.talk.leaving or self.talk.model is None):
            self.exit()
        self.draw()

    def _turned(self, before: str) -> None:
        old = self.desk.conversations.get(before)
        if old is not None:
            old.draft = self.prompt.text
        self.reply_to = ""
        self.prompt.put(self.desk.here.draft)
        self.timeline.show(self.desk.here)

    def _jumped(self, key: str, moment: int) -> None:
        self.talk.library.jump = None
        if key not in self.desk.conversations:
            return
        self.show(key)
        here = self.desk.here
        index = here.first_from(moment)
        if index < len(here):
            self.timeline.selected = here.at(index) if here.at(index).spoken else None
            self.timeline.reveal(index)

    def show(self, key: str) -> None:
        """Show a conversation."""
        before = self.desk.current
        self.talk.look(key)
        self.remove_class("-more-list") if self.has_class("-narrow") else None
        self.after(before)
        self.prompt.focus()

    def draw(self) -> None:
        """Bring everything on the screen up to date."""
        if not self.is_running:
            return
        talk, look, width = self.talk, self.look, self.size.width
        self.timeline.paper = Paper(self.timeline.size.width, look, self.desk.nick)
        self.timeline.refresh()
        listed = self.query_one("#conversations", Lines)
        listed.set(sides.conversations(self.desk, look))
        self.query_one("#members", Lines).set(sides.members(talk, look))
        self.query_one("#topic", Bar).set(*sides.topic(talk, look, folded=not listed.display))
        status = sides.status(talk, look, self._pin, self._host, width=width)
        self.query_one("#status", Bar).set(*status)
        self._hint()

    def _hint(self) -> None:
        """Say above the input who types, or what can be done at the moment."""
        text = sides.typists(self.talk, self._now(), self.size.width)
        pieces: list[Segment] = []
        if self.reply_to:
            text = self.replying()
        elif self.timeline.selected is not None:
            pieces = self.picking()
        elif not self.timeline.at_end:
            text = self.above()
        dim = Style(color=self.look.dim, italic=True)
        row = pieces or [Segment(text)]
        self.query_one("#typing", Bar).set(*Segment.apply_style(row, dim))

    def _second(self) -> None:
        self.talk.tick()
        self.draw()
        if self._unsaved:
            self.keep()

    def keep(self) -> None:
        """Keep drafts and what waits."""
        self._unsaved = False
        self.desk.here.draft = self.prompt.text
        self._save()

    def on_resize(self) -> None:
        """Draw for another size, once it is laid out."""
        self.call_after_refresh(self.draw)

    def present(self) -> None:
        """Take a key as a sign that somebody looks, whatever the terminal says of its focus."""
        if not self.focused_terminal:
            self.on_app_focus()

    def on_app_focus(self) -> None:
        """Somebody looks again."""
        self.focused_terminal = True
        self._watch()

    def on_app_blur(self) -> None:
        """Nobody looks: what comes is told."""
        self.focused_terminal = False
        self._watch()

    @on(Timeline.Followed)
    def _watch(self) -> None:
        watched = self.focused_terminal and self.timeline.at_end
        if watched and not self.desk.watched:
            self.desk.watched = True
            self.desk.seen()
        self.desk.watched = watched
        self.draw()

    @on(Timeline.Older)
    def _older(self) -> None:
        self.talk.library.older(self.desk.here)

    @on(Timeline.Chosen)
    def _chosen(self) -> None:
        self.by_keys = False
        self.draw()

    @on(Timeline.Done)
    def _done(self) -> None:
        self.prompt.focus()
        self.draw()

    @on(events.Unmount)
    def _ended(self) -> None:
        self.keep()
