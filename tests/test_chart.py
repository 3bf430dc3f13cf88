"""The charts of scripts/chart.py: plain calls, and what they return read as XML."""

import math
import re
from xml.etree import ElementTree as ET

import pytest
from chart import LIGHT, WIDTH, bars, lines

SVG = "{http://www.w3.org/2000/svg}"
GROUPS = [("100 people", [("ours", 0.25), ("theirs", 2.5)]), ("1,000 people", [("ours", 0.5), ("theirs", 3)])]
MANY = [(str(number), 1) for number in range(9)]
CURVES = {"members": [(10, 30), (1000, 290), (100, 60)], "channels": [(10, 31), (5000, 32)]}


def drawn(picture):
    """Return the picture as a tree."""
    return ET.fromstring(picture)


def texts(tree):
    """Return all words in the picture."""
    return [element.text for element in tree.iter(f"{SVG}text")]


def rectangles(tree):
    """Return the bars: the series of each and how long it is."""
    found = [element.attrib for element in tree.iter(f"{SVG}rect")]
    return [(bar["class"], float(bar["width"])) for bar in found if bar["class"] != "card"]


def marks(tree):
    """Return the points of a line chart: what each tells, and where it is."""
    pattern = r"translate\((\S+) (\S+)\)"
    return {
        element.find(f"{SVG}title").text: tuple(map(float, re.match(pattern, element.get("transform")).groups()))
        for element in tree.iter(f"{SVG}path")
        if element.find(f"{SVG}title") is not None
    }


def extent(element):
    """Return the left and right end of some words, for letters two thirds as wide as high."""
    size = 16 if element.get("class") == "title" else 13
    wide = float(element.get("textLength") or len(element.text) * size * 0.6)
    left = float(element.get("x")) - {"end": 1, "middle": 0.5}.get(element.get("text-anchor"), 0) * wide
    return left, left + wide


