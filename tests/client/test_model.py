"""Whole conversations by plain calls: messages in, items out."""

from __future__ import annotations

import pytest

from securechat.client.items import Item, What
from securechat.client.model import Model
from securechat.protocol.errors import Fault
from securechat.protocol.message import parse

CTCP = "bob sent a CTCP {} request, which is not answered."
NOW = 1_700_000_000_000


class Told:
    """A model, and the lines a server tells it."""

    def __init__(self, nick="alice", caps=("echo-message",), **how):
        self.model = Model(nick, frozenset(caps), **how)

    def __call__(self, *lines):
        return [item for line in lines for item in self.model.feed(parse(line.encode(), 8191), NOW)]


@pytest.fixture
def told():
    """A model in #lobby with bob."""
    made = Told()
    made(
        ":alice!u@alice JOIN #lobby alice :Alice", ":s 353 alice = #lobby :~alice bob", ":s 366 alice #lobby :End"
    )
    return made


def test_entering_the_lobby():
    told = Told()
    assert told(":alice!u@alice JOIN #lobby alice :Alice") == [
        Item(What.JOINED, NOW, sender="alice", channel="#lobby", own=True)
    ]
    assert told(":s 332 alice #lobby :Be kind", ":s 333 alice #lobby bob 1700000000") == [
        Item(What.TOPIC, NOW, "Be kind", channel="#lobby")
    ]
    assert told(":s 353 alice = #lobby :~@alice", ":s 353 alice = #lobby :@+Bob carol") == []
    assert told(":s 366 alice #lobby :End") == [
        Item(What.NAMES, NOW, channel="#lobby", names=("~alice", "@Bob", "carol"))
    ]
    assert told.model.target == "#lobby"
    assert told.model.channels["#lobby"].topic == "Be kind"
    assert set(told.model.channels["#lobby"].members) == {"alice", "bob", "carol"}


@pytest.mark.parametrize(
    ("line", "item"),
    [
        (":bob!u@b PRIVMSG #lobby :hi", Item(What.MESSAGE, NOW, "hi", "bob", "#lobby")),
        (":bob!u@b PRIVMSG #LOBBY :hi", Item(What.MESSAGE, NOW, "hi", "bob", "#lobby")),
        (":bob!u@b PRIVMSG @#lobby :ops", Item(What.MESSAGE, NOW, "ops", "bob", "#lobby")),
        (":alice!u@a PRIVMSG #lobby :mine", Item(What.MESSAGE, NOW, "mine", "alice", "#lobby", own=True)),
        (":bob!u@b PRIVMSG alice :psst", Item(What.MESSAGE, NOW, "psst", "bob", recipient="alice")),
        (":alice!u@a PRIVMSG bob :psst", Item(What.MESSAGE, NOW, "psst", "alice", recipient="bob", own=True)),
        (":bob!u@b PRIVMSG #lobby :\x01ACTION waves\x01", Item(What.ACTION, NOW, "waves", "bob", "#lobby")),
        (":bob!u@b PRIVMSG #lobby :\x01ACTION cut", Item(What.ACTION, NOW, "cut", "bob", "#lobby")),
        (":bob!u@b NOTICE #lobby :beep", Item(What.NOTICE, NOW, "beep", "bob", "#lobby")),
        (":s NOTICE alice :Restart at noon", Item(What.INFO, NOW, "Restart at noon")),
        (":bob!u@b PRIVMSG alice :\x01VERSION\x01", Item(What.INFO, NOW, CTCP.format("VERSION"))),
        (":bob!u@b PRIVMSG alice :\x01DCC SEND \x1b[2J\x01", Item(What.INFO, NOW, CTCP.format("DCC"))),
        (":carol!u@c JOIN #lobby carol :Carol", Item(What.JOINED, NOW, sender="carol", channel="#lobby")),
        (":bob!u@b PART #lobby :tea", Item(What.LEFT, NOW, "tea", "bob", "#lobby")),
        (":alice!u@a PART #lobby", Item(What.LEFT, NOW, "", "alice", "#lobby", own=True)),
        (":bob!u@b QUIT :Quit: tea", Item(What.QUIT, NOW, "Quit: tea", "bob")),
        (":op!u@o KICK #lobby bob :rude", Item(What.REMOVED, NOW, "rude", "op", "#lobby", "bob")),
        (":op!u@o KICK #lobby alice", Item(What.REMOVED, NOW, "", "op", "#lobby", "alice", own=True)),
        (":bob!u@b NICK robert", Item(What.RENAMED, NOW, "robert", "bob")),
        (":bob!u@b TOPIC #lobby :News", Item(What.TOPIC_SET, NOW, "News", "bob", "#lobby")),
        (":s 331 alice #lobby :No topic is set", Item(What.TOPIC, NOW, "", channel="#lobby")),
        (":s 366 alice #x :End", Item(What.PROBLEM, NOW, "You are not in #x, so nobody tells you who is.")),
        (":s 301 alice bob :is not connected right now", Item(What.INFO, NOW, "bob is not connected right now")),
        (":s 301 alice bob :gone fishing", Item(What.INFO, NOW, "bob is away: gone fishing")),
        (":s 372 alice :- Welcome!", Item(What.INFO, NOW, "Welcome!")),
        (":s 403 alice #x :No such channel", Item(What.PROBLEM, NOW, "#x: No such channel")),
        (":s 417 alice :Not sent: 3 bytes too long", Item(What.PROBLEM, NOW, "Not sent: 3 bytes too long")),
        (":s FAIL JOIN BUSY #x :Come back later", Item(What.PROBLEM, NOW, "Come back later")),
        (":s WARN * OLD :Your client is old", Item(What.PROBLEM, NOW, "Your client is old")),
        (":s NOTE * HELLO :Good morning", Item(What.INFO, NOW, "Good morning")),
        (":bob!u@b INVITE alice #x", Item(What.INFO, NOW, "bob invites you to #x: /join #x")),
        (":bob!u@b MODE #lobby +o carol", Item(What.INFO, NOW, "bob sets the mode of #lobby to +o carol")),
        (":s 341 alice bob #x", Item(What.INFO, NOW, "bob is invited to #x")),
        (":s 322 alice #x 3 :Tea", Item(What.INFO, NOW, "#x (3): Tea")),
        (":s 322 alice #x 3 :", Item(What.INFO, NOW, "#x (3)")),
        (":s 311 alice bob u h * :Bob Brown", Item(What.INFO, NOW, "bob is Bob Brown")),
        (":s 319 alice bob :@#x #y", Item(What.INFO, NOW, "bob is in @#x #y")),
        (":s 313 alice bob :is an administrator", Item(What.INFO, NOW, "bob is an administrator")),
        (":s 338 alice bob 127.0.0.1 :is connected from", Item(What.INFO, NOW, "bob is connected from 127.0.0.1")),
        (":s 317 alice bob 5 1 :idle", Item(What.INFO, NOW, "bob said something less than a minute ago")),
        (":s 317 alice bob 7380 1 :idle", Item(What.INFO, NOW, "bob has been silent for 2 h 3 min")),
    ],
)  # fmt: skip
def test_one_line_one_item(told, line, item):
    assert told(line)[0] == item


