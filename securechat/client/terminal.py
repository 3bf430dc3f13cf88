"""The line client on a terminal: a prompt that stays below what arrives, whatever has been typed already."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output.vt100 import Vt100_Output

from securechat.client import keepsake
from securechat.client.desk.keeping import VERSION
from securechat.client.desk.waiting import read_waiting
from securechat.client.errors import reason
from securechat.client.pipe import Connect
from securechat.client.render import Renderer
from securechat.client.session import Session
from securechat.client.text import clean, sendable
from securechat.client.words import _, ngettext

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("c-c")
    def _(event: KeyPressEvent) -> None:
        """Clear the line; leave where there is nothing to clear."""
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=EOFError)

    return keys


class _RawInput(Vt100Input):
    """A terminal that stays as the prompt needs it while something is printed.

    prompt_toolkit gives it back to the system for that moment, which would echo what is being typed into the
    conversation, and make a signal of a Ctrl-C that is to clear the line.
    """

    def cooked_mode(self) -> contextlib.AbstractContextManager[None]:
        """Change nothing."""
        return contextlib.nullcontext()


def _prompt(keyboard: Vt100Input) -> PromptSession[str]:
    # The question where the cursor is goes unanswered on some terminals and delays every message on slow ones;
    # only menus, which we have none of, need to know.
    output = Vt100_Output.from_pty(sys.stdout, term=os.environ.get("TERM"))
    output.enable_cpr = False
    # The typed line is taken off the screen: it comes back as the server's echo, once it is kept.
    return PromptSession(key_bindings=_keys(), erase_when_done=True, input=keyboard, output=output)


class TerminalClient:
    """Says what is typed, prints the conversation above it.

    All of it belongs to the main thread, in which prompt_toolkit runs its event loop; the connection's thread
    does no more here than to wake that loop.
    """

    def __init__(self, connect: Connect, nick: str, place: Path) -> None:
        self._arrived = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection = connect(self._notify)
        colour = not os.environ.get("NO_COLOR")
        self._session = Session(self._connection, Renderer(colour=colour))
        self._typing: asyncio.Task[None] | None = None
        self._draft = ""  # what was being typed when it ended
        self._nick = nick
        self._place = place
        self._state = keepsake.load(place)
        self._kept: list[str] = []

    def run(self) -> None:
        """Talk until somebody quits or the connection is lost; raise ClientError for that."""
        for one in read_waiting(self._state.get("waiting")):
            print(*self._session.take_up(one, self._nick), sep="\n", flush=True)
        self._kept = [one.key for one in self._session.waiting]
        asyncio.run(self._talk())
        if self._draft:
            print(_("Not sent: {}").format(self._draft), flush=True)
        self._end()
        if self._session.error is not None:
            raise self._session.error

    def _end(self) -> None:
        """Say what became of what the server has not confirmed."""
        failure = self._keep()
        if failure:
            for one in self._session.waiting:
                print(_("Perhaps not sent: {}").format(clean(one.text)), f"({failure})", flush=True)
        elif self._kept:
            text = ngettext(
                "{} message is kept, and said when you connect again.",
                "{} messages are kept, and said when you connect again.",
                len(self._kept),
            )
            print(text.format(len(self._kept)), flush=True)

    def _keep(self) -> str:
        """Keep what waits in the file of the full screen, which says it as well; return why that failed."""
        waiting = self._session.waiting
        keys = [one.key for one in waiting]
        if keys == self._kept:
            return ""
        self._state |= {"version": VERSION, "waiting": [asdict(one) for one in waiting]}
        try:
            keepsake.save(self._place, self._state)
        except OSError as failure:
            return reason(failure)
        self._kept = keys
        return ""

    def _notify(self) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # closed: nobody is left to be told
                loop.call_soon_threadsafe(self._arrived.set)

    async def _talk(self) -> None:
        self._loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            self._loop.add_signal_handler(number, self._stop)
        self._connection.start()
        try:
            await self._receive()
        finally:
            self._connection.abort()
            self._connection.join()
            await self._end_typing()

    async def _receive(self) -> None:
        """Print what arrives; start the prompt with the first of it."""
        while not self._session.over:
            await self._arrived.wait()
            self._arrived.clear()
            if self._typing is not None and self._typing.done() and not self._session.leaving:
                await self._typing  # it failed, which must not leave a client that cannot be typed at
            lines: list[str] = []
            while (event := self._connection.next_event(0)) is not None:
                lines += self._session.receive(event)
            await self._print(lines)
            self._keep()
            if self._typing is None and self._session.ready:
                self._typing = asyncio.create_task(self._type())
                self._typing.add_done_callback(lambda _: self._arrived.set())
            if self._session.leaving:
                await self._end_typing()

    async def _type(self) -> None:
        keyboard = _RawInput(sys.stdin)
        prompt = _prompt(keyboard)
        with keyboard.raw_mode():  # between two prompts as well
            while not self._session.leaving:
                try:
                    # Asked anew at every redraw: the channel may change while something is being typed.
                    text = await prompt.prompt_async(lambda: self._session.prompt, handle_sigint=False)
                except EOFError:
                    self._session.leave()
                    return
                except asyncio.CancelledError:
                    self._draft = sendable(prompt.default_buffer.text)
                    raise
                await self._print(self._session.typed(text))
                self._keep()

    async def _print(self, lines: list[str]) -> None:
        if not lines:
            return
        text = "".join(f"{line}\n" for line in lines)

        def write() -> None:
            with contextlib.suppress(OSError):  # the terminal is gone; SIGHUP says so as well
                sys.stdout.write(text)
                sys.stdout.flush()

        await run_in_terminal(write)

    def _stop(self) -> None:
        self._session.leave(at_once=True)
        if self._typing is not None:
            self._typing.cancel()

    async def _end_typing(self) -> None:
        if self._typing is None:
            return
        self._typing.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):  # the terminal may be gone
            await self._typing
