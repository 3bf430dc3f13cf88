"""The full screen in Russian."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from securechat.client import words
from securechat.client.errors import LostError
from securechat.client.events import Interrupted


@pytest.fixture
def russian(screen):
    """Run a coroutine function with a Screen that speaks Russian (see `screen`)."""
    words.choose("ru")
    return screen


def test_what_stands_around(russian, line_):
    async def test(on):
        text = on.text()
        for what in ("сервер", "КАНАЛЫ", "УЧАСТНИКИ", "вторник, 14 ноября 2023", "Ctrl+P команды"):
            assert what in text
        for what in ("CHANNELS", "MEMBERS", "November", "server\n"):
            assert what not in text

    russian(test, size=(120, 40), history=[line_(1, "привет")])


def test_help_and_a_command_that_is_none(russian):
    async def test(on):
        await on.type("/help")
        await on.press("enter")
        assert "/topic [ТЕКСТ | -clear]" in on.text()
        assert "Выйти. То же делает слово" in on.text()
        await on.press("escape")
        await on.type("/nonsense")
        await on.press("enter")
        assert "Нет команды /nonsense: список — /help" in on.text()

    russian(test, size=(120, 60))


def test_the_palette(russian):
    async def test(on):
        await on.press("ctrl+p")
        await on.looked_up()
        assert "Найти команду или беседу" in on.text()
        assert "/join #КАНАЛ" in on.text()
        assert "Войти в канал" in on.text()

    russian(test)


@pytest.mark.parametrize("word", ["выход", "/quit"])
def test_leaving(russian, word):
    async def test(on):
        on.app.prompt.put(word)
        await on.press("enter")
        assert on.scene.talk.leaving

    russian(test)


def test_counts(russian, line_):
    async def test(on):
        await on.press("pageup", "pageup")
        await on.hear(*[line_(number, f"строка {number}") for number in range(101, 105)])
        assert "↓ ниже 4 новых, Esc — туда" in on.text()
        await on.hear("@+typing=active :bob!u@b TAGMSG #lobby", "@+typing=active :eve!u@b TAGMSG #lobby")
        await on.press("escape")
        assert "bob, eve печатают …" in on.text()

    russian(test, history=[line_(number, f"строка {number}") for number in range(1, 101)])


def test_searching_reacting_and_what_is_taken_back(russian, line_):
    async def test(on):
        await on.press("ctrl+f")
        assert "Enter — перейти, Esc — закрыть" in on.text()
        await on.press("escape", "ctrl+up")
        on.app.draw()
        await on.pilot.pause()
        assert "r ответить" in on.text()
        await on.press("e")
        assert "Реакция (Esc — никакой)" in on.text()
        await on.press("escape")
        await on.hear("@msgid=x :bob!u@b REDACT #lobby m1")
        assert "Сообщение отозвано." in on.text()

    russian(test, history=[line_(1, "зря")])


@pytest.mark.parametrize("size", [(40, 20), (60, 20), (80, 24), (100, 30), (120, 40)])
def test_nothing_is_wider_than_the_screen(russian, line_, size):
    """Russian is longer than English: what does not fit is cut off, and nothing moves for it."""

    async def test(on):
        async def whole():
            await on.pilot.pause()
            rows = on.text().split("\n")
            assert len(rows) == size[1]
            assert all(cell_len(row) <= size[0] for row in rows)
            assert [on.app.query_one(f"#{name}").size.height for name in ("topic", "status")] == [1, 1]
            return "\n".join(rows)

        assert "вторник, 14 ноября 2023" in await whole()
        await on.press("ctrl+up")
        on.app.draw()
        assert "r ответить" in await whole()
        await on.press("escape")
        on.app.prompt.put("/help")
        await on.press("enter")
        assert "сказать" in await whole()
        await on.press("escape")
        on.scene.talk.receive(Interrupted(LostError("Соединение потеряно: сервер пропал.", again=True), 300))
        on.app.prompt.put("подождёт")
        await on.press("enter")
        assert "нет связи с localhost:6697" in await whole()
        await on.press("f2")
        text = await whole()
        assert ("КАНАЛЫ" in text) is (size[0] < 60)

    russian(test, size=size, history=[line_(1, "очень длинное слово " * 9)])
