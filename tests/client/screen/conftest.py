"""The full screen without a terminal and without a connection."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest
from helpers.peer import TIMEOUT

_SPEC = importlib.util.spec_from_file_location("desk_scene", Path(__file__).parent.parent / "desk" / "conftest.py")
_module = importlib.util.module_from_spec(_SPEC)
sys.modules["desk_scene"] = _module
_SPEC.loader.exec_module(_module)
T = "2023-11-14T22:{:02}:{:02}.000Z"


def line(number, text, who="bob", where="#lobby", tags=""):
    stamp = T.format(number // 60 % 60, number % 60)
    head = f"@time={stamp};msgid=m{number};securechat/order={number}{tags}"
    return f"{head} :{who}!u@b PRIVMSG {where} :{text}"


class Screen:
    """An app under Pilot, its scene, and what is on its screen."""

    def __init__(self, scene, app, pilot):
        self.scene, self.app, self.pilot = scene, app, pilot

    async def hear(self, *lines):
        before = self.app.desk.current
        self.scene.hear(*lines)
        self.app.after(before)
        await self.pilot.pause()

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def looked_up(self):
        """Wait until the palette has found all that it looks for: it does so in the background."""
        async with asyncio.timeout(TIMEOUT):
            while not all(worker.is_finished for worker in self.app.workers):
                await self.pilot.pause(0.02)
        await self.pilot.pause()

    async def type(self, text):
        names = {" ": "space", "/": "slash", "#": "number_sign", "\n": "ctrl+j"}
        await self.press(*(names.get(char, char) for char in text))

    def text(self):
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    def sent(self):
        return self.scene.sender.take()


@pytest.fixture
def line_():
    return line


@pytest.fixture
def screen():
    """Run a coroutine function with a Screen: screen(test, size=(80, 24), history=())."""

    def run(test, size=(120, 40), history=(), **how):
        from securechat.client.screen.app import ChatApp

        class Still(ChatApp):
            """Seconds pass when a test says so: what is due in each would come anywhere in a slow one."""

            def set_interval(self, interval, callback=None, **how):
                assert interval == 1
                self.second = callback
                return super().set_interval(86_400, callback, **how)

        async def main():
            scene = _module.Scene()
            scene.log_in(history=history)
            scene.sender.take()
            app = Still(scene.talk, lambda: None, host="localhost:6697", now=lambda: scene.now, **how)
            async with app.run_test(size=size) as pilot:
                await pilot.pause()
                made = Screen(scene, app, pilot)
                await test(made)

        asyncio.run(main())

    return run
