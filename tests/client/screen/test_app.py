"""Keys in, a screen out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from securechat.client.commands import COMMANDS
from securechat.client.screen import telling
from securechat.client.screen.finding import Finding
from securechat.client.screen.style import Colourless

HISTORY = 300


def some(line, count=HISTORY):
    return [line(number, f"line {number}") for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("size", "list_", "members"), [((120, 40), True, True), ((80, 24), True, False), ((40, 20), False, False)]
)
def test_it_folds(screen, line_, size, list_, members):
    async def test(on):
        text = on.text()
        assert "#lobby" in text
        assert "hello there" in text
        assert ("CHANNELS" in text) is list_
        assert ("MEMBERS" in text) is members
        assert len(text.splitlines()) <= size[1]
        await on.press("f2", "f3")
        assert ("CHANNELS" in on.text()) is not list_
        if size[0] > 60:
            assert ("MEMBERS" in on.text()) is not members

    screen(test, size=size, history=[line_(1, "hello there")])


def test_typing_and_keeping(screen, line_):
    async def test(on):
        await on.type("hello")
        assert "@" not in on.scene.sender.said[0] or "typing" in on.scene.sender.said[0]
        on.sent()
        await on.press("enter")
        assert on.sent()[0].endswith("PRIVMSG #lobby :hello")
        assert "…" in on.text()
        await on.hear(line_(1, "hello", who="alice", tags=";label=key-1"))
        assert "…  " not in on.text().replace("is typing …", "")
        assert on.app.prompt.text == ""

    screen(test)


def test_tab_completes_names_channels_and_commands(screen):
    async def test(on):
        await on.type("bo")
        await on.press("tab")
        assert on.app.prompt.text == "bob: "
        await on.press("ctrl+c")
        await on.type("/se")
        await on.press("tab")
        assert on.app.prompt.text == "/search "
        await on.press("ctrl+c")
        await on.type("see #lo")
        await on.press("tab")
        assert on.app.prompt.text == "see #lobby "

    screen(test)


def test_history_of_the_input(screen):
    async def test(on):
        for word in ("one", "two"):
            await on.type(word)
            await on.press("enter")
        await on.type("dra")
        await on.press("up", "up")
        assert on.app.prompt.text == "one"
        await on.press("down", "down")
        assert on.app.prompt.text == "dra"

    screen(test)


def test_a_draft_stays_with_its_conversation(screen, line_):
    async def test(on):
        await on.hear(line_(1, "psst", where="alice"))
        await on.type("half a")
        await on.press("ctrl+t")
        assert on.app.desk.here.name == "bob"
        assert on.app.prompt.text == ""
        await on.press("ctrl+b")
        assert on.app.prompt.text == "half a"

    screen(test)


def test_unread_counts_and_the_way_there(screen, line_):
    async def test(on):
        await on.hear(line_(1, "psst", where="alice"), line_(2, "psst!", where="alice"))
        assert "@2" in on.text()
        await on.press("ctrl+t")
        assert "psst!" in on.text()
        assert "@2" not in on.text()

    screen(test)


def test_the_new_line_stands_where_reading_stopped(screen, line_):
    async def test(on):
        on.app.on_app_blur()
        await on.hear(line_(2, "after"))
        assert " new " in on.text()
        assert on.app.desk.here.unread == 1
        on.app.on_app_focus()
        assert on.app.desk.here.unread == 0

    screen(test, history=[line_(1, "before")])


def test_who_looks_elsewhere_is_told(screen, line_, monkeypatch):
    told = []
    monkeypatch.setattr("securechat.client.screen.app.tell", lambda _app, notice: told.append(notice))

    async def test(on):
        await on.hear(line_(1, "alice: hi"))
        on.app.on_app_blur()
        await on.hear(line_(2, "nothing"), line_(3, "alice: hi"))
        await on.type("/mute")
        await on.press("enter")
        await on.hear(line_(4, "alice: hi"))
        assert [one.entry.msgid for one in told] == ["m3"]

    screen(test)


@pytest.mark.parametrize("term", ["xterm-256color", "foot"])
def test_a_notification_holds_nothing_but_text(term):
    entry = SimpleNamespace(sender="bo\x07b", text="a;b\x07\x1b]0;x\n c")
    text = telling.sequence(SimpleNamespace(where="#lob\x1b]0;by\x07", entry=entry), term)
    assert text.count("\x1b") == 1
    assert text.count("\x07") == 1


def test_scrolling_up_asks_for_more(screen, line_):
    async def test(on):
        on.app.desk.here.complete = False
        await on.press("pageup", "pageup", "pageup", "pageup")
        await on.press("pageup", "pageup")
        asked = [one for one in on.sent() if "CHATHISTORY" in one]
        assert len(asked) == 1
        assert "BEFORE #lobby msgid=m" in asked[0]
        assert not on.app.timeline.at_end
        top = [row[22:100] for row in on.text().splitlines() if "line " in row]
        await on.hear(line_(301, "new at the end"))
        assert [row[22:100] for row in on.text().splitlines() if "line " in row] == top
        await on.press("escape")
        assert "new at the end" in on.text()

    screen(test, history=some(line_))


def test_going_to_a_day(screen, line_):
    async def test(on):
        await on.press("ctrl+g")
        await on.type("2023-11-14T22:04:00+00:00")
        await on.press("enter")
        assert "line 240" in on.text()
        assert "line 300" not in on.text()

    screen(test, history=some(line_))


def test_search_as_you_type(screen, line_):
    async def test(on):
        await on.press("ctrl+f")
        await on.type("tea")
        while not (asked := [one for one in on.sent() if "SEARCH" in one]):
            await on.pilot.pause(0.02)
        assert "text=tea" in asked[0]
        label = asked[0].split(" ")[0]
        found = "@batch=x;" + line_(205, "line 205")[1:]
        await on.hear(f"{label} :s BATCH +x soju.im/search", found, ":s BATCH -x")
        assert isinstance(on.app.screen, Finding)
        assert "#lobby  bob: line 205" in on.text()
        await on.press("enter")
        assert on.app.timeline.selected.msgid == "m205"
        assert "line 205" in on.text()

    screen(test, history=some(line_))


def test_reply_react_and_take_back_by_keys(screen, line_):
    async def test(on):
        await on.hear(line_(1, "tea?"), line_(2, "mine", who="alice"))
        await on.press("ctrl+up", "up", "r")
        assert "answering bob: tea?" in on.text()
        await on.type("yes")
        await on.press("enter")
        assert any("+draft/reply=m1 PRIVMSG #lobby :yes" in one for one in on.sent())
        await on.press("ctrl+up", "up", "up", "e", "1")
        assert any("+draft/react=👍;+draft/reply=m1" in one for one in on.sent())
        await on.press("escape", "ctrl+up")
        assert "r reply" in on.text()
        await on.press("up", "x")
        assert "x take back for good" in on.text()
        assert not any("REDACT" in one for one in on.sent())
        await on.press("x")
        assert any(one.endswith(" REDACT #lobby :m2") for one in on.sent())

    screen(test)


def test_keys_of_the_russian_layout_do_the_same(screen, line_):
    async def test(on):
        from textual import events

        await on.hear(line_(1, "чай?"), line_(2, "мой", who="alice"))
        await on.press("ctrl+up", "up")
        on.app.post_message(events.Key("к", "к"))
        await on.pilot.pause()
        assert "answering bob: чай?" in on.text()

    screen(test)


def test_lists_over_a_narrow_screen_give_the_keys_back(screen):
    async def test(on):
        await on.press("f2", "f2")
        await on.type("hi")
        assert on.app.prompt.text == "hi"

    screen(test, size=(40, 20))


def test_reply_by_mouse(screen, line_):
    async def test(on):
        await on.hear(line_(1, "tea?"))
        rows = on.text().splitlines()
        y = next(index for index, row in enumerate(rows) if "tea?" in row)
        await on.pilot.click(offset=(60, y))
        assert on.app.timeline.selected.msgid == "m1"
        await on.type("ok")
        assert on.app.prompt.text == "ok"
        y, row = next((y, row) for y, row in enumerate(on.text().splitlines()) if "take back" in row)
        await on.pilot.click(offset=(row.index("reply"), y))
        assert on.app.reply_to == "m1"

    screen(test)


def test_links_can_be_opened(screen, line_, monkeypatch):
    async def test(on):
        opened = []
        monkeypatch.setattr(on.app, "open_url", opened.append)
        await on.hear(line_(1, "see https://example.org/a_(b), please"))
        await on.press("ctrl+up", "o")
        assert opened == ["https://example.org/a_(b)"]

    screen(test)


def test_each_second_tells_what_was_read_and_keeps_what_is_typed(screen, line_):
    kept = []

    async def test(on):
        await on.hear(line_(1, "hello"))
        await on.type("half a li")
        on.sent()
        on.app.second()
        assert [one.split(" ")[0] for one in on.sent()] == ["MARKREAD", "PING"]
        assert (len(kept), on.app.desk.here.draft) == (1, "half a li")
        on.app.second()
        assert (len(kept), on.sent()) == (1, [])

    screen(test, save=lambda: kept.append(1))


def test_offline_lines_wait_and_are_said_once(screen):
    async def test(on):
        on.scene.lose()
        on.app.after("#lobby")
        await on.type("later")
        await on.press("enter")
        assert "offline" in on.text()
        assert "1 waiting" in on.text()
        assert on.sent() == []

    screen(test)


@pytest.mark.parametrize("size", [(120, 40), (40, 20)])
def test_help_and_palette_list_every_command(screen, size):
    async def test(on):
        await on.press("f1")
        seen = on.text()
        assert "what was typed before" in seen
        for _ in range(6):
            await on.press("pagedown")
            seen += on.text()
        assert [row.usage for row in COMMANDS.values() if row.usage not in seen] == []
        await on.press("escape")
        assert len(on.app.screen_stack) == 1
        await on.press("ctrl+p")
        await on.type("mute")
        await on.looked_up()
        assert "/mute" in on.text()

    screen(test, size=size)


def test_typing_notices_are_shown(screen):
    async def test(on):
        await on.hear("@+typing=active :bob!u@b TAGMSG #lobby")
        assert "bob is typing" in on.text()

    screen(test)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_themes(screen, theme):
    async def test(on):
        await on.type(f"/theme {theme}")
        await on.press("enter")
        assert on.app.theme == theme

    screen(test)


@pytest.mark.parametrize("word", ["выход", "/quit"])
def test_quitting(screen, word):
    async def test(on):
        on.app.prompt.put(word)
        await on.press("enter")
        assert on.scene.sender.closed

    screen(test)


def test_hostile_text_is_harmless(screen, line_):
    async def test(on):
        await on.hear(line_(1, "\x1b[2Jgone\u202ebidi\u200b" + "x" * 380), line_(2, "日本" * 60))
        text = on.text()
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "gonebidi" in text

    screen(test, size=(50, 40))


def test_no_color_is_heeded(screen, line_, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    async def test(on):
        assert on.app.no_color
        await on.press("ctrl+up")
        segments = [seg for y in range(24) for seg in on.app.screen._compositor.render_strips()[y]]
        styles = [seg.style for seg in on.app.timeline.render_line(0)] + [seg.style for seg in segments]
        (filter_,) = [one for one in on.app._filters if isinstance(one, Colourless)]
        seen = [seg.style for seg in filter_.apply(segments, None) if seg.style]
        assert styles
        assert all(style.color is None and style.bgcolor is None for style in seen)
        assert any(style.reverse for style in seen)

    screen(test, history=[line_(1, "hello there")])


def test_a_word_of_eight_kilobytes_is_drawn_in_pieces(screen, line_):
    async def test(on):
        pieces = [f"@batch=b;draft/multiline-concat :bob!u@b PRIVMSG #lobby :{'w' * 400}" for _ in range(20)]
        head = line_(1, "").split(" ")[0]
        await on.hear(f"{head} :bob!u@b BATCH +b draft/multiline #lobby", *pieces, ":bob!u@b BATCH -b")
        assert len(on.app.desk.here.entries[0].text) == 8000
        rows = on.text().splitlines()
        assert len(rows) <= 24
        assert all(len(row) <= 80 for row in rows)

    screen(test, size=(80, 24))
