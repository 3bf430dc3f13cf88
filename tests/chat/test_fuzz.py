"""Nothing that anybody says, in whatever order, makes the hub raise or write a line that is none."""

from __future__ import annotations

import base64
import random
from dataclasses import replace

import pytest
from helpers.house import SECRET, House, account

from securechat.chat.commands import TABLE
from securechat.protocol.capabilities import CAPABILITIES
from securechat.protocol.errors import Fault, ProtocolError
from securechat.protocol.framing import MAX_BODY, MAX_CLIENT_TAGS, MAX_SERVER_TAGS
from securechat.protocol.message import parse
from securechat.protocol.names import (
    MAX_CHANNEL,
    MAX_CHANNEL_BYTES,
    MAX_NICK,
    MAX_NICK_BYTES,
    check_channel,
    check_nick,
)


def longest(letter: str, characters: int, room: int) -> str:
    """As much of one letter as a name may have."""
    return letter * min(characters, room // len(letter.encode()))


WIDE, TALL, LONG, PLAIN = (longest(letter, MAX_NICK, MAX_NICK_BYTES) for letter in "語\U00020000жa")
NAMES = ("alice", "Иван", WIDE, TALL, LONG, PLAIN)
CHANNELS = (
    "#lobby",
    "#x",
    *("#" + longest(letter, MAX_CHANNEL - 1, MAX_CHANNEL_BYTES - 1) for letter in "cж語\U00020000"),
)
CAPS = " ".join(name for name in CAPABILITIES if name not in ("sasl", "cap-notify"))
ODD = [
    "",
    ":",
    "::",
    " ",
    "*",
    "#",
    "##",
    ",",
    ",,",
    "@",
    "+b",
    "-i",
    "0",
    "302",
    "\x01ACTION\x01",
    "a b",
    ":a b",
    "é",
]
ODD += [
    "😀" * 100,
    "я" * 200,
    "x" * 480,
    "\u202e",
    "\x1b[2J",
    "%s{0}{}",
    "#a,#b",
    "a,b,",
    "#" + "é" * 100,
    "²",
    "٣٠٢",
]
STAMP = "2023-11-14T22:13:20.{:03}Z"
SERVERS = ("s.example", "n" * 32)


def house_of(server: str = "s.example", **limits: int) -> House:
    house = House(accounts=[account(name) for name in NAMES], **limits)
    if server != house.rules.server:
        house.rules = replace(house.rules, server=server)
        house.fresh_hub(house.hub.accounts.values())
    return house


def say(device, line: str) -> None:
    """Say a line as the worker hands it over: parsed, or as the fault that it has."""
    raw = line.encode()
    try:
        message = parse(raw)
    except ProtocolError as error:
        message = error.fault
    if isinstance(message, Fault):
        device.fault(message)
    else:
        device.house.decide(device.session, message)


def check(house: House) -> None:
    """Everything that anybody got is a line within its limits that a client can read; the counts are right."""
    hub = house.hub
    assert hub.here == {key: person for key, person in hub.people.items() if person.sessions}
    assert hub.secret == {key for key, channel in hub.channels.items() if "s" in channel.flags}
    for device in house.devices.values():
        for line in device.heard():
            raw = line.encode()
            message = parse(raw, MAX_SERVER_TAGS)  # raises where it is none
            tags = len(message.tags.encode()) + 2 if message.tags else 0
            assert len(raw) - tags + 2 <= MAX_BODY, (len(raw) - tags + 2, line)


def test_the_names_used_here_are_allowed():
    assert all(check_nick(name) for name in NAMES)
    assert all(check_channel(name) for name in CHANNELS)


@pytest.mark.parametrize("server", SERVERS, ids=["short", "long"])
@pytest.mark.parametrize("name", NAMES, ids=["alice", "ivan", "wide", "tall", "long", "plain"])
class TestEverythingAtItsLimit:
    """The longest names, real names, topics and texts meet in one line, whoever reads it."""

    def entered(self, server, name):
        house = house_of(server)
        device = house.connect()
        say(device, "CAP LS 302")
        say(device, f"CAP REQ :sasl {CAPS}")
        say(device, "AUTHENTICATE PLAIN")
        say(device, "AUTHENTICATE " + base64.b64encode(f"\0{name}\0{SECRET}".encode()).decode())
        say(device, "NICK wanted")
        say(device, "USER u 0 * :" + "😀" * 120)
        say(device, "CAP END")
        assert device.session.person is not None
        check(house)
        return house, device

    def test_login(self, server, name):
        house, device = self.entered(server, name)
        again = house.connect()
        for line in (f"PASS {name}:{SECRET}", "NICK x", "USER u 0 * :" + "é" * 240):
            say(again, line)
        assert again.session.person is device.session.person
        check(house)

    @pytest.mark.parametrize("command", ["NAMES", "WHO", "MODE", "TOPIC"])
    def test_questions(self, server, name, command):
        house, device = self.entered(server, name)
        for channel in CHANNELS:
            say(device, f"JOIN {channel}")
            check(house)
        for target in (*CHANNELS, *NAMES):
            say(device, f"{command} {target}")
            check(house)

    def test_a_topic_as_long_as_the_server_takes(self, server, name):
        house, device = self.entered(server, name)
        others = [house.login(other, *CAPS.split()) for other in NAMES]
        for channel in CHANNELS[1:]:
            say(device, f"JOIN {channel}")
            check(house)
            for size in range(390, 250, -1):
                say(device, f"TOPIC {channel} :{'t' * size}"[: 510 - len(channel.encode()) + len(channel)])
            check(house)
            for other in others:
                say(other, f"JOIN {channel}")
                say(other, f"TOPIC {channel}")
            check(house)

    def test_text_as_long_as_the_server_takes(self, server, name):
        house, device = self.entered(server, name)
        for other in NAMES:
            house.login(other, *CAPS.split())
        for target in (*CHANNELS, *NAMES):
            say(device, f"JOIN {target}")
            for size in range(500, 100, -7):
                for command in ("PRIVMSG", "NOTICE"):
                    say(device, f"@+t={'v' * 4000} {command} {target} :{'x' * size}")
            say(device, f"PART {target} :{'r' * 300}")
            check(house)
        say(device, "QUIT :" + "q" * 500)
        check(house)

    @pytest.mark.parametrize("word", ["я" * 250, "x" * 500, "😀" * 120, "a b", ":a", ""])
    def test_whatever_is_repeated(self, server, name, word):
        house, device = self.entered(server, name)
        for line in (
            f"PING :{word}",
            f"CAP :{word}",
            f"CAP REQ :{word[:400]}",
            f"CAP LS :{word}",
            f"NICK :{word}",
        ):
            say(device, line)
            check(house)
        for command in TABLE:
            if command != "QUIT":
                say(device, f"{command} :{word}")
                check(house)


@pytest.mark.parametrize("command", sorted(TABLE))
@pytest.mark.parametrize("known", [False, True], ids=["stranger", "member"])
def test_every_command_with_every_oddity(command, known):
    for first in ODD:
        for second in [None, *ODD]:
            house = house_of()
            device = house.login(WIDE, "message-tags") if known else house.connect()
            middle = first.replace(" ", "").lstrip(":")
            say(device, f"{command} :{first}" if second is None else f"{command} {middle} :{second}")
            check(house)


class TestLists:
    """What fills up, and what is asked of it when it is full."""

    @pytest.mark.parametrize("size", range(1, 140, 3))
    def test_masks_of_every_length(self, size):
        house = house_of()
        device = house.login("alice")
        for mask in (
            "m" * size,
            "m" * size + "!u@h",
            "*@" + "m" * size,
            "!" * size,
            "@" * size,
            "语" * (size // 3),
        ):
            for letter in "beI":
                say(device, f"MODE #lobby +{letter} {mask}")
                say(device, "JOIN #own")
                say(device, f"MODE #own +{letter} {mask}")
                say(device, f"MODE #own {letter}")
                say(device, f"MODE #own -{letter} {mask}")
        check(house)
        house.fresh_hub(house.hub.accounts.values())

    @pytest.mark.parametrize("name", NAMES, ids=["alice", "ivan", "wide", "tall", "long", "plain"])
    def test_ban_lists_are_shown_whole(self, name):
        house = house_of(SERVERS[1])
        device = house.login(name)
        for channel in CHANNELS[1:]:
            say(device, f"JOIN {channel}")
            for number in range(110):
                say(device, f"MODE {channel} +b {number}{'m' * 112}")
            say(device, f"MODE {channel} b")
            say(device, f"MODE {channel} +kl {'k' * 32} 999999")
            say(device, f"MODE {channel}")
            check(house)

    @pytest.mark.parametrize(
        "odd", [":a b", "::x", ":a b,c d", ",".join("n" * 60 + str(n) for n in range(7)), ":"]
    )
    def test_a_full_monitor_list(self, odd):
        house = house_of()
        device = house.login(WIDE)
        for number in range(10):
            say(device, "MONITOR + " + ",".join(f"n{number}-{n}" for n in range(10)))
        for verb in "+-LSC+":
            say(device, f"MONITOR {verb} {odd}")
            check(house)

    def test_one_line_does_not_ask_for_megabytes(self):
        """A member's question is answered once, however often one line asks it."""
        house = house_of()
        device = house.login("alice")
        say(device, "JOIN #x")
        for number in range(100):
            say(device, f"MODE #x +b {number}{'m' * 100}")
        device.heard()
        say(device, "MODE #x " + "b" * 480)
        assert sum(len(line) for line in device.heard()) < 100_000

    @pytest.mark.parametrize("name", NAMES, ids=["alice", "ivan", "wide", "tall", "long", "plain"])
    def test_people_at_their_limits(self, name):
        """Real name, away message, ranks, reasons: all as long as they may be, seen by everybody."""
        house = house_of(SERVERS[1])
        device = house.login(name, *CAPS.split())
        others = [house.login(other, *CAPS.split()) for other in NAMES]
        for letter, size in (("x", 500), ("x", 199), ("😀", 24), ("😀", 64), ("я", 48), ("я", 90)):
            say(device, f"SETNAME :{letter * size}")
            say(device, f"AWAY :{letter * size}")
        for channel in CHANNELS:
            for one in (device, *others):
                say(one, f"JOIN {channel}")
            check(house)
            for other in NAMES:
                say(device, f"MODE {channel} +oov {other} {name} {other}")
                say(device, f"INVITE {other} {channel}")
                say(device, f"WHO {channel} %tcuihsnfdlaor,123")
                say(device, f"WHO {other} %tcuihsnfdlao,123")
                say(others[0], f"WHOIS {name}")
                say(others[2], f"WHOIS {name}")
                say(others[2], f"PRIVMSG {name} :x")
                for size in range(0, 400, 40):
                    say(device, f"KICK {channel} {other} :{'r' * size}")
                check(house)
        say(device, "LIST")
        say(device, "ISON :" + " ".join(NAMES))
        say(device, "USERHOST " + " ".join(NAMES[1:]))
        check(house)


MEMORY = ("CHATHISTORY", "SEARCH", "REDACT", "MARKREAD", "PRIVMSG")


def random_line(dice: random.Random) -> str:
    command = dice.choice([*TABLE, *TABLE, *MEMORY, *MEMORY, "TAGMSG", "KICK", "X" * 40, "001", "NICK"])
    words = [*ODD, *NAMES, *CHANNELS, "PLAIN", "REQ", "LS", "END", f"alice:{SECRET}", f"{WIDE}:{SECRET}"]
    words += [
        "+oovv",
        "-o+b",
        "+bkl",
        "bbeeII",
        "+nmistk-nl",
        "%tcuihsnfdlaor,9",
        "draft/multiline",
        "+r1",
        "-r1",
        "C",
        "S",
    ]
    words += ["LATEST", "BEFORE", "AFTER", "AROUND", "BETWEEN", "TARGETS", "*", "5", "text=a", "in=#lobby;text=x"]
    ids = [f"id{dice.randrange(1, 120)}" for _ in range(4)]
    words += [*ids, *(f"msgid={one}" for one in ids), *(f"timestamp={STAMP.format(one)}" for one in (3, 50))]
    words += ["sasl", f"-{CAPS}", CAPS.replace(" ", " -"), "echo-message"]
    params = [dice.choice(words) for _ in range(dice.choice([0, 1, 1, 2, 2, 2, 3, 4, 5, 16]))]
    middle = [param.replace(" ", "").lstrip(":") for param in params[:-1]]
    trailing = [f":{params[-1]}" if dice.random() < 0.7 else params[-1]] if params else []
    tags = dice.choice(
        [
            "",
            "",
            "",
            "@+a=b ",
            "@label=x;+y ",
            "@+securechat/key=k1 ",
            "@+securechat/key=k2;label=x ",
            "@+draft/react=y;+securechat/key=k3 ",
            "@batch=r1 ",
            "@batch=r1;draft/multiline-concat ",
            "@a;+b;;+;=;+c=\\: ",
            f"@+x={'y' * 4000} ",
            "@ ",
        ]
    )
    source = dice.choice(["", "", "", ":someone!u@h ", ": "])
    return " ".join([f"{tags}{source}{command}", *middle, *trailing])


@pytest.mark.parametrize("seed", range(40))
def test_random_conversations(seed):
    """Six people with several devices say whatever comes to mind; some leave in the middle."""
    dice = random.Random(seed)
    house = house_of(dice.choice(SERVERS), channels_per_account=5, channels=8, devices_per_account=3)
    devices = [house.connect() for _ in range(4)]
    for _ in range(300):
        act = dice.random()
        gone = [device for device in devices if device.closed]
        for device in gone:
            devices.remove(device)
            device.leave()
        if act < 0.03 or not devices:
            devices.append(house.connect())
        elif act < 0.06:
            device = dice.choice(devices)
            devices.remove(device)
            device.leave(dice.choice(ODD))
        elif act < 0.1:
            key = dice.choice(NAMES).lower()
            here = house.hub.people[key].sessions if key in house.hub.people else ()
            if key in house.hub.accounts and len(here) < 3:
                devices.append(house.login(key, *dice.sample(CAPS.split(), 3)))
        elif act < 0.12:
            dice.choice(devices).fault(dice.choice(list(Fault)))
        elif act < 0.14:
            kept = [one for one in (account(name) for name in NAMES) if dice.random() < 0.8]
            house.run(None, house.hub.accounts_changed({one.key: one for one in kept}))
        elif act < 0.15:
            house.restore()
        else:
            line = random_line(dice)
            if len(line.encode()) <= MAX_BODY + MAX_CLIENT_TAGS:
                say(dice.choice(devices), line)
        check(house)


@pytest.mark.parametrize("seed", range(10))
def test_what_the_log_says_is_what_the_hub_knew(seed):
    """A hub made from the log alone has the channels, topics and members of the one that wrote it."""
    dice = random.Random(1000 + seed)
    house = house_of(channels_per_account=5, channels=8)
    devices = [house.login(name) for name in NAMES]
    for _ in range(200):
        command, text = dice.choice(["JOIN", "PART", "TOPIC", "JOIN"]), dice.choice(["a", "", "b" * 50])
        say(dice.choice(devices), f"{command} {dice.choice(CHANNELS)} :{text}")
    before = picture(house.hub)
    for device in devices:
        device.leave()
    assert picture(house.fresh_hub(house.hub.accounts.values())) == before


def picture(hub):
    return {
        key: (
            channel.name,
            channel.owner,
            channel.created,
            channel.topic,
            [m.since for m in channel.members.values()],
        )
        for key, channel in hub.channels.items()
    }