def assert_inside(picture):
    """Nothing is drawn outside the view box."""
    tree = drawn(picture)
    _, _, wide, high = map(float, tree.get("viewBox").split())
    assert (wide, float(tree.get("width")), float(tree.get("height"))) == (WIDTH, wide, high)
    for words in tree.iter(f"{SVG}text"):
        left, right = extent(words)
        assert 0 <= left < right <= wide + 0.5, words.text
        assert 10 <= float(words.get("y")) <= high - 4
    for bar in tree.iter(f"{SVG}rect"):
        x, y, long, thick = (float(bar.get(name)) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + long <= wide
        assert 0 <= y <= y + thick <= high
    for x, y in marks(tree).values():
        assert 0 <= x <= wide
        assert 0 <= y <= high


def test_bars_are_as_long_as_their_values_say():
    """From zero, all by one scale, each series in its colour, the values beside them."""
    tree = drawn(bars("Cost", "us", GROUPS))
    found = rectangles(tree)
    assert [name for name, _ in found] == ["s0", "s1", "s0", "s1"]
    longest = found[3][1]
    assert [long / longest * 3 for _, long in found] == pytest.approx([0.25, 2.5, 0.5, 3], abs=0.001)
    assert {"0.25", "2.5", "0.5", "3", "100 people", "1,000 people", "ours", "theirs", "Cost", "us"} == set(
        texts(tree)
    )


def test_a_group_may_lack_a_series():
    """What could not be measured has no bar, and the others keep their colours."""
    tree = drawn(bars("Cost", "us", [*GROUPS, ("5,000 people", [("theirs", 4)])]))
    assert rectangles(tree)[-1][0] == "s1"


def test_one_series_needs_no_legend():
    """Its name would only repeat the title."""
    assert "ours" not in texts(drawn(bars("Cost", "us", [("a", [("ours", 1)]), ("b", [("ours", 0)])])))


def test_only_zeros_are_drawn_too():
    """There is no longest bar to divide by."""
    assert rectangles(drawn(bars("Cost", "us", [("a", [("ours", 0)])]))) == [("s0", 0)]


@pytest.mark.parametrize(("log_x", "log_y"), [(False, False), (True, False), (True, True)])
def test_lines_stand_where_their_values_are(log_x, log_y):
    """Right is more and up is more; equal steps are equally far, or equal factors on a logarithmic axis."""
    points = [(10, 10), (100, 100), (1000, 1000)] if log_x and log_y else [(10, 10), (20, 20), (30, 30)]
    tree = drawn(lines("Growth", "members", "us", {"a": points}, log_x=log_x, log_y=log_y))
    (x0, y0), (x1, y1), (x2, y2) = marks(tree).values()
    assert x0 < x1 < x2
    assert y0 > y1 > y2
    if log_x == log_y:
        assert (x1 - x0, y1 - y0) == pytest.approx((x2 - x1, y2 - y1), abs=0.02)
    assert {"Growth", "members", "us", "a"} <= set(texts(tree))


def test_the_points_of_a_line_are_joined_from_left_to_right():
    """In whatever order they were measured."""
    told = marks(drawn(lines("Growth", "size", "us", CURVES, log_x=True, log_y=True)))
    assert [text for text in told if text.startswith("members")] == [
        "members: 30 at 10", "members: 60 at 100", "members: 290 at 1,000",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "points", [[(5, 7)], [(0, 0)], [(0, 5), (1e6, 5)], [(-3, -1), (4, 2)], [(0.001, 1e-7), (1, 3e-7)]]
)
def test_any_range_of_values_can_be_drawn(points):
    """One point, no difference, below zero, tiny and huge: all on their axes."""
    assert_inside(lines("Range", "x", "y", {"a": points}))
    if min(min(point) for point in points) > 0:
        assert_inside(lines("Range", "x", "y", {"a": points}, log_x=True, log_y=True))


@pytest.mark.parametrize("letters", [1, 12, 60, 200])
def test_nothing_is_outside_the_picture(letters):
    """Words of any length, as many series as there are colours, values of any size."""
    word = "m" * letters
    names = [f"{number} {word}" for number in range(len(LIGHT))]
    assert_inside(bars(word, word, [(word, [(name, 10.0**n) for n, name in enumerate(names)])] * 3))
    assert_inside(lines(word, word, word, {name: [(1, 2), (10, n + 1e6)] for n, name in enumerate(names)}))


def test_words_are_escaped():
    """What is measured may have any name."""
    name = '<b> & "c"'
    for picture in (bars(name, name, [(name, [(name, 1), ("d", 1)])]), lines(name, name, name, {name: [(1, 1)]})):
        assert name in texts(drawn(picture))
        assert drawn(picture).find(f"{SVG}title").text == name


def test_the_same_data_makes_the_same_bytes():
    """A picture in a repository changes only if its figures do."""
    assert bars("Cost", "us", GROUPS) == bars("Cost", "us", GROUPS)
    assert lines("Growth", "size", "us", CURVES) == lines("Growth", "size", "us", CURVES)


def test_it_can_be_read_without_seeing_it_and_in_the_dark():
    """A role, a title, a description with every value, and colours for both kinds of page."""
    for picture in (bars("Cost", "us", GROUPS), lines("Cost", "size", "us", CURVES)):
        tree = drawn(picture)
        assert tree.get("role") == "img"
        assert [child.tag for child in tree][:2] == [f"{SVG}title", f"{SVG}desc"]
        assert "prefers-color-scheme:dark" in tree.find(f"{SVG}style").text
    assert "1,000 people: ours 0.5, theirs 3" in drawn(bars("Cost", "us", GROUPS)).find(f"{SVG}desc").text


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (lambda: bars("Cost", "us", []), "There is nothing to draw for 'Cost'."),
        (lambda: bars("Cost", "us", [("a", [])]), "There is nothing to draw for 'Cost'."),
        (lambda: lines("Cost", "x", "y", {}), "There is nothing to draw for 'Cost'."),
        (lambda: lines("Cost", "x", "y", {"a": []}), "There is nothing to draw for 'Cost'."),
        (lambda: bars("Cost", "us", [("a", [("b", -1)])]), "-1 cannot be drawn in 'Cost'."),
        (lambda: bars("Cost", "us", [("a", [("b", math.nan)])]), "nan cannot be drawn in 'Cost'."),
        (lambda: lines("Cost", "x", "y", {"a": [(0, 1)]}, log_x=True), "0 cannot be drawn in 'Cost'."),
        (lambda: lines("Cost", "x", "y", {"a": [(1, math.inf)]}), "inf cannot be drawn in 'Cost'."),
        (lambda: bars("Cost", "us", [("a", MANY)]), "'Cost' has 9 series, and there are colours for 8."),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(draw, sentence):
    """One sentence says what is wrong."""
    with pytest.raises(ValueError, match=rf"^{re.escape(sentence)}$"):
        draw()
