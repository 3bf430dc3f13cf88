"""Bar and line charts as SVG text, for the figures that the scripts measure. Pure: the same data, the same bytes.

A chart stands on a card of its own, light or dark as the reader's system is, because a page may have another
theme than the system. Whoever cannot see it gets the title, and all values as its description. No words leave the
card: their width is estimated, and words that could be wider than their place are drawn into it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

Group = tuple[str, Sequence[tuple[str, float]]]
"""A label, and the bars under it: the name of a series and its value."""
Point = tuple[float, float]

WIDTH, MARGIN, FONT, TITLE = 760, 18, 13, 16
LETTER = 0.6  # of the size of the letters: the mean width in a wide font
LINE, BAR, BETWEEN = 20, 16, 14  # heights: a row of text, a bar, the space between two groups
HIGH = 260  # the drawing area of a line chart
BASE = 4.5  # from the middle of a row to the line that its letters stand on
HEAD = MARGIN + TITLE + LINE + 24  # where title and unit end, and the line of the first row of keys

LIGHT = ("#1f6feb", "#d4700a", "#1a8f4a", "#b83280", "#7a5bd0", "#6e7781", "#0a8f9c", "#b3382c")
DARK = ("#58a6ff", "#f0a04b", "#4cc476", "#f077b8", "#b39cf5", "#9aa4af", "#42c9d6", "#ff8277")
"""One colour for each series, in the order in which they first come: dark ones on white, light ones on black."""
SHAPES = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "M-3.5-3.5h7v7h-7z",
    "M0-4.8L4.6 3.5h-9.2z",
    "M0-5L5 0L0 5L-5 0z",
)
"""Marks of line charts, around their point: a circle, a square, a triangle, a diamond."""


class Box(NamedTuple):
    """A drawing area: its edges in pixels."""

    left: float
    top: float
    right: float
    bottom: float


class Axis(NamedTuple):
    """The values that an axis goes from and to, the marked ones, and how it counts."""

    low: float
    high: float
    ticks: list[float]
    log: bool

    def share(self, value: float) -> float:
        """Return where a value stands: 0 at the low end, 1 at the high end."""
        low, high, value = map(math.log10, (self.low, self.high, value)) if self.log else (*self[:2], value)
        return (value - low) / (high - low)


def bars(title: str, unit: str, groups: Sequence[Group]) -> str:
    """Return a chart of horizontal bars from zero, their values beside them; `unit` also says which way is better.

    Raise ValueError, in one sentence, if there is nothing to draw or a value is negative or no number.
    """
    flat = [bar for _, entries in groups for bar in entries]
    checked(title, [value for _, value in flat], least=0)
    names = series_names(title, [name for name, _ in flat])
    body, top = legend(names if len(names) > 1 else [], HEAD)
    labels = min(max(width(label) for label, _ in groups), WIDTH / 3)
    values = max(width(number(value)) for _, value in flat)
    left = MARGIN + labels + 8
    scale = (WIDTH - MARGIN - values - 6 - left) / (max(value for _, value in flat) or 1)
    first, said = top, []
    for label, entries in groups:
        middle = top + len(entries) * BAR / 2 + BASE
        body.append(text(left - 8, middle, label, labels, kind="label", anchor="end"))
        for name, value in entries:
            long = value * scale
            place = f'x="{left:g}" y="{top + 1.5:g}" width="{long:.2f}" height="{BAR - 3}"'
            body.append(f'<rect class="s{names.index(name)}" {place}/>')
            body.append(text(left + long + 6, top + BAR / 2 + BASE, number(value), values, kind="value"))
            top += BAR
        top += BETWEEN
        said.append(f"{label}: " + ", ".join(f"{name} {number(value)}" for name, value in entries))
    bottom = top - BETWEEN
    body.append(f'<path class="axis" d="M{left:g} {first - 4:g}V{bottom + 4:g}"/>')
    return drawing(title, unit, said, body, bottom + MARGIN)


def lines(
    title: str,
    across: str,
    up: str,
    series: Mapping[str, Sequence[Point]],
    *,
    log_x: bool = False,
    log_y: bool = False,
) -> str:
    """Return a line chart; `across` and `up` name what its axes count, and the points of a series are joined by x.

    Raise ValueError, in one sentence, if there is nothing to draw or a value cannot stand on its axis.
    """
    names = series_names(title, [name for name, points in series.items() if points])
    flat = [point for name in names for point in series[name]]
    x = axis(checked(title, [x for x, _ in flat], log=log_x), log=log_x)
    y = axis(checked(title, [y for _, y in flat], log=log_y), log=log_y)
    body, top = legend(names, HEAD, marks=True)
    left = MARGIN + max(width(number(tick)) for tick in y.ticks) + 8
    right = WIDTH - MARGIN - width(number(x.ticks[-1])) / 2  # the last number stands under the right edge
    box = Box(left, top, right, top + HIGH)
    body += scales(box, x, y, across)
    said = []
    for index, name in enumerate(names):
        points = sorted(series[name])
        places = [(at(left, right, x.share(a)), at(box.bottom, top, y.share(b))) for a, b in points]
        body += curve(index, name, places, points)
        said.append(f"{name}: " + ", ".join(f"{number(b)} at {number(a)}" for a, b in points))
    return drawing(title, up, said, body, box.bottom + 2 * LINE + MARGIN - BASE)


def scales(box: Box, x: Axis, y: Axis, across: str) -> Iterator[str]:
    """Give both axes with their numbers, lines through the drawing, and the name of the lower one."""
    for tick in y.ticks:
        height = at(box.bottom, box.top, y.share(tick))
        yield f'<path class="grid" d="M{box.left:g} {height:.2f}H{box.right:g}"/>'
        yield text(box.left - 8, height + BASE, number(tick), box.left - MARGIN - 8, kind="value", anchor="end")
    for tick in x.ticks:
        place = at(box.left, box.right, x.share(tick))
        yield f'<path class="grid" d="M{place:.2f} {box.top:g}V{box.bottom:g}"/>'
        yield text(place, box.bottom + 18, number(tick), 90, kind="value", anchor="middle")
    yield f'<path class="axis" d="M{box.left:g} {box.top:g}V{box.bottom:g}H{box.right:g}"/>'
    middle = (box.left + box.right) / 2
    yield text(middle, box.bottom + 2 * LINE, across, box.right - box.left, kind="label", anchor="middle")


def curve(index: int, name: str, places: list[Point], points: list[Point]) -> Iterator[str]:
    """Give one series: the line, and a mark for each point that tells its values."""
    path = "L".join(f"{x:.2f} {y:.2f}" for x, y in places)
    yield f'<path class="line l{index}" d="M{path}"/>'
    for (x, y), (a, b) in zip(places, points, strict=True):
        told = escape(f"{name}: {number(b)} at {number(a)}")
        where = f'transform="translate({x:.2f} {y:.2f})" d="{SHAPES[index % len(SHAPES)]}"'
        yield f'<path class="s{index}" {where}><title>{told}</title></path>'


def axis(values: Sequence[float], *, log: bool) -> Axis:
    """Return an axis that holds these values, with round numbers at its ends."""
    low, high = min(values), max(values)
    if log:
        decades = [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
        if len(decades) < 4:  # too few numbers to read from: two more in each decade
            finer = [decade * step for decade in [*decades, decades[-1] * 10] for step in (1, 2, 5)]
            first = max((tick for tick in finer if tick <= low), default=low)
            last = min(tick for tick in finer if tick >= high and tick > first)
            decades = [tick for tick in finer if first <= tick <= last]
        return Axis(decades[0], decades[-1], decades, log=True)
    low = min(low, 0)  # a curve that starts in the middle of nowhere looks steeper than it is
    raw = ((high - low) or 1) / 5
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step - 1e-9)
    ticks = [round(count * step, 12) for count in range(first, max(last, first + 1) + 1)]
    return Axis(ticks[0], ticks[-1], ticks, log=False)


def legend(names: Sequence[str], top: float, *, marks: bool = False) -> tuple[list[str], float]:
    """Return which colour is which series, in as many rows as that takes, and where the drawing may begin."""
    body: list[str] = []
    if not names:
        return body, top - LINE / 2
    left: float = MARGIN
    for index, name in enumerate(names):
        wide = min(width(name), WIDTH - 2 * MARGIN - 18)
        if left > MARGIN and left + 18 + wide > WIDTH - MARGIN:
            left, top = MARGIN, top + LINE
        mark = SHAPES[index % len(SHAPES)] if marks else "M-5-5h10v10h-10z"
        body.append(f'<path class="s{index}" transform="translate({left + 6:g} {top - BASE:g})" d="{mark}"/>')
        body.append(text(left + 18, top, name, wide, kind="label"))
        left += 18 + wide + 18
    return body, top + LINE - 4


def drawing(title: str, subtitle: str, said: Sequence[str], body: Sequence[str], height: float) -> str:
    """Return the whole picture: the card, what it is called and says, and what is on it."""
    inner = WIDTH - 2 * MARGIN
    size = f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(subtitle)}. {escape('; '.join(said))}.</desc>",
            f"<style>{style()}</style>",
            f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:g}" rx="8"/>',
            text(MARGIN, MARGIN + TITLE - 2, title, inner, kind="title", size=TITLE),
            text(MARGIN, MARGIN + TITLE + LINE - 2, subtitle, inner, kind="label"),
            *body,
            "</svg>\n",
        )
    )


def style() -> str:
    """Return the looks: light, and dark where the reader's system is."""

    def looks(back: str, edge: str, strong: str, faint: str, grid: str, colours: Sequence[str]) -> str:
        plain = f".card{{fill:{back};stroke:{edge}}}.title,.value{{fill:{strong}}}.label{{fill:{faint}}}"
        plain += f".axis{{stroke:{faint}}}.grid{{stroke:{grid}}}"
        return plain + "".join(f".s{n}{{fill:{c}}}.l{n}{{stroke:{c}}}" for n, c in enumerate(colours))

    fonts = 'system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif'
    return (
        f"text{{font:{FONT}px {fonts}}}.title{{font-size:{TITLE}px;font-weight:600}}"
        ".line,.axis,.grid{fill:none}.line{stroke-width:2}"
        + looks("#ffffff", "#d0d7de", "#1f2328", "#59636e", "#e4e8ec", LIGHT)
        + "@media(prefers-color-scheme:dark){"
        + looks("#0d1117", "#3d444d", "#f0f6fc", "#9198a1", "#262c34", DARK)
        + "}"
    )


