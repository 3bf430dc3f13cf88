"""`Client` over a server that is killed and links that are cut: each line once, each event in order."""

from __future__ import annotations

import os
import signal
import socket
import threading
from types import SimpleNamespace

import pytest
from chaos_proxy import Cutter
from helpers.chat import Clients, logged, of, said_once, upto
from helpers.process import Serving
from helpers.programs import until
from helpers.relay import Relay

from securechat.client.errors import ClientError, LostError, RefusedError, TimedOutError
from securechat.client.happenings import Connected, Gap, Interrupted, Kept, Message, Refused, Resumed
from securechat.client.settings import ClientLimits

DIES = """
import os, signal
from securechat.storage.log import SqliteLog as Log
append = Log.append
def dying(log, entries, bursts=()):
    fatal = any("fatal" in entry.text for entry in entries)
    if fatal and {before}:
        os.kill(os.getpid(), signal.SIGKILL)
    append(log, entries, bursts)
    if fatal:
        os.kill(os.getpid(), signal.SIGKILL)
Log.append = dying
"""
"""Puts into a server that it is killed in the moment before, or after, a line with "fatal" is committed."""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Do not wait long between two tries to connect again."""
    monkeypatch.setattr("securechat.client.connection.random", SimpleNamespace(uniform=lambda *_: 0.05))


class House:
    """A server's process that is killed and started again on its port."""

    def __init__(self, home):
        self.home = home
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.server = None

    def start(self, **how):
        self.server = Serving(self.home.path, "--port", str(self.port), **how)

    def freeze(self):
        """Stop it, and return once it has stopped: until then it may go on answering."""
        self.server.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.server.process.pid, os.WSTOPPED)

    def kill(self):
        if self.server is not None:
            self.server.signal(signal.SIGKILL)
            self.server.finish()
            self.server = None

    def died(self):
        """Wait until it has killed itself."""
        assert self.server.finish() == -signal.SIGKILL
        self.server = None

    def again(self):
        self.kill()
        self.start()


@pytest.fixture
def house(home):
    made = House(home)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def enter(home):
    clients = Clients(home)
    yield clients
    clients.close()


@pytest.fixture
def relay():
    """A relay to no server yet."""
    made = Relay()
    yield made
    made.stop()


class TestKilled:
    """The server's process gets SIGKILL between a line and its echo."""

    def test_before_it_reads_the_line(self, house, home, enter):
        alice = enter(house.port)
        receipts = []
        for number in range(3):
            house.freeze()
            receipts.append(alice.say_soon("#lobby", f"line {number}"))
            house.again()
            assert receipts[-1].wait().kept
        events = said_once(alice, home, receipts)
        assert len(of(Interrupted, events)) == 3

    @pytest.mark.parametrize("before", [True, False], ids=["before the commit", "after the commit"])
    def test_at_the_commit(self, house, home, enter, before):
        house.kill()
        house.start(code=DIES.format(before=before))
        alice = enter(house.port)
        receipts = [alice.say_soon("#lobby", text) for text in ("one", "fatal\nof two lines", "three")]
        house.died()
        assert ("fatal\nof two lines" in logged(home)) is not before
        house.start()
        said_once(alice, home, [receipt.wait() for receipt in receipts])

    def test_after_it_is_kept_but_before_the_echo_arrives(self, house, home, enter, relay):
        relay.target = house.port
        alice = enter(relay.port)
        receipts = []
        for number in range(2):
            relay.deaf = True
            receipts.append(alice.say_soon("#lobby", f"line {number}"))
            until(lambda: receipts[-1].text in logged(home), "it is on disk")
            house.kill()
            relay.cut()
            assert not receipts[-1].done
            house.start()
            receipts[-1].wait()
        said_once(alice, home, receipts)

    def test_in_the_middle_of_many(self, house, home, enter):
        alice = enter(house.port)
        receipts = []
        for echoes in (1, 9, 30):
            first = len(receipts)
            receipts += [alice.say_soon("#lobby", f"{echoes}: line {number}") for number in range(60)]
            receipts[first + echoes - 1].wait()
            house.kill()
            receipts += [alice.say_soon("#lobby", f"{echoes}: more {number}") for number in range(5)]
            house.start()
            receipts[-1].wait()
        said_once(alice, home, receipts)


