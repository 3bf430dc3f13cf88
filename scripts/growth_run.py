"""What scripts/growth does: measure along each axis, fit how fast each cost grows, print and draw it."""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from chart import lines
from growth_axes import AXES, MEMORY, Effort, Point
from running import Failed, end_in_order, forget_settings

from securechat.storage.log import LogError

QUICK = {"members": (10, 100), "channels": (10, 300), "connections": (50, 500), "accounts": (100, 1000)}
CLEARLY = 0.4
"""How much faster than its output a cost may seem to grow, by exponent: noise, and caches that overflow."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One operation along one axis: costs in microseconds (memory: KiB), and recipients and lines of answer."""

    axis: str
    operation: str
    sizes: list[int]
    costs: list[float]
    outputs: list[float]

    @property
    def growth(self) -> float:
        """The exponent with which the cost grows along the axis."""
        return exponent(self.sizes, self.costs)

    @property
    def excess(self) -> float:
        """The exponent with which the cost of each recipient and answer line grows: above 0 it is too much."""
        return exponent(self.sizes, [cost / output for cost, output in zip(self.costs, self.outputs, strict=True)])

    @property
    def steepest(self) -> float:
        """The same between the two largest sizes, where what grows outweighs what is always there."""
        each = [cost / output for cost, output in zip(self.costs, self.outputs, strict=True)]
        return exponent(self.sizes[-2:], each[-2:])


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return e of the curve size ** e that fits best, by least squares of the logarithms; 0 for a single point."""
    x, y = [math.log(size) for size in sizes], [math.log(max(cost, 1e-9)) for cost in costs]
    middle, level = sum(x) / len(x), sum(y) / len(y)
    spread = sum((one - middle) ** 2 for one in x)
    return sum((a - middle) * (b - level) for a, b in zip(x, y, strict=True)) / spread if spread else 0.0


def curves(axis: str, points: Sequence[Point]) -> list[Curve]:
    """Return the points of an axis, sorted by operation in the order in which they were measured."""
    order = list(dict.fromkeys(point.operation for point in points))
    found = []
    for operation, group in groupby(
        sorted(points, key=lambda point: order.index(point.operation)), lambda p: p[0]
    ):
        some = list(group)
        unit = 1 / 1024 if operation == MEMORY else 1e6
        costs = [point.cost * unit for point in some]
        found.append(Curve(axis, operation, [p.size for p in some], costs, [p.output for p in some]))
    return found


def table(found: Sequence[Curve]) -> str:
    """Return an axis as lines of text."""
    sizes = sorted({size for curve in found for size in curve.sizes})
    rows = [(found[0].axis, *(f"{size:,}" for size in sizes), "grows as", "beyond output", "at the end")]
    for curve in found:
        costs = dict(zip(curve.sizes, curve.costs, strict=True))
        cells = [f"{costs[size]:,.1f}" if size in costs else "-" for size in sizes]
        rows.append(
            (f"  {curve.operation}", *cells, *(f"{e:+.2f}" for e in (curve.growth, curve.excess, curve.steepest)))
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [[cell.rjust(width + 2) for cell, width in zip(row, widths, strict=True)] for row in rows]
    return "\n".join(row[0].ljust(widths[0]) + "".join(cells[1:]) for row, cells in zip(rows, padded, strict=True))


def picture(found: Sequence[Curve]) -> str:
    """Return what a message costs along each axis, as a chart."""
    series = {
        curve.axis: list(zip(map(float, curve.sizes), curve.costs, strict=True))
        for curve in found
        if curve.operation == "message"
    }
    return lines(
        "What a message costs the server as things grow",
        "number of them; where members do not grow there are 50",
        "microseconds of CPU for a message to all members of a channel, on disk before it is sent",
        series,
        log_x=True,
        log_y=True,
    )


def measure(chosen: argparse.Namespace) -> list[Curve]:
    """Measure along all axes that were chosen, and print each as it is there."""
    found = []
    effort = Effort(lines=1000, times=10, best_of=3) if chosen.quick else Effort()
    for axis in chosen.axis or (QUICK if chosen.quick else AXES):
        run, sizes = AXES[axis]
        if chosen.quick:
            sizes = QUICK.get(axis, sizes[:2])
        points = [point for size in sizes for point in run(size, effort)]
        some = curves(axis, points)
        print(table(some), end="\n\n", flush=True)
        found += some
    return found


def too_fast(found: Sequence[Curve]) -> list[str]:
    """Return a sentence for each curve that clearly grows faster than its output."""
    return [
        f"{curve.operation}: for each recipient or line of answer it costs {curve.axis}^{curve.excess:.2f}."
        for curve in found
        if curve.excess > CLEARLY
    ]


def arguments() -> argparse.Namespace:
    """Return what the command line asked for."""
    parser = argparse.ArgumentParser(
        prog="scripts/growth",
        description="The server's CPU time for what people do, in microseconds, as members, channels, "
        "connections, stored lines and accounts grow. 'grows as' is the exponent: +1.00 is proportional. "
        "'beyond output' is that of the cost for each recipient and each line of an answer: above 0 something "
        "grows that need not; 'at the end' is the same between the two largest sizes.",
    )
    parser.add_argument("--axis", action="append", choices=AXES, help="only this one; may be repeated")
    parser.add_argument("--quick", action="store_true", help="two small sizes of each: a few seconds, and rough")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE, too")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw what a message costs into FILE")
    parser.add_argument("--check", action="store_true", help="fail if a cost clearly grows faster than its output")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and return 0; with --check 1 where something grows too fast."""
    end_in_order()
    forget_settings()
    chosen = arguments()
    try:
        found = measure(chosen)
    except (Failed, LogError, OSError, subprocess.SubprocessError) as problem:
        print(f"scripts/growth: {problem}", file=sys.stderr)
        return 1
    if chosen.json:
        figures = [asdict(c) | {"growth": c.growth, "excess": c.excess, "at_the_end": c.steepest} for c in found]
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n")
    if chosen.svg:
        chosen.svg.write_text(picture(found), encoding="utf-8")
    faults = too_fast(found) if chosen.check else []
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
