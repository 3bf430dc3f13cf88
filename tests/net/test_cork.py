"""Several records leave as one piece of TCP, and the last of them is never held back."""

from __future__ import annotations

import ssl

import pytest

from securechat.net import connection as module
from securechat.net.connection import CORK, RECORD, Connection

pytestmark = pytest.mark.skipif(CORK is None, reason="this system has no TCP_CORK")


class Socket:
    """Notes what is done to it; `answers` are what sends raise, None: takes all."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.done = []

    def setsockopt(self, _level, option, value):
        assert option == CORK
        self.done.append("cork" if value else "uncork")

    def send(self, data):
        self.done.append(len(data))
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        return len(data)


def connection(sock, *sizes):
    made = Connection(sock, "192.0.2.1", 50000, 0, 0.0)
    for size in sizes:
        made.queue(b"x" * size)
    return made


def test_one_record_goes_as_it_is():
    sock = Socket()
    assert connection(sock, 100, RECORD - 100).flush()
    assert sock.done == [RECORD]


def test_several_are_held_together_and_let_go():
    sock = Socket()
    assert connection(sock, RECORD, RECORD, 10).flush()
    assert sock.done == ["cork", RECORD, RECORD, 10, "uncork"]


@pytest.mark.parametrize("full", [ssl.SSLWantWriteError(), ssl.SSLWantReadError()])
def test_what_was_taken_is_let_go_where_there_is_no_more_room(full):
    sock = Socket(None, full)
    made = connection(sock, RECORD, RECORD, 10)
    assert not made.flush()
    assert sock.done == ["cork", RECORD, RECORD, "uncork"]
    assert made.queued == RECORD + 10
    assert made.flush()
    assert sock.done[4:] == ["cork", RECORD, 10, "uncork"]


def test_it_is_let_go_where_sending_fails():
    sock = Socket(None, ConnectionResetError())
    with pytest.raises(ConnectionResetError):
        connection(sock, RECORD, RECORD).flush()
    assert sock.done[-1] == "uncork"


def test_a_system_without_it_sends_all_the_same(monkeypatch):
    monkeypatch.setattr(module, "CORK", None)
    sock = Socket()
    assert connection(sock, RECORD, 10).flush()
    assert sock.done == [RECORD, 10]