class TestCut:
    """The link goes, the server stays."""

    def test_an_echo_that_is_lost(self, server, home, enter, relay):
        relay.target = server.port
        alice = enter(relay.port)
        receipts = []
        for number in range(4):
            relay.deaf = True
            receipts.append(alice.say_soon("#lobby", f"line {number}"))
            until(lambda: receipts[-1].text in logged(home), "it is on disk")
            relay.cut()
            receipts[-1].wait()
        said_once(alice, home, receipts)

    def test_at_any_byte(self, server, home, enter):
        cutter = Cutter("one", 12_000, 30_000)
        cutter.target = server.port
        cutter.start()
        try:
            alice = enter(cutter.port)
            receipts = [alice.say_soon("#lobby", f"line {number}") for number in range(200)]
            while not receipts[-1].done:
                upto(alice, Kept | Interrupted)
                cutter.calm = cutter.cuts >= 3
            cutter.calm = True
            assert cutter.cuts
            assert [row for row in logged(home) if row.startswith("line")] == [one.text for one in receipts]
            assert all(receipt.kept for receipt in receipts)
        finally:
            enter.close()
            cutter.stop()


class TestEvents:
    def test_they_come_in_order(self, house, home, enter):
        alice = enter(house.port)
        alice.say("#lobby", "before")
        upto(alice, Message, text="before")
        house.kill()
        upto(alice, Interrupted)
        assert not alice.online
        waiting = alice.say_soon("#lobby", "typed meanwhile")
        assert alice.unsaid == ["typed meanwhile"]
        house.start()
        events = upto(alice, Message, text="typed meanwhile")
        first, *_ = events
        assert isinstance(first, Connected)
        assert first.again
        kinds = [
            type(event) for event in events if isinstance(event, Resumed | Kept | Message | Interrupted | Gap)
        ]
        assert kinds == [Resumed, Kept, Message]
        assert alice.online
        assert waiting.kept
        assert not alice.unsaid

    def test_what_others_said_meanwhile_comes_before_resumed(self, server, home, enter, relay):
        relay.target = server.port
        bob = enter(server.port, "bob")
        alice = enter(relay.port)
        relay.target = 1  # nobody listens there
        relay.cut()
        upto(alice, Interrupted)
        bob.say("#lobby", "missed")
        bob.say("alice", "missed, too")
        relay.target = server.port
        events = upto(alice, Resumed)
        assert isinstance(events[0], Connected)
        assert {event.text for event in of(Message, events)} == {"missed", "missed, too"}

    def test_a_log_that_went_back_is_a_gap(self, house, home, enter):
        alice = enter(house.port)
        for number in range(3):
            alice.say("#lobby", f"line {number}")
        last = alice.say("#lobby", "the last one")
        upto(alice, Message, text="the last one")
        house.kill()
        for file in home.path.glob("chat.db*"):
            file.unlink()
        house.start()
        events = upto(alice, Resumed)
        kinds = [type(event) for event in of(Interrupted | Connected | Gap | Resumed, events)]
        assert kinds == [Interrupted, Connected, Gap, Resumed]
        (gap,) = of(Gap, events)
        assert (gap.target, gap.first, gap.last, gap.back) == ("#lobby", 1, last.number, True)
        assert alice.say("#lobby", "goes on").number == 1