@pytest.mark.parametrize(
    "line",
    [
        ":s 004 alice s securechat i n b",
        ":s 005 alice A=1 :are supported",
        ":s 376 alice :End",
        ":s 321 alice Channel :Users  Name",
        ":s 312 alice bob s :net",
        ":s 311 alice bob u h * :bob",
        ":s 330 alice bob bob :is logged in as",
        ":s 671 alice bob :is using a secure connection",
        ":s 317 alice bob x 1 :idle",
        "311",
        "313",
        "317",
        "319",
        "322",
        "341",
        ":s 900 alice alice!u@a alice :In",
        ":bob!u@b TAGMSG #lobby",
        ":s PONG s :x",
        ":s BATCH +1 chathistory",
        ":s CAP alice NEW :fun",
        ":carol!u@c JOIN #elsewhere",
        ":carol!u@c PART #elsewhere",
        ":carol!u@c QUIT :was nowhere that we know",
        ":alice!u@a QUIT",
        "PRIVMSG",
        ":bob PRIVMSG #lobby",
        "JOIN",
        "KICK #lobby",
        "NICK",
        "TOPIC #lobby",
        "CAP",
        ":s 353",
        ":s 366",
        ":s 332 alice #lobby",
        "FAIL",
        "301",
        "MODE",
        "INVITE",
        "ERROR",
        "372",
        "999",
    ],
)
def test_nothing_to_show(told, line):
    assert told(line) == []


def test_members_come_and_go(told):
    told(":carol!u@c JOIN #lobby", ":bob!u@b NICK Robert", ":s 353 alice = #lobby :half")
    assert set(told.model.channels["#lobby"].members) == {"alice", "robert", "carol"}
    told(":Robert!u@b PART #lobby", ":carol!u@c QUIT")
    assert set(told.model.channels["#lobby"].members) == {"alice"}


def test_names_asked_for_again_replace_what_was_known(told):
    told(":s 353 alice = #lobby :alice dave", ":s 366 alice #lobby :End")
    assert set(told.model.channels["#lobby"].members) == {"alice", "dave"}