def text(x: float, y: float, words: str, room: float, *, kind: str, anchor: str = "", size: int = FONT) -> str:
    """Return words at a place, drawn into `room` if they might need more; `anchor` says which end is at x."""
    more = f' text-anchor="{anchor}"' if anchor else ""
    if width(words, size) > room + 0.01:
        more += f' textLength="{room:g}" lengthAdjust="spacingAndGlyphs"'
    return f'<text class="{kind}" x="{x:.2f}" y="{y:.2f}"{more}>{escape(words)}</text>'


def width(words: str, size: int = FONT) -> float:
    """Return how wide words are at most, in pixels, in the usual fonts."""
    return len(words) * LETTER * size


def number(value: float) -> str:
    """Return a value as people write it: three digits that count, and thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def at(low: float, high: float, share: float) -> float:
    """Return the place between two ends."""
    return low + (high - low) * share


def series_names(title: str, names: Sequence[str]) -> list[str]:
    """Return each name once, in order; every one needs a colour of its own."""
    once = list(dict.fromkeys(names))
    if len(once) > len(LIGHT):
        raise ValueError(f"{title!r} has {len(once)} series, and there are colours for {len(LIGHT)}.")
    return once


def checked(
    title: str, values: Sequence[float], *, least: float = -math.inf, log: bool = False
) -> Sequence[float]:
    """Return the values if there are any and all can be drawn; raise ValueError otherwise."""
    if not values:
        raise ValueError(f"There is nothing to draw for {title!r}.")
    for value in values:
        if not math.isfinite(value) or value < least or (log and value <= 0):
            raise ValueError(f"{value} cannot be drawn in {title!r}.")
    return values
