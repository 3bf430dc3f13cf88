"""scripts/figures: the figures in README.md and the pictures beside it, from docs/figures/{bench,growth}.json.

A part of README.md begins with `<!-- figures: NAME -->` and ends with `<!-- /figures -->`; what is between is
written here and nowhere else.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from growth_run import Curve, picture

from benchmark import pictures, summary
from benchmark.report import markdown
from benchmark.scenarios import history, mixed

ROOT = Path(__file__).parents[2]
PART = re.compile(r"(<!-- figures: ([a-z-]+) -->)(.*?)(<!-- /figures -->)", re.DOTALL)
KEPT_OF_MIXED = (
    "variant",
    "contender",
    "us",
    "floor_record",
    "floor_load",
    "deliveries_per_second",
    "line_bytes",
)


def machine(results: Mapping[str, Any]) -> str:
    """Say where the figures were taken, when, and with what."""
    m = results["machine"]
    peers = ", ".join(version for name, version in m["versions"].items() if name in version)
    cores = f"{m['cores']} cores" if m["cores"] > 1 else "one core"
    return (
        f"\nTaken on {m['date']}: {m['cpu']}, {cores}, Linux {m['kernel']}, Python {m['python']}, {m['openssl']}; "
        f"securechat {m['versions'][summary.OURS]}{', ' if peers else ''}{peers}.\n"
    )


def ratio(results: Mapping[str, Any]) -> str:
    """Say what a line costs beside the first row's others."""
    (_, window), rows = next(summary.grouped(results["fan_out"], "recipients", "window"))
    cost = summary.answers(rows, "us")
    ours = cost.pop(summary.OURS)
    told = ", ".join(f"{ours / other:.2f} of {name}" for name, other in cost.items())
    return f"with {window} lines outstanding a sender, it is {told}" if told else ""


def floors(results: Mapping[str, Any]) -> str:
    """Say how far a line in one channel is from bare sends, at the best and at the worst load."""
    rows = [row for row in (*results["fan_out"], *results["mixed"]) if row["contender"] == summary.OURS]

    def span(key: str) -> str:
        return f"{min(row[key] for row in rows):.1f} to {max(row[key] for row in rows):.1f} times"

    return f"{span('of_load')} what they need then, and {span('of_floor')} the floor as poured"


def growth(results: Mapping[str, Any]) -> str:
    """Say what a message costs where there is least and most of something."""
    rows = [
        "",
        "| | from | to | a message costs, us | grows as | beyond its recipients |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for curve in map(curve_of, results["growth"]):
        if curve.operation == "message":
            first, last = curve.costs[0], curve.costs[-1]
            rows.append(
                f"| {curve.axis} | {curve.sizes[0]:,} | {curve.sizes[-1]:,} | {first:.1f} to {last:.1f} "
                f"| {curve.growth:+.2f} | {curve.excess:+.2f} |"
            )
    return "\n".join(rows) + "\n"


def curve_of(row: Mapping[str, Any]) -> Curve:
    """Return a curve as scripts/growth measured it."""
    return Curve(*(row[field.name] for field in fields(Curve)))


PARTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "machine": machine,
    "ratio": ratio,
    "floors": floors,
    "summary": lambda results: f"\n{summary.table(results)}\n",
    "behind": lambda results: f"\n{summary.behind(results)}\n",
    "mixed": lambda results: f"\n{markdown(mixed.SCENARIO, results['mixed'], KEPT_OF_MIXED)}\n",
    "growth": growth,
    "history": lambda results: f"\n{markdown(history.SCENARIO, results['history'])}\n",
}


def rewrite(text: str, results: Mapping[str, Any]) -> str:
    """Return a text with all its parts written anew; raise KeyError for a part that nobody writes."""
    return PART.sub(lambda part: f"{part[1]}{PARTS[part[2]](results)}{part[4]}", text)


def wanted(root: Path) -> dict[Path, str]:
    """Return what each file should contain."""
    folder = root / "docs" / "figures"
    results = json.loads((folder / "bench.json").read_text())
    results["growth"] = json.loads((folder / "growth.json").read_text())
    readme = root / "README.md"
    files = {folder / name: text for name, text in pictures.draw(results)}
    files[folder / "growth.svg"] = picture(list(map(curve_of, results["growth"])))
    return {readme: rewrite(readme.read_text(), results), **files}


def main() -> int:
    """Write what differs, or with --check only say so."""
    parser = argparse.ArgumentParser(
        prog="scripts/figures", description="Put docs/figures/*.json into README.md and pictures."
    )
    parser.add_argument("--check", action="store_true", help="change nothing; fail where they do not agree")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    files = wanted(chosen.root)
    differing = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    for path in differing:
        if chosen.check:
            print(f"{path} does not say what the JSON files say: run scripts/figures.", file=sys.stderr)
        else:
            path.write_text(files[path])
            print(f"written: {path}")
    return int(chosen.check and bool(differing))


if __name__ == "__main__":
    sys.exit(main())
