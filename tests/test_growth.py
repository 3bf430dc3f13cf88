"""How scripts/growth reads its figures: plain calls."""

import json
from pathlib import Path

import pytest
from benchmark.figures import curve_of
from growth_axes import MEMORY, Point
from growth_run import curves, exponent, picture, table, too_fast

SIZES = (10, 100, 1000)


def points(operation, cost, output):
    return [Point(operation, size, cost(size), output(size)) for size in SIZES]


@pytest.mark.parametrize("power", [-1, 0, 0.5, 1, 2])
def test_the_exponent_is_found(power):
    """Whatever the factor before it."""
    assert exponent(SIZES, [3e-6 * size**power for size in SIZES]) == pytest.approx(power)


def test_one_size_has_no_exponent():
    """Nothing grows where there is nothing to compare."""
    assert exponent([50], [3.0]) == 0


def test_only_growth_beyond_the_output_is_a_fault():
    """A message to more people may cost more; for each of them it may not, and a short answer may not either."""
    found = curves(
        "members",
        [
            *points("message", lambda size: 1e-6 * size, lambda size: size),
            *points("square", lambda size: 1e-9 * size**2, lambda size: size),
            *points("LUSERS", lambda size: 1e-6 * size, lambda size: 6),
            *points("with a start", lambda size: 1e-3 + 1e-6 * size, lambda size: size),
        ],
    )
    assert [round(curve.growth, 1) for curve in found] == [1, 2, 1, 0.1]
    assert [sentence.split(":")[0] for sentence in too_fast(found)] == ["square", "LUSERS"]
    assert "members^1.00" in too_fast(found)[1]


def test_points_are_sorted_into_operations():
    """In the order in which they first came; times in microseconds, memory in KiB; a size may be missing."""
    given = [Point("a", 1, 2e-6, 1), Point(MEMORY, 1, 2048, 1), Point("a", 10, 3e-6, 1)]
    found = curves("channels", given)
    assert [(curve.operation, curve.sizes, curve.costs) for curve in found] == [
        ("a", [1, 10], pytest.approx([2, 3])),
        (MEMORY, [1], [2]),
    ]
    head, first, second = (line.split() for line in table(found).splitlines())
    assert head[:3] == ["channels", "1", "10"]
    assert first[:3] == ["a", "2.0", "3.0"]
    assert second[2:4] == ["2.0", "-"]


def test_the_picture_has_a_line_for_each_axis():
    """Of what a message costs."""
    found = [
        *curves("members", points("message", float, float)),
        *curves("channels", points("message", float, float)),
    ]
    drawn = picture([*found, *curves("channels", points("LIST", float, float))])
    assert ">members<" in drawn
    assert ">channels<" in drawn
    assert "LIST" not in drawn


def test_in_the_figures_of_the_readme_nothing_grows_too_fast():
    """What is published was measured, and holds what it is published for."""
    docs = Path(__file__).parents[1] / "docs" / "figures"
    found = list(map(curve_of, json.loads((docs / "growth.json").read_text())))
    assert len(found) > 20
    assert too_fast(found) == []
