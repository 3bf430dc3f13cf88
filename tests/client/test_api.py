"""`Client` against a real server: what it tells, what it can be told, and what it says when that fails."""

from __future__ import annotations

import subprocess
import sys

import pytest
from helpers.chat import Clients, of, upto
from helpers.homes import PASSWORDS

from securechat import Client
from securechat.client.errors import ClientError, ConnectError, LoginError, LostError, RefusedError, TimedOutError
from securechat.client.happenings import (
    Connected,
    Joined,
    Kept,
    Left,
    Message,
    Raw,
    Reaction,
    ReadUpTo,
    Redaction,
    Resumed,
    TopicChanged,
    Typing,
)
from securechat.protocol.capabilities import MULTILINE_BYTES


@pytest.fixture
def enter(home):
    """Make clients that are in, and are always ended: enter(server, "alice")."""
    clients = Clients(home)
    yield lambda server, name="alice", **how: clients(server.port, name, **how)
    clients.close()


def test_importing_it_is_lazy():
    code = "import sys, securechat; sys.exit(any(name.startswith('securechat.') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_coming_in(server, enter):
    alice = enter(server)
    assert alice.nick == "alice"
    assert list(alice.channels) == ["#lobby"]
    assert alice.online
    first, *_, last = upto(alice, Resumed)
    assert isinstance(first, Connected)
    assert not first.again
    assert isinstance(last, Resumed)


def test_saying_gives_a_receipt_for_what_is_on_disk(server, enter):
    alice, bob = enter(server), enter(server, "bob")
    receipt = alice.say("#lobby", "Привет, bob")
    assert receipt.kept
    heard = upto(bob, Message)[-1]
    assert (heard.sender, heard.text, heard.conversation, heard.own) == ("alice", "Привет, bob", "#lobby", False)
    assert (heard.msgid, heard.number, heard.time) == (receipt.msgid, receipt.number, receipt.time)
    assert heard.time.tzinfo is not None
    own = upto(alice, Message)[-1]
    assert own.own
    assert own.msgid == receipt.msgid


def test_events_keep_their_order_while_calls_wait(server, enter):
    alice, bob = enter(server), enter(server, "bob")
    for number in range(20):
        alice.say("#lobby", f"alice {number}")
        bob.say("#lobby", f"bob {number}")
    assert len(alice.history("#lobby", limit=3)) == 3
    texts = [event.text for event in of(Message, upto(alice, Message, text="bob 19"))]
    assert texts == [f"{name} {number}" for number in range(20) for name in ("alice", "bob")]


def test_what_is_said_without_waiting_is_told_by_an_event(server, enter):
    alice = enter(server)
    receipts = [alice.say_soon("#lobby", f"line {number}") for number in range(50)]
    assert alice.unsaid
    last = receipts[-1].wait()
    assert [receipt.kept for receipt in receipts] == [True] * 50
    assert not alice.unsaid
    told = of(Kept, upto(alice, Message, msgid=last.msgid))
    assert [event.receipt for event in told] == receipts


@pytest.mark.parametrize(
    "text", ["one\ntwo\n\nfour", "x" * 3000, f"short\n{'слово ' * 500}end\n\tlast"], ids=["lines", "long", "both"]
)
def test_several_lines_are_one_message(server, enter, dial, text):
    old = dial(server, "carol")  # does not know batches
    alice, bob = enter(server), enter(server, "bob")
    first, second = alice.say("#lobby", text), alice.say("#lobby", "next")
    assert second.number == first.number + 1
    heard = of(Message, upto(bob, Message, text="next"))
    assert [event.text for event in heard] == [text, "next"]
    assert bob.history("#lobby")[-2].text == text
    assert old.expect(r"PRIVMSG #lobby :\S+")


