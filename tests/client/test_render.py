"""Items as lines."""

from __future__ import annotations

import time

import pytest

from securechat.client.items import Item, What
from securechat.client.render import Renderer

NOON = int(time.mktime((2024, 5, 6, 12, 34, 0, 0, 0, -1))) * 1000
DAY = 24 * 3600 * 1000


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (Item(What.MESSAGE, NOON, "hi", "bob", "#lobby"), "#lobby <bob> hi"),
        (Item(What.ACTION, NOON, "waves", "bob", "#lobby"), "#lobby * bob waves"),
        (Item(What.NOTICE, NOON, "beep", "bob", "#lobby"), "#lobby -bob- beep"),
        (Item(What.MESSAGE, NOON, "hi", "bob", recipient="alice"), "bob -> you: hi"),
        (Item(What.MESSAGE, NOON, "hi", "alice", recipient="bob", own=True), "you -> bob: hi"),
        (Item(What.MESSAGE, NOON, "note", "alice", recipient="alice", own=True), "you -> you: note"),
        (Item(What.ACTION, NOON, "waves", "bob", recipient="alice"), "bob -> you: * bob waves"),
        (Item(What.NOTICE, NOON, "beep", "bob", recipient="alice"), "bob -> you: (notice) beep"),
        (Item(What.JOINED, NOON, sender="bob", channel="#x"), "-- bob joined #x"),
        (Item(What.JOINED, NOON, sender="alice", channel="#x", own=True), "-- you are in #x"),
        (Item(What.LEFT, NOON, "tea", "bob", "#x"), "-- bob left #x (tea)"),
        (Item(What.LEFT, NOON, "", "alice", "#x", own=True), "-- you left #x"),
        (Item(What.REMOVED, NOON, "rude", "op", "#x", "bob"), "-- bob was removed from #x by op (rude)"),
        (Item(What.REMOVED, NOON, "", "op", "#x", "alice", own=True), "-- you were removed from #x by op"),
        (Item(What.QUIT, NOON, "Quit: tea", "bob"), "-- bob quit (tea)"),
        (Item(What.QUIT, NOON, "Quit", "bob"), "-- bob quit"),
        (Item(What.QUIT, NOON, "Connection closed", "bob"), "-- bob quit (Connection closed)"),
        (Item(What.RENAMED, NOON, "robert", "bob"), "-- bob is robert now"),
        (Item(What.RENAMED, NOON, "ally", "alice", own=True), "-- you are ally now"),
        (Item(What.TOPIC, NOON, "News", channel="#x"), "-- topic of #x: News"),
        (Item(What.TOPIC, NOON, "", channel="#x"), "-- #x has no topic"),
        (Item(What.TOPIC_SET, NOON, "News", "bob", "#x"), "-- bob set the topic of #x: News"),
        (Item(What.TOPIC_SET, NOON, "News", "alice", "#x", own=True), "-- you set the topic of #x: News"),
        (Item(What.TOPIC_SET, NOON, "", "bob", "#x"), "-- bob took away the topic of #x"),
        (Item(What.NAMES, NOON, channel="#x", names=("alice",)), "-- #x: 1 person: alice"),
        (Item(What.NAMES, NOON, channel="#x", names=("~alice", "bob")), "-- #x: 2 people: ~alice, bob"),
        (Item(What.TALKING, NOON, channel="#x"), "-- you talk in #x now"),
        (Item(What.TALKING, NOON), "-- you are in no channel now"),
        (Item(What.INFO, NOON, "fine"), "-- fine"),
        (Item(What.PROBLEM, NOON, "not fine"), "!! not fine"),
    ],
)
def test_lines(item, line):
    assert Renderer().line(item, NOON) == f"[12:34] {line}"


def test_every_kind_of_item_has_a_look():
    for what in What:
        assert Renderer(colour=True).line(Item(what, NOON, "text", "bob"), NOON)


def test_a_long_list_of_names_ends():
    line = Renderer().line(Item(What.NAMES, NOON, channel="#x", names=tuple(f"n{i}" for i in range(1000))), NOON)
    assert line.startswith("[12:34] -- #x: 1000 people: n0, n1, ")
    assert line.endswith(", n199 and 800 more")


@pytest.mark.parametrize(
    ("when", "shown"),
    [(NOON, "[12:34]"), (NOON - DAY, "[2024-05-05 12:34]"), (2**62, "[--:--]"), (-(2**62), "[--:--]")],
)
def test_times(when, shown):
    assert Renderer().line(Item(What.INFO, when, "x"), NOON) == f"{shown} -- x"


def test_colour_only_where_it_is_wanted():
    item = Item(What.MESSAGE, NOON, "hi", "bob", "#lobby")
    assert "\x1b" not in Renderer().line(item, NOON)
    assert Renderer(colour=True).line(item, NOON) == "\x1b[2m[12:34]\x1b[0m #lobby <\x1b[36mbob\x1b[0m> hi"