class TestTarget:
    """Where typed text goes."""

    def test_the_lobby_wins_over_other_channels_that_the_server_joins_us_to(self):
        told = Told()
        told(":alice!u@a JOIN #garden", ":alice!u@a JOIN #lobby", ":alice!u@a JOIN #work")
        assert told.model.target == "#lobby"

    def test_without_a_lobby_the_first_stays(self):
        told = Told()
        told(":alice!u@a JOIN #garden", ":alice!u@a JOIN #work")
        assert told.model.target == "#garden"

    def test_a_join_that_was_asked_for_moves(self, told):
        told.model.want("#Garden")
        told(":alice!u@a JOIN #garden")
        assert told.model.target == "#garden"

    def test_a_join_by_another_device_does_not(self, told):
        told(":alice!u@a JOIN #garden")
        assert told.model.target == "#lobby"

    def test_the_lobby_does_not_pull_somebody_back(self):
        told = Told()
        told.model.want("#garden")
        told(":alice!u@a JOIN #garden", ":alice!u@a JOIN #lobby")
        assert told.model.target == "#garden"

    def test_leaving_falls_back_to_the_last_that_is_left(self, told):
        told(":alice!u@a JOIN #garden", ":alice!u@a JOIN #work")
        left, talking = told(":alice!u@a PART #lobby")
        assert (left.what, talking.what, talking.channel) == (What.LEFT, What.TALKING, "#work")
        assert told.model.target_name == "#work"

    def test_leaving_another_channel_changes_nothing(self, told):
        told(":alice!u@a JOIN #garden")
        assert [item.what for item in told(":alice!u@a PART #garden")] == [What.LEFT]
        assert told.model.target == "#lobby"

    def test_leaving_the_last_leaves_nowhere(self, told):
        assert told(":alice!u@a PART #lobby")[1] == Item(What.TALKING, NOW)
        assert told.model.target_name == ""


@pytest.mark.parametrize(
    ("tags", "time"),
    [
        ("time=2023-11-14T22:13:20.123Z", NOW + 123),
        ("msgid=x;time=2023-11-14T22:13:20Z;account=bob", NOW),
        ("time=", NOW),
        ("time=yesterday", NOW),
        ("msgid=x", NOW),
    ],
)
def test_server_time(told, tags, time):
    assert told(f"@{tags} :bob!u@b PRIVMSG #lobby :hi")[0].time == time


def test_everything_shown_is_clean(told):
    evil = "\x1b[2Jx\u202e\x07\x03"
    for line in (
        f":e{evil}!u@b PRIVMSG #lobby :{evil}",
        f":e{evil}!u@b PRIVMSG alice :\x01ACTION {evil}\x01",
        f":e{evil}!u@b JOIN #lobby",
        f":e{evil}!u@b PART #lobby :{evil}",
        f":alice!u@a JOIN #{evil}",
        f":s 353 alice = #lobby :e{evil}",
        ":s 366 alice #lobby :End",
        f":e{evil}!u@b TOPIC #lobby :{evil}",
        f":bob!u@b NICK {evil}",
        f":op{evil}!u@b KICK #lobby bob :{evil}",
        f":s 403 alice #{evil} :{evil}",
        f":s FAIL * X :{evil}",
        f":e{evil}!u@b INVITE alice #{evil}",
        f":e{evil}!u@b MODE #lobby {evil}",
        f":s 372 alice :- {evil}",
        f":s 301 alice {evil} :{evil}",
    ):
        for item in told(line):
            shown = "".join((item.text, item.sender, item.channel, item.recipient, *item.names))
            assert shown.isprintable(), line


def test_a_line_that_is_none(told):
    assert told.model.feed(Fault.BAD_UTF8, NOW) == [
        Item(What.PROBLEM, NOW, "The server sent a line that cannot be read: not UTF-8.")
    ]


def test_echo_that_is_taken_away():
    told = Told()
    assert told.model.said("bob", "x", NOW) == []
    told(":s CAP alice DEL :echo-message other")
    assert [item.text for item in told.model.said("bob", "x", NOW)] == ["x"]


def test_our_source_is_learned_and_forgotten(told):
    assert told.model.room("#lobby") == 512 - len(":alice!u@alice PRIVMSG #lobby :\r\n")
    told(":alice!longer@host.example PRIVMSG #lobby :echo")
    assert told.model.room("#lobby") == 512 - len(":alice!longer@host.example PRIVMSG #lobby :\r\n")
    told(":alice!u@a NICK alicia")
    assert told.model.nick == "alicia"
    assert told.model.room("#lobby") == 512 - len(":" + "x" * 20 + " PRIVMSG #lobby :\r\n")


def test_a_server_cannot_make_it_grow_for_ever(monkeypatch):
    monkeypatch.setattr("securechat.client.model.MAX_CHANNELS", 3)
    monkeypatch.setattr("securechat.client.channels.MAX_MEMBERS", 5)
    told = Told()
    told(*(f":alice!u@a JOIN #c{number}" for number in range(9)))
    told(*(f":p{number}!u@p JOIN #c0" for number in range(9)))
    told(":s 353 alice = #c1 :" + " ".join(f"p{number}" for number in range(9)))
    assert len(told.model.channels) == 3
    assert len(told.model.channels["#c0"].members) == 5
    assert len(told.model.channels["#c1"].incoming) == 5
