"""What is typed, as a table; and that every line we send fits when it comes back with our source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client.commands import COMMANDS, interpret, say
from securechat.client.items import What
from securechat.client.model import Model
from securechat.protocol.message import parse

NOW = 1_700_000_000_000


def model(*lines, nick="alice", caps=("echo-message",)):
    """A model that is in #lobby and has heard `lines`."""
    made = Model(nick, frozenset(caps))
    for line in (f":{nick}!u@{nick} JOIN #lobby", *lines):
        made.feed(parse(line.encode()), NOW)
    return made


def said(outcome):
    return [line.decode().removesuffix("\r\n") for line in outcome.lines]


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("hello", ["PRIVMSG #lobby :hello"]),
        ("  indented code", ["PRIVMSG #lobby :  indented code"]),
        (":) smile", ["PRIVMSG #lobby ::) smile"]),
        ("привет", ["PRIVMSG #lobby :привет"]),
        ("//etc is a folder", ["PRIVMSG #lobby :/etc is a folder"]),
        ("  //x", ["PRIVMSG #lobby :/x"]),
        ("no\rline\0feeds\x01", ["PRIVMSG #lobby :nolinefeeds"]),
        ("выход есть", ["PRIVMSG #lobby :выход есть"]),
        ("", []),
        (" \t ", []),
        ("/join #x", ["JOIN :#x"]),
        ("/JOIN   #x  ", ["JOIN :#x"]),
        ("/join сад", ["JOIN :#сад"]),
        ("/part", ["PART :#lobby"]),
        ("/part bye all", ["PART #lobby :bye all"]),
        ("/part #other", ["PART :#other"]),
        ("/part #other bye", ["PART #other :bye"]),
        ("/msg bob hi there", ["PRIVMSG bob :hi there"]),
        ("/msg #lobby hi", ["PRIVMSG #lobby :hi"]),
        ("/me waves", ["PRIVMSG #lobby :\x01ACTION waves\x01"]),
        ("/names", ["NAMES :#lobby"]),
        ("/names #x", ["NAMES :#x"]),
        ("/topic", ["TOPIC :#lobby"]),
        ("/topic All is well", ["TOPIC #lobby :All is well"]),
        ("/topic -clear", ["TOPIC #lobby :"]),
        ("/list", ["LIST"]),
        ("/devices", ["DEVICES"]),
        ("/revoke phone", ["DEVICES REVOKE :phone"]),
        ("/whois bob", ["WHOIS :bob"]),
        ("/away", ["AWAY"]),
        ("/away at lunch", ["AWAY :at lunch"]),
        ("/invite bob", ["INVITE bob :#lobby"]),
        ("/kick bob", ["KICK #lobby :bob"]),
        ("/kick bob  too loud", ["KICK #lobby bob :too loud"]),
        ("/quit", ["QUIT"]),
        ("/quit good night", ["QUIT :good night"]),
        ("выход", ["QUIT"]),
        (" Выход ", ["QUIT"]),
        ("/выход", ["QUIT"]),
    ],
)
def test_lines(typed, lines):
    outcome = interpret(model(), typed, NOW)
    assert (said(outcome), outcome.items) == (lines, ())
    assert outcome.quit == (lines[:1] != [] and lines[0].startswith("QUIT"))


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("/foo bar", "There is no command /foo: /help lists them, // sends a slash."),
        ("/", "There is no command /: /help lists them, // sends a slash."),
        ("/\x1b[31mfoo", "There is no command /foo: /help lists them, // sends a slash."),
        ("/join", f"Type /join #CHANNEL: {COMMANDS['join'].help}"),
        ("/join two words", f"Type /join #CHANNEL: {COMMANDS['join'].help}"),
        ("/msg bob", f"Type /msg NAME TEXT: {COMMANDS['msg'].help}"),
        ("/whois", f"Type /whois NAME: {COMMANDS['whois'].help}"),
        ("/invite", f"Type /invite NAME: {COMMANDS['invite'].help}"),
        ("/kick", f"Type /kick NAME [REASON]: {COMMANDS['kick'].help}"),
        ("/me", f"Type /me TEXT: {COMMANDS['me'].help}"),
        ("/help foo", "There is no command /foo: /help lists them."),
        ("/join " + "x" * 600, "That is too long or malformed for /join; nothing was sent."),
        ("/msg :bob hi", "That is too long or malformed for /msg; nothing was sent."),
        ("/msg " + "b" * 500 + " hi", "That is too long or malformed for /msg; nothing was sent."),
        ("/topic " + "x" * 600, "That is too long or malformed for /topic; nothing was sent."),
    ],
)
def test_problems(typed, says):
    outcome = interpret(model(), typed, NOW)
    assert outcome.lines == ()
    assert [(item.what, item.text) for item in outcome.items] == [(What.PROBLEM, says)]


