"""The timeline: draws only what is on the screen, from its bottom up, however long the conversation is."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from securechat.client.desk.conversation import Conversation
from securechat.client.desk.entries import Entry
from securechat.client.screen.look import DARK
from securechat.client.screen.rows import Paper, Row, rows_of

CACHE: Final = 2000
WHEEL: Final = 3


class Timeline(Widget, can_focus=True):
    """Shows one conversation.

    `held` is the entry at the bottom, with `below` of its rows hidden; None: the end.
    """

    BINDINGS = [  # noqa: RUF012
        Binding("up,k", "select(-1)", show=False),
        Binding("down,j", "select(1)", show=False),
        Binding("home", "top", show=False),
        Binding("end,escape", "leave", show=False),
    ]

    class Older(Message):
        """The beginning of what is here is on the screen."""

    class Followed(Message):
        """The end of the conversation came on the screen, or left it."""

    class Chosen(Message):
        """Somebody picked a message by the mouse."""

    class Done(Message):
        """Somebody is done with picking a message."""

    def __init__(self, conversation: Conversation, *, id: str) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.conversation = conversation
        self.paper = Paper(80, DARK, "")
        self.held: Entry | None = None
        self.below = 0
        self.selected: Entry | None = None
        self._shown: list[tuple[Strip, int]] = []
        self._stamp: object = None
        self._drawn: OrderedDict[object, list[Row]] = OrderedDict()

    @property
    def at_end(self) -> bool:
        """Whether the newest entry is on the screen."""
        return self.held is None

    def show(self, conversation: Conversation) -> None:
        """Show another conversation, at its end, or where the "new" line is if that is further up."""
        self.conversation = conversation
        self.held, self.below, self.selected = None, 0, None
        self._drawn.clear()
        if conversation.line:
            self.reveal(conversation.first_after(conversation.line), only_if_above=True)
        self.refresh()

    # --- what is where ---

    def index_of(self, entry: Entry) -> int | None:
        """Return the place of an entry in the conversation; None where it is gone."""
        entries = self.conversation.entries
        at = self.conversation.first_from(entry.time)
        while at < len(entries) and entries[at].time == entry.time:
            if entries[at] is entry:
                return at
            at += 1
        pending = self.conversation.pending
        return next((len(entries) + place for place, one in enumerate(pending) if one is entry), None)

    def _rows(self, index: int) -> list[Row]:
        conversation = self.conversation
        entry = conversation.at(index)
        before = conversation.at(index - 1) if index else None
        chosen = entry is self.selected
        answered = conversation.by_id.get(entry.reply) if entry.reply else None
        key = (
            *(id(entry), entry.version, entry.state, id(before), self.paper, chosen, conversation.line),
            answered.version if answered else -1,
        )
        rows = self._drawn.get(key)
        if rows is None:
            rows = self._drawn[key] = rows_of(conversation, index, self.paper, selected=chosen)
            if len(self._drawn) > CACHE:
                self._drawn.popitem(last=False)
        return rows

    def _bottom(self) -> tuple[int, int]:
        """Return the index of the entry at the bottom and how many of its rows are hidden."""
        if self.held is not None:
            index = self.index_of(self.held)
            if index is not None:
                return index, self.below
            self.held = None
        return len(self.conversation) - 1, 0

    def _lay_out(self) -> None:
        height, width = self.size.height, self.size.width
        stamp = (
            *(self.conversation.generation, id(self.conversation), self.held, self.below, self.selected),
            *(height, width, self.paper, self.conversation.line, len(self.conversation)),
        )
        if stamp == self._stamp:
            return
        self._stamp = stamp
        index, hidden = self._bottom()
        shown: list[tuple[Strip, int]] = []
        while index >= 0 and len(shown) < height:
            rows = self._rows(index)
            rows = rows[: len(rows) - hidden]
            hidden = 0
            shown += [(_strip(row, width), index) for row in reversed(rows)]
            index -= 1
        self._first = index + 1
        self._full = len(shown) >= height
        shown = shown[:height]
        shown += [(Strip.blank(width), -1)] * (height - len(shown))
        self._shown = shown[::-1]
        if self._first <= 0:
            self.call_later(self._older)  # drawing runs as the screen, and what that posts does not come by it

    def _older(self) -> None:
        self.post_message(self.Older())

    def render_line(self, y: int) -> Strip:
        """Draw one row (see Widget)."""
        self._lay_out()
        background = self.rich_style
        return self._shown[y][0].apply_style(background) if y < len(self._shown) else Strip.blank(self.size.width)

    # --- moving ---

    def scroll_rows(self, up: int) -> None:
        """Move by rows: upwards, or downwards where `up` is negative."""
        index, hidden = self._bottom()
        if index < 0:
            return
        hidden += up
        while hidden >= len(self._rows(index)) and index > 0:
            hidden -= len(self._rows(index))
            index -= 1
        while hidden < 0 and index < len(self.conversation) - 1:
            index += 1
            hidden += len(self._rows(index))
        self._hold(index, hidden)

    def _hold(self, index: int, hidden: int) -> None:
        """Let this entry be at the bottom, as far as the beginning allows."""
        was = self.at_end
        height, least = self.size.height, 0
        for at in range(min(index + 1, len(self.conversation))):
            least += len(self._rows(at))
            if least - (hidden if at == index else 0) >= height:
                break
        else:
            index, hidden = self._lowest(height)
        hidden = max(0, min(hidden, len(self._rows(index)) - 1)) if index >= 0 else 0
        if index >= len(self.conversation) - 1 and hidden == 0:
            self.held, self.below = None, 0
        else:
            self.held, self.below = self.conversation.at(index), hidden
        if was != self.at_end:
            self.post_message(self.Followed())
        self.refresh()

    def _lowest(self, height: int) -> tuple[int, int]:
        """Return what is at the bottom when the beginning is at the top."""
        used = 0
        for index in range(len(self.conversation)):
            used += len(self._rows(index))
            if used >= height:
                return index, used - height
        return len(self.conversation) - 1, 0

    def reveal(self, index: int, *, only_if_above: bool = False) -> None:
        """Put an entry on the screen, near the top."""
        height, used, at = max(1, self.size.height - 2), 0, index
        while at < len(self.conversation) and used < height:
            used += len(self._rows(at))
            at += 1
        if at >= len(self.conversation) and used <= height and only_if_above:
            return
        self._hold(max(0, at - 1), max(0, used - height))

    def to_end(self) -> None:
        """Show the newest."""
        if len(self.conversation):
            self._hold(len(self.conversation) - 1, 0)

    def action_top(self) -> None:
        """Show the oldest that is here; older ones are asked for."""
        if len(self.conversation):
            self._hold(*self._lowest(self.size.height))

    # --- picking a message ---

    def action_select(self, step: int) -> None:
        """Pick the next message above or below."""
        here = self.conversation
        at = self.index_of(self.selected) if self.selected is not None else None
        index = self._bottom()[0] + 1 if at is None else at
        index += step
        while 0 <= index < len(here) and not here.at(index).spoken:
            index += step
        if 0 <= index < len(here):
            self.selected = here.at(index)
            self._make_visible(index)
        elif step > 0:
            self.action_leave()
        self.refresh()

    def _make_visible(self, index: int) -> None:
        self._lay_out()
        places = [place for _, place in self._shown if place >= 0]
        if places and index <= places[0]:
            self.scroll_rows(len(self._rows(index)) + 1)
        elif index >= self._bottom()[0]:
            self._hold(index, 0)

    def action_leave(self) -> None:
        """Pick nothing, and show the newest."""
        self.selected = None
        self.to_end()
        self.refresh()
        self.post_message(self.Done())

    def on_click(self, event: events.Click) -> None:
        """Pick the message under the mouse."""
        self._lay_out()
        if event.y < len(self._shown) and self._shown[event.y][1] >= 0:
            index = min(self._shown[event.y][1], len(self.conversation) - 1)
            entry = self.conversation.at(index)
            if entry.spoken:
                self.selected = entry
                self.refresh()
                self.post_message(self.Chosen())

    def focus_on_click(self) -> bool:
        """Leave the keys to the input: what is typed after a click is text."""
        return False

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll."""
        event.stop()
        self.scroll_rows(WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll."""
        event.stop()
        self.scroll_rows(-WHEEL)


def _strip(row: Row, width: int) -> Strip:
    segments = [Segment(text, style or Style.null()) for text, style, _ in row if text]
    return Strip(segments).adjust_cell_length(width)
