"""Against a real server: what the scripted one cannot prove."""

from __future__ import annotations

import itertools

import pytest
from helpers.homes import PASSWORDS
from helpers.peer import TIMEOUT

from securechat.client.connection import Connection
from securechat.client.desk.desk import Desk
from securechat.client.desk.talk import WANTED, Talk
from securechat.client.dial import trust
from securechat.client.handshake import credentials
from securechat.client.resume import NEEDED
from securechat.client.settings import Endpoint


class Person:
    def __init__(self, home, server, name):
        place = Endpoint("localhost", server.port)
        context = trust(home.certs / "ca.pem")
        secret = credentials(name, PASSWORDS[name])
        self.connection = Connection(place, context, secret, more=NEEDED | WANTED)
        ticks = itertools.count(1)
        self.talk = Talk(self.connection, Desk(), lambda: 1_700_000_000_000 + next(ticks))
        self.connection.start()
        self.until(lambda: self.talk.ready and self.talk.desk.current == "#lobby")

    def until(self, true):
        while not true():
            event = self.connection.next_event(TIMEOUT)
            assert event is not None, "nothing came"
            self.talk.receive(event)

    @property
    def lobby(self):
        return self.talk.desk.open("#lobby")

    def said(self):
        return [one for one in self.lobby.entries if one.spoken]


@pytest.fixture
def person(home, server):
    people = []

    def come(name):
        people.append(Person(home, server, name))
        return people[-1]

    yield come
    for one in people:
        one.connection.abort()
        one.connection.join()


def test_lines_replies_reactions_history_and_search(person):
    alice, bob = person("alice"), person("bob")
    alice.talk.submit("one\n\n  two")
    alice.until(lambda: alice.said() and not alice.lobby.pending)
    bob.until(bob.said)
    assert [one.text for one in bob.said()] == ["one\n\n  two"]
    bob.talk.submit("yes", bob.said()[0].msgid)
    bob.talk.react(bob.said()[0], "👍")
    alice.until(lambda: len(alice.said()) == 2 and alice.said()[0].reactions)
    assert alice.said()[1].reply == alice.said()[0].msgid
    alice.talk.tick()
    later = person("alice")
    later.until(lambda: len(later.said()) == 2)
    assert [one.text for one in later.said()] == ["one\n\n  two", "yes"]
    later.until(lambda: later.said()[0].reactions == {"👍": ["bob"]})
    found = []
    later.until(lambda: not later.lobby.asked)
    later.talk.library.search("two", "#lobby", found.append)
    later.until(lambda: found)
    assert [one.entry.text for one in found[0]] == ["one\n\n  two"]
    later.talk.redact(later.said()[0])
    bob.until(lambda: bob.said()[0].redacted)
