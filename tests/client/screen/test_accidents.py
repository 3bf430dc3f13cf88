"""What happens to somebody who did not mean it, or who is written to by somebody who did."""

from __future__ import annotations

import pytest

EVIL = "#[/b]x[red]"


async def burst(on, text):
    """Press keys that are all there before the screen looks."""
    from textual import events

    for char in text:
        on.app.post_message(events.Key("enter", "\r") if char == "\r" else events.Key(char, char))
    await on.pilot.pause()


def test_markup_in_what_strangers_write_is_text(screen, line_, monkeypatch):
    async def test(on):
        opened = []
        monkeypatch.setattr(on.app, "open_url", opened.append)
        await on.hear(line_(1, "see https://example.org/[/b] now"))
        await on.press("ctrl+up", "o")
        assert opened == ["https://example.org/[/b]"]
        await on.hear(f":alice!u@a JOIN {EVIL}")
        on.app.show(EVIL)
        await on.type("/mute")
        await on.press("enter")
        assert on.app.desk.here.muted
        await on.press("ctrl+p")
        await on.looked_up()
        await on.type("x[red]")
        await on.looked_up()
        assert EVIL in on.text()

    screen(test)


def test_the_palette_shows_usages_whole(screen):
    async def test(on):
        await on.press("ctrl+p")
        await on.looked_up()
        assert "/part [#CHANNEL] [REASON]" in on.text()

    screen(test)


def test_enter_twice_in_the_palette_does_it_once(screen):
    async def test(on):
        await on.press("ctrl+p")
        await on.type("mute")
        await on.looked_up()
        await burst(on, "\r\r\r")
        await on.pilot.pause()
        assert on.app.desk.here.muted

    screen(test)


@pytest.mark.parametrize("text", ["fix it", "happy", "so good rex"])
def test_text_typed_at_a_picked_message_is_text(screen, line_, text):
    async def test(on):
        await on.hear(line_(1, "mine", who="alice"))
        await on.press("ctrl+up")
        on.sent()
        await burst(on, text)
        assert on.app.prompt.text == text
        assert not any("REDACT" in one for one in on.sent())

    screen(test)


def test_another_device_moves_nobody(screen):
    async def test(on):
        await on.type("secret for lo")
        await on.hear(":alice!u@a JOIN #z3")
        assert on.app.desk.here.name == "#lobby"
        assert "#z3" in on.text()
        assert on.app.prompt.text == "secret for lo"
        on.app.prompt.put("/join #z4")
        await on.press("enter")
        await on.hear(":alice!u@a JOIN #z4")
        assert on.app.desk.here.name == "#z4"
        await on.hear(":alice!u@a PART #z3")
        assert "#z3" in on.app.desk.conversations

    screen(test)


def test_a_kick_takes_no_words_away(screen, line_):
    async def test(on):
        await on.type("half a sent")
        await on.hear(":bob!u@b KICK #lobby alice :tea time")
        assert (on.app.desk.here.name, on.app.prompt.text) == ("#lobby", "half a sent")
        assert "removed from #lobby by bob (tea time)" in on.text()

    screen(test)


def test_who_leaves_by_a_command_is_rid_of_it(screen):
    async def test(on):
        await on.hear(":alice!u@a JOIN #z3")
        on.app.show("#z3")
        await on.type("/part")
        await on.press("enter")
        await on.hear(":alice!u@a PART #z3")
        assert "#z3" not in on.app.desk.conversations
        assert on.app.desk.here.name == "#lobby"

    screen(test)


def test_what_is_refused_stands_where_it_was_said(screen, line_):
    async def test(on):
        await on.type("no")
        await on.press("enter")
        on.scene.now += 60_000
        await on.hear("@label=key-1 :s 404 alice #lobby :Cannot send to channel")
        assert "… #lobby" not in on.text()
        await on.type("yes")
        await on.press("enter")
        assert [one.text for one in on.app.desk.here.entries if one.own] == ["no"]
        assert [one.text for one in on.app.desk.here.pending] == ["yes"]

    screen(test)


def test_a_key_says_that_somebody_is_there(screen, line_):
    async def test(on):
        on.app.on_app_blur()
        await on.hear(line_(1, "alice: hi"))
        assert on.app.desk.here.unread == 1
        await on.type("h")
        assert on.app.desk.here.unread == 0

    screen(test)