def test_what_is_too_long_is_refused_here(server, enter):
    alice = enter(server)
    with pytest.raises(ClientError, match=f"Not sent: a message has at most {MULTILINE_BYTES} bytes"):
        alice.say("#lobby", "x" * (MULTILINE_BYTES + 1))
    with pytest.raises(ClientError, match="nothing to say"):
        alice.say("#lobby", " \n ")
    with pytest.raises(ClientError, match="is the name of no channel"):
        alice.say("two words", "hello")
    assert not alice.unsaid
    assert alice.say("#lobby", "fits").kept


def test_a_refusal_says_why(server, enter):
    alice = enter(server)
    with pytest.raises(RefusedError, match="nobody: No such nick") as caught:
        alice.say("nobody", "hello")
    assert caught.value.code == "401"
    with pytest.raises(RefusedError, match="#secret"):
        alice.say("#secret", "hello")
    with pytest.raises(RefusedError):
        alice.history("#elsewhere")
    with pytest.raises(RefusedError):
        alice.request("NOSUCHTHING")
    with pytest.raises(ClientError, match="one line"):
        alice.request("PING a\r\nQUIT")


def test_direct_messages_also_to_those_who_are_not_here(server, enter):
    alice = enter(server)
    assert alice.say("carol", "later").kept
    carol = enter(server, "carol")
    (waiting,) = carol.history("alice")
    assert (waiting.text, waiting.conversation, waiting.target) == ("later", "alice", "carol")


def test_replies_reactions_and_taking_back(server, enter):
    alice, bob = enter(server), enter(server, "bob")
    alice.say("#lobby", "question?")
    question = upto(bob, Message)[-1]
    bob.say("#lobby", "answer", reply_to=question)
    bob.react(question, "👍")
    answer, reaction = of((Message, Reaction), upto(alice, Reaction))[-2:]
    assert answer.reply_to == question.msgid
    assert (reaction.to, reaction.emoji, reaction.removed, reaction.sender) == (question.msgid, "👍", False, "bob")
    bob.react(question, "👍", remove=True)
    assert upto(alice, Reaction)[-1].removed
    bob.redact(answer, "wrong")
    gone = upto(alice, Redaction)[-1]
    assert (gone.redacted, gone.reason) == (answer.msgid, "wrong")
    with pytest.raises(RefusedError, match="own messages only"):
        bob.redact(question)
    kinds = [type(event) for event in alice.history("#lobby")]
    assert kinds[:3] == [Message, Redaction, Reaction]


def test_typing_and_reading(server, enter):
    alice, bob = enter(server), enter(server, "bob")
    alice.typing("#lobby")
    typing = upto(bob, Typing)[-1]
    assert (typing.sender, typing.conversation, typing.state) == ("alice", "#lobby", "active")
    said = alice.say("#lobby", "read this")
    message = upto(bob, Message)[-1]
    phone = enter(server, "bob")
    bob.mark_read("#lobby", message)
    mark = upto(phone, ReadUpTo, target="#lobby", time=said.time)[-1]
    assert mark.time == message.time


def test_channels(server, enter):
    alice, bob = enter(server), enter(server, "bob")
    alice.join("#garden")
    bob.join("#garden")
    assert set(alice.channels) == {"#lobby", "#garden"}
    alice.request("TOPIC #garden :Breakfast")
    topic = upto(bob, TopicChanged)[-1]
    assert (topic.topic, topic.sender, topic.channel) == ("Breakfast", "alice", "#garden")
    bob.part("#garden", "bye")
    assert "#garden" not in bob.channels
    seen = upto(alice, Left, name="bob")
    assert of(Joined, seen)[-1].name == "bob"
    assert seen[-1].reason == "bye"
    with pytest.raises(RefusedError):
        bob.part("#garden")


def test_history_and_search(server, enter):
    alice = enter(server)
    receipts = [alice.say("#lobby", f"word{number} common") for number in range(10)]
    texts = [event.text for event in alice.history("#lobby", before=receipts[5].msgid, limit=2)]
    assert texts == ["word3 common", "word4 common"]
    texts = [event.text for event in alice.history("#lobby", after=receipts[7].msgid)]
    assert texts == ["word8 common", "word9 common"]
    (found,) = alice.search("word7", "#lobby")
    assert found.msgid == receipts[7].msgid
    assert len(alice.search("common", limit=4)) == 4