class TestWaiting:
    """Calls that wait while the connection is lost."""

    def test_they_are_answered_by_the_next_connection(self, house, home, enter):
        alice = enter(house.port)
        alice.say("#lobby", "findable")
        house.kill()
        upto(alice, Interrupted)
        starter = threading.Thread(target=house.start)
        starter.start()
        try:
            assert alice.say("#lobby", "said").kept
        finally:
            starter.join()
        house.freeze()
        page, found = alice.history_soon("#lobby"), alice.search_soon("findable")
        house.again()
        assert [event.text for event in page.wait()] == ["findable", "said"]
        assert [event.text for event in found.wait()] == ["findable"]

    def test_what_must_not_be_repeated_says_that_nobody_knows(self, house, home, enter):
        alice = enter(house.port)
        house.freeze()
        answer = alice.request_soon("TOPIC #lobby :perhaps")
        house.again()
        with pytest.raises(LostError, match="nobody knows whether it was done"):
            answer.wait()
        assert alice.request("WHOIS alice")

    def test_asked_while_there_is_no_connection_it_is_asked_once(self, house, home, enter):
        alice = enter(house.port)
        house.kill()
        upto(alice, Interrupted)
        answer = alice.request_soon("TOPIC #lobby :later")
        refused = alice.say_soon("nobody", "hello")
        house.start()
        assert "TOPIC" in [message.command for message in answer.wait()]
        with pytest.raises(RefusedError, match="nobody"):
            refused.wait()
        assert [event.receipt for event in of(Refused, upto(alice, Refused))] == [refused]

    def test_time_is_up_but_the_message_stays_on_its_way(self, house, home, enter):
        alice = enter(house.port, timeout=0)
        house.freeze()
        with pytest.raises(TimedOutError, match="not confirmed the message within 0 s; it stays on its") as late:
            alice.say("#lobby", "slowly")
        with pytest.raises(TimedOutError, match="not answered within 0 s; the answer may still come"):
            alice.history("#lobby")
        assert alice.unsaid == ["slowly"]
        house.again()
        said_once(enter_patient(alice), home, [late.value.pending.wait(30)])

    def test_what_never_left_can_be_withdrawn_for_certain(self, house, home, enter):
        alice = enter(house.port)
        house.freeze()
        left = alice.say_soon("#lobby", "left")
        house.kill()
        upto(alice, Interrupted)
        waiting = alice.say_soon("#lobby", "changed my mind")
        assert alice.withdraw(waiting)
        assert not alice.withdraw(left)
        with pytest.raises(ClientError, match="withdrawn"):
            waiting.wait()
        assert not alice.unsaid
        house.start()
        kept = alice.say("#lobby", "this instead")
        assert not alice.withdraw(kept)
        assert kept.kept
        assert logged(home) == ["this instead"]

    def test_where_it_does_not_come_back_all_of_them_end(self, house, home, enter):
        alice = enter(house.port, limits=ClientLimits(reconnect_seconds=0.1))
        house.freeze()
        receipt, page = alice.say_soon("#lobby", "lost"), alice.history_soon("#lobby")
        house.kill()
        for pending in (receipt, page):
            with pytest.raises(LostError, match="connection was lost"):
                pending.wait()
        assert alice.unsaid == ["lost"]
        with pytest.raises(LostError):
            list(alice)
        with pytest.raises(LostError):
            alice.say("#lobby", "too late")
        assert alice.closed
        alice.close()

    def test_a_full_disk_is_a_refusal(self, house, home, enter):
        alice = enter(house.port)
        house.server.limit_files(1)
        with pytest.raises(RefusedError) as refusal:
            alice.say("#lobby", "no room")
        assert refusal.value.code == "NOT_STORED"
        assert not alice.unsaid
        house.server.limit_files(None)
        alice.say("#lobby", "room again")
        assert logged(home) == ["room again"]

    def test_leaving_while_the_connection_is_lost_waits_for_nothing(self, house, home, enter):
        alice = enter(house.port)
        house.kill()
        upto(alice, Interrupted)
        receipt = alice.say_soon("#lobby", "never said")
        alice.close()
        assert alice.unsaid == ["never said"]
        assert receipt.error is not None
        assert alice.error is None

    def test_what_was_said_last_is_still_said_at_the_end(self, server, home, enter):
        alice = enter(server.port)
        receipts = [alice.say_soon("#lobby", f"line {number}") for number in range(20)]
        alice.close()
        assert all(receipt.kept for receipt in receipts)
        assert logged(home) == [receipt.text for receipt in receipts]


def enter_patient(client):
    """The client, with time to wait."""
    client._timeout = 30
    return client
