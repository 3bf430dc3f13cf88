from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from securechat.protocol.errors import Fault, ProtocolError
from securechat.protocol.message import (
    Message,
    build,
    escape_tag,
    fill,
    parse,
    parse_tags,
    unescape_tag,
)

GOOD = [
    (b"PING", Message("PING", [])),
    (b"ping x", Message("PING", ["x"])),
    (b"PRIVMSG #a :hello  world", Message("PRIVMSG", ["#a", "hello  world"])),
    (b"PRIVMSG #a ::)", Message("PRIVMSG", ["#a", ":)"])),
    (b"PRIVMSG #a :", Message("PRIVMSG", ["#a", ""])),
    (b"PRIVMSG  #a   b ", Message("PRIVMSG", ["#a", "b"])),
    (b":alice!u@alice JOIN #a", Message("JOIN", ["#a"], "alice!u@alice")),
    (b"@a=b;c :x 001 y :z", Message("001", ["y", "z"], "x", "a=b;c")),
    (b"@a  PING x", Message("PING", ["x"], None, "a")),
    ("PRIVMSG #сад :привет, 世界".encode(), Message("PRIVMSG", ["#сад", "привет, 世界"])),
    (b"MODE x a:b", Message("MODE", ["x", "a:b"])),
    (b"X " + b"y" * 508, Message("X", ["y" * 508])),
    (b"@" + b"t" * 4094 + b" X", Message("X", [], None, "t" * 4094)),
]
BAD = [
    (b"\xff\xfe", Fault.BAD_UTF8),
    (b"PRIVMSG #a :caf\xe9", Fault.BAD_UTF8),
    (b"PRIVMSG #a :a\0b", Fault.BAD_BYTES),
    (b"PRIVMSG #a :a\rQUIT", Fault.BAD_BYTES),
    (b"PRIVMSG #a :a\nQUIT", Fault.BAD_BYTES),
    (b" ", Fault.BAD_SHAPE),
    (b":source", Fault.BAD_SHAPE),
    (b":source ", Fault.BAD_SHAPE),
    (b"@tags", Fault.BAD_SHAPE),
    (b"@tags :source", Fault.BAD_SHAPE),
    (b" :only trailing", Fault.BAD_SHAPE),
    (b"GET/ HTTP/1.1", Fault.BAD_SHAPE),
    ("ПРИВЕТ x".encode(), Fault.BAD_SHAPE),
    (b"X " + b"y" * 509, Fault.TOO_LONG),
    (b"@" + b"t" * 4095 + b" X", Fault.TOO_LONG),
]


@pytest.mark.parametrize(("line", "message"), GOOD)
def test_good_lines(line, message):
    assert parse(line) == message


@pytest.mark.parametrize(("line", "fault"), BAD)
def test_bad_lines(line, fault):
    with pytest.raises(ProtocolError) as caught:
        parse(line)
    assert caught.value.fault is fault


@given(st.binary(max_size=600))
@example(b"@ :")
@example(b":")
def test_whatever_comes_one_exception_is_all_that_is_raised(line):
    try:
        message = parse(line)
    except ProtocolError:
        return
    assert message.command.isupper() or message.command.isdigit()
    assert not any(char in param for param in message.params for char in "\r\n\0")


WORD = st.text(
    st.characters(exclude_characters=" \r\n\0", exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda word: not word.startswith(":"))
TEXT = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=40)


@given(st.lists(WORD, max_size=5), TEXT, st.booleans())
def test_built_lines_come_back(middle, last, with_source):
    source = "server.example" if with_source else ""
    line = build("NOTICE", *middle, last, source=source)
    assert line.endswith(b"\r\n")
    assert parse(line[:-2]) == Message("NOTICE", [*middle, last], source or None)


@pytest.mark.parametrize(
    "params", [("a b", "x"), ("", "x"), (":a", "x"), ("x", "a\r\nQUIT"), ("x", "a\0"), ("x", "y" * 510)]
)
def test_what_would_change_a_line_is_not_built(params):
    with pytest.raises(ValueError, match="NOTICE"):
        build("NOTICE", *params)


def test_a_repr_tells_no_secret():
    assert "hunter2" not in repr(parse(b"PASS alice:hunter2"))


@given(TEXT)
def test_tag_values_come_back(value):
    assert unescape_tag(escape_tag(value)) == value
    assert not set(escape_tag(value)) & set("; \r\n")


def test_tags():
    assert parse_tags(r"a=b\:c;+d;e=;a=2;;=x") == {"a": "2", "+d": "", "e": ""}
    assert unescape_tag("a\\") == "a"
    assert unescape_tag(r"\b\s") == "b "


def test_fill():
    assert fill([], 10) == [""]
    assert fill(["abc", "def", "ghi"], 8) == ["abc def", "ghi"]
    assert fill(["ж" * 4, "a"], 9) == ["ж" * 4, "a"]
    assert fill(["toolongforit", "a"], 4) == ["toolongforit", "a"]
