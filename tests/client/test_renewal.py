"""A device's certificate is renewed by being used, and a lost answer locks nobody out."""

from __future__ import annotations

import threading

import pytest
from helpers.devices import enrol
from helpers.here import barrier, until
from helpers.peer import TIMEOUT
from helpers.programs import until as wait_for

from securechat.chat import devices as chat
from securechat.client import devices
from securechat.client.errand import AGAIN_SECONDS
from securechat.client.events import LoggedIn


class TestRenewal:
    @pytest.fixture
    def aged(self, here, tmp_path):
        """A device whose certificate has less than a third of its life left."""
        here.put(enrol(here.home, tmp_path / "old.pem", days=1))
        return here

    @pytest.fixture
    def later(self, monkeypatch):
        """Let clients believe that it is so late: later(seconds since 1970)."""
        return lambda moment: monkeypatch.setattr(devices, "now", lambda: moment)

    def test_in_its_last_third_it_is_renewed_by_being_used(self, aged, later):
        before = aged.device().held()
        connection = aged.connect(password=False)
        until(connection, LoggedIn)
        aged.leave(connection)
        assert aged.device().held() == before, "not yet"
        later(before.due + 1)
        connection = aged.connect(password=False)
        wait_for(lambda: aged.device().held() != before, "it is renewed")
        after = aged.device().held()
        assert (after.name, after.end - before.end > 80 * 86400) == ("laptop", True)
        assert {one.name for one in aged.known()} == {"laptop"}
        aged.leave(connection)
        later(before.due)
        connection = aged.connect(password=False)
        until(connection, LoggedIn)

    def test_on_a_connection_that_lasts(self, aged, later):
        before = aged.device().held()
        connection = aged.connect(password=False, idle_seconds=0.05)
        until(connection, LoggedIn)
        later(before.due + 1)
        wait_for(lambda: aged.device().held() != before, "it is renewed")

    def test_a_lost_answer_locks_nobody_out(self, aged, later):
        """The server has renewed it, and we never heard: the old one still logs in, and asks again."""
        enrol(aged.home, aged.home.path / "lost.pem", days=90)
        before = aged.device().held()
        later(before.due + 1)
        aged.connect(password=False)
        wait_for(lambda: aged.device().held() != before, "it is renewed")

    def test_another_program_may_have_renewed_it(self, aged, later):
        connection = aged.connect(password=False, idle_seconds=0.05)
        until(connection, LoggedIn)
        before = aged.device().held()
        aged.put(enrol(aged.home, aged.home.path / "other.pem", days=90))
        after, count = aged.device().held(), len(aged.known())
        later(before.due + 1)
        barrier(connection)
        assert (aged.device().held(), len(aged.known())) == (after, count)

    def test_where_the_server_cannot_now_it_is_asked_again_later(self, aged, later, monkeypatch):
        before, answer, busy = aged.device().held(), chat._enrolled, threading.Event()

        def once_busy(hub, session, shown, answered):
            if busy.is_set():
                return answer(hub, session, shown, answered)
            busy.set()
            return iter([hub.fail(session, "ENROL", "BUSY", shown, text="Later")])

        monkeypatch.setattr(chat, "_enrolled", once_busy)
        later(before.due + 1)
        connection = aged.connect(password=False, idle_seconds=0.05)
        until(connection, LoggedIn)
        assert busy.wait(TIMEOUT)
        barrier(connection)
        assert aged.device().held() == before
        later(before.due + 2 + AGAIN_SECONDS)
        wait_for(lambda: aged.device().held() != before, "it is renewed")