@pytest.mark.parametrize(
    "typed", ["hello", "//x", "/me waves", "/part", "/names", "/topic", "/topic x", "/invite bob", "/kick bob"]
)
def test_in_no_channel(typed):
    outcome = interpret(Model("alice"), typed, NOW)
    assert outcome.lines == ()
    assert [item.text for item in outcome.items] == ["You are in no channel: /join #name first."]


@pytest.mark.parametrize(
    ("typed", "moves"), [("/join #x", True), ("/part", True), ("hi", False), ("/names", False)]
)
def test_what_may_change_where_text_goes(typed, moves):
    assert interpret(model(), typed, NOW).moves is moves


def test_join_of_a_channel_that_we_are_in_turns_to_it():
    here = model(":alice!u@alice JOIN #Сад")
    assert here.target == "#lobby"
    outcome = interpret(here, "/join #сАД", NOW)
    assert outcome.lines == ()
    assert [(item.what, item.channel) for item in outcome.items] == [(What.TALKING, "#Сад")]
    assert said(interpret(here, "hi", NOW)) == ["PRIVMSG #Сад :hi"]


def test_help_has_every_command_and_says_how_to_leave():
    outcome = interpret(model(), "/help", NOW)
    assert len(outcome.items) == len(COMMANDS)
    assert outcome.lines == ()
    text = "\n".join(item.text for item in outcome.items)
    for name, row in COMMANDS.items():
        assert row.usage.startswith(f"/{name}")
        assert row.usage in text
        assert row.help in text
        assert row.help.endswith(".")
    assert "выход" in text
    assert all(len(item.text) <= 80 - len("[12:34] -- ") for item in outcome.items)


def test_help_for_one_command():
    (item,) = interpret(model(), "/help /msg", NOW).items
    assert item.text.startswith("/msg NAME TEXT  ")


def test_without_echo_our_words_are_shown_at_once():
    here = model(caps=())
    (item,) = interpret(here, "hello", NOW).items
    assert (item.what, item.channel, item.sender, item.text, item.own) == (
        What.MESSAGE,
        "#lobby",
        "alice",
        "hello",
        True,
    )
    (item,) = interpret(here, "/me waves", NOW).items
    assert (item.what, item.text) == (What.ACTION, "waves")
    (item,) = interpret(here, "/msg bob hi", NOW).items
    assert (item.recipient, item.channel) == ("bob", "")


def test_a_pasted_command_is_text():
    assert said(say(model(), "/quit", NOW)) == ["PRIVMSG #lobby :/quit"]
    assert said(say(model(), "  ", NOW)) == []


WORDS = st.text(alphabet=st.sampled_from("aя漢👍 /.:"), min_size=1, max_size=700)


@given(WORDS, st.sampled_from(["", "/me ", "/msg bob ", "/msg #lobby "]), st.sampled_from(["alice", "Александра"]))
def test_everything_said_fits_when_it_is_relayed(text, command, nick):
    source = f"{nick}!u@{nick.lower()}"
    for line in said(interpret(model(nick=nick), f"{command}x{text}", NOW)):
        assert len(f":{source} {line}\r\n".encode()) <= 512
        parse(line.encode())


def test_the_longest_line_is_used_to_the_last_byte():
    first, second = said(interpret(model(), "x" * 600, NOW))
    assert len(f":alice!u@alice {first}\r\n") == 512
    assert first[-1] == second[-1] == "x"


def test_before_our_source_is_known_it_is_assumed():
    here = Model("alice")
    assert here.room("bob") == 512 - len(":" + "x" * 18 + " PRIVMSG bob :\r\n")