def test_what_has_its_echo_can_be_found_while_others_talk(server, enter):
    alice, bob = enter(server), enter(server, "bob")
    for number in range(20):
        others = bob.say_soon("#lobby", f"noise {number}")
        said = alice.say("#lobby", f"needle{number}.")
        (found,) = alice.search(f"needle{number}.", "#lobby")
        assert found.msgid == said.msgid
        others.wait()


def test_paging_over_what_was_taken_back(server, enter):
    alice = enter(server)
    for number in range(6):
        alice.say("#lobby", f"line {number}")
    alice.redact(alice.history("#lobby")[3])
    latest = alice.history("#lobby", limit=4)
    assert [type(event) for event in latest] == [Redaction, Message, Message, Redaction]
    earlier = alice.history("#lobby", before=latest[0], limit=10)
    assert [event.text for event in earlier] == ["line 0", "line 1", "line 2"]
    assert [event.msgid for event in alice.history("#lobby", after=latest[0])] == [one.msgid for one in latest[1:]]
    assert latest[0].msgid == ""  # it stands in a message's place


def test_any_line_and_its_answer(server, enter):
    alice = enter(server)
    answer = alice.request("WHOIS alice")
    assert [message.command for message in answer][-1] == "318"
    assert of(Raw, upto(alice, Raw))


def test_polling_waits_for_nothing(server, enter, home):
    client = Client(port=server.port, user="bob", password=PASSWORDS["bob"], ca=home.certs / "ca.pem")
    assert client.poll() is None if not client.online else True
    with client:
        receipt = client.say_soon("#lobby", "hello")
        receipt.wait()
        events = []
        while (event := client.poll()) is not None:
            events.append(event)
        assert of(Kept, events)
    assert client.closed
    assert client.error is None


def test_events_that_nobody_takes_have_an_end(server, enter, monkeypatch):
    alice = enter(server)
    upto(alice, Resumed)
    monkeypatch.setattr("securechat.client.api.MAX_EVENTS", 4)
    alice.say("#lobby", "line 0")
    alice.say("#lobby", "line 1")
    with pytest.raises(TimedOutError, match="4 events wait to be taken: take some, then wait") as full:
        alice.say("#lobby", "line 2")
    receipt = full.value.pending
    upto(alice, Message, text=receipt.text)
    assert receipt.wait().kept
    assert [event.text for event in alice.history("#lobby")] == ["line 0", "line 1", "line 2"]


def test_iteration_ends_when_we_close(server, enter):
    alice = enter(server)
    upto(alice, Resumed)
    alice.close_soon()
    list(alice)
    assert alice.closed
    with pytest.raises(ClientError):
        alice.say("#lobby", "too late")


class TestFailures:
    def test_wrong_password(self, server, home):
        with pytest.raises(LoginError, match="password is wrong"):
            Client(port=server.port, user="alice", password="wrong", ca=home.certs / "ca.pem").__enter__()

    def test_nobody_listens(self, server, home):
        port = server.port
        server.stop()
        with pytest.raises(ConnectError, match="Nobody is listening"):
            Client(port=port, user="alice", password="x", ca=home.certs / "ca.pem").__enter__()

    def test_no_authority(self, tmp_path):
        with pytest.raises(ConnectError, match="no certificate authority"):
            Client(user="alice", password="x", ca=tmp_path / "ca.pem")

    def test_being_sent_away(self, server, enter):
        alice, bob = enter(server), enter(server, "bob")
        alice.request("KILL bob :enough")
        with pytest.raises(LostError, match="enough"):
            list(bob)

    def test_without_entering(self, server, home):
        client = Client(port=server.port, user="alice", password="x", ca=home.certs / "ca.pem")
        with pytest.raises(LostError, match="no connection yet"):
            client.say("#lobby", "hello")
        client.close()
