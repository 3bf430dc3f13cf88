"""The input, what lies over the screen, and what happens after a mistake."""

from __future__ import annotations

import pytest

from securechat.client.screen.run import _mistaken


def test_what_is_typed_fast_goes_where_it_was_meant_to(screen):
    async def test(on):
        from textual import events

        for char in "one\rtwo\r/away x":  # all of it is there before the screen looks
            on.app.post_message(events.Key("enter", "\r") if char == "\r" else events.Key(char, char))
        await on.pilot.pause()
        assert [one.rpartition(":")[2] for one in on.sent() if "PRIVMSG" in one] == ["one", "two"]
        assert on.app.prompt.text == "/away x"

    screen(test)


@pytest.mark.parametrize("opens", ["ctrl+p", "ctrl+f"])
@pytest.mark.parametrize("closes", ["enter", "escape"])
def test_what_lies_over_the_screen_closes_once(screen, opens, closes):
    async def test(on):
        from textual import events

        await on.press(opens)
        await on.type("/list")
        await on.looked_up()
        await on.press("down")
        for _ in range(3):
            on.app.post_message(events.Key(closes, None))
        await on.pilot.pause()
        assert len(on.app.screen_stack) == 1

    screen(test)


def test_a_mistake_of_ours_tells_no_secrets(screen, line_, monkeypatch, tmp_path):
    apps = []

    async def test(on):
        apps.append(on.app)
        await on.hear(line_(1, "a secret"))
        monkeypatch.setattr(on.app, "do_mute", lambda _rest: 1 // 0)
        await on.type("/mute")
        await on.press("enter")

    with pytest.raises(ZeroDivisionError):
        screen(test)
    (app,) = apps
    error = _mistaken(app.mistake, tmp_path / "state.json")
    kept = tmp_path / "mistake.txt"
    assert str(kept) in str(error)
    assert "ZeroDivisionError" in kept.read_text()
    assert "a secret" not in kept.read_text()
    assert app._exit_renderables == []


def test_another_conversation_keeps_its_draft(screen):
    async def test(on):
        on.app.do_open("bob")
        await on.type("half")
        on.app.show("#lobby")
        await on.type("/msg bob hi")
        await on.press("enter")
        assert (on.app.desk.here.name, on.app.prompt.text) == ("bob", "half")
        assert on.app.desk.conversations["#lobby"].draft == ""

    screen(test)


def test_a_command_without_a_connection_stays_in_the_input(screen):
    async def test(on):
        on.scene.lose()
        await on.type("/topic tea")
        await on.press("enter")
        assert on.app.prompt.text == "/topic tea"
        assert "Not connected" in on.text()

    screen(test)


def test_a_paste_of_several_lines_is_one_message(screen):
    async def test(on):
        from textual import events

        on.app.prompt.post_message(events.Paste("one\ntwo"))
        await on.pilot.pause()
        await on.press("enter")
        assert next(one for one in on.sent() if "BATCH" in one).endswith("BATCH +key-1 draft/multiline :#lobby")
        assert "two" in on.text()

    screen(test)
