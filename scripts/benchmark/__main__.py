"""scripts/bench: which scenarios and contenders, in which order, and where the figures go."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from running import Failed, end_in_order, forget_settings

from benchmark import contenders, scenarios
from benchmark.contenders import Contender
from benchmark.floor import Floor
from benchmark.machine import describe
from benchmark.report import table
from benchmark.scenarios import Bench, Scenario
from benchmark.stage import Stage

ROUNDS = 3
"""Short measurements are repeated so often, in turns, and the median is what counts."""


def arguments() -> argparse.Namespace:
    """Return what the command line asked for."""
    names = ", ".join(scenario.name for scenario in scenarios.known())
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Our server and others under the same load, beside what TLS alone costs."
    )
    parser.add_argument("--only", metavar="NAME,...", help=f"some of: {names}")
    parser.add_argument(
        "--contenders",
        metavar="NAME,...",
        help=f"some of: {', '.join(word(one) for one in contenders.known())}",
    )
    parser.add_argument("--quick", action="store_true", help="smaller and fewer: about a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE, too")
    chosen = parser.parse_args()
    chosen.scenarios = pick(parser, "--only", chosen.only, {one.name: one for one in scenarios.known()})
    chosen.contenders = pick(
        parser, "--contenders", chosen.contenders, {word(one): one for one in contenders.known()}
    )
    return chosen


def word(contender: Contender) -> str:
    """Return what the command line calls a contender."""
    return contender.name.lower().replace(" ", "-")


def pick(parser: argparse.ArgumentParser, option: str, words: str | None, known: dict[str, Any]) -> list[Any]:
    """Return what an option names, all without it; end with one sentence where it names something else."""
    chosen = words.split(",") if words else list(known)
    for name in chosen:
        if name not in known:
            parser.error(f"{option}: {name!r} is none of {', '.join(known)}")
    return [known[name] for name in known if name in chosen]


def installed(chosen: Sequence[Contender]) -> dict[str, str]:
    """Return the versions of those that are here, and say which are not."""
    versions = {}
    for contender in chosen:
        try:
            versions[contender.name] = contender.version()
        except FileNotFoundError:
            print(f"{contender.name} is not installed and is left out.")
    return versions


def measure(bench: Bench, chosen: Sequence[Scenario]) -> dict[str, list[dict[str, Any]]]:
    """Run the scenarios, and print each one's table as soon as it is there."""
    results = {}
    for scenario in chosen:
        began = time.monotonic()
        print(f"\n{scenario.title}", flush=True)
        rows = scenario.run(bench)
        results[scenario.key] = rows
        print(f"\n{table(scenario, rows)}\n{scenario.notes}\n({time.monotonic() - began:.0f} s)", flush=True)
    return results


def main() -> int:
    """Measure, print, and return 0."""
    end_in_order()
    forget_settings()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one of the peers likes to crash when it is told to end
    chosen = arguments()
    versions = installed(chosen.contenders)
    here = [one for one in chosen.contenders if one.name in versions]
    with tempfile.TemporaryDirectory(prefix="securechat-bench-") as folder:
        try:
            stage = Stage(Path(folder))
            size = "quick" if chosen.quick else "full"
            results = measure(Bench(stage, Floor(stage), here, size, ROUNDS), chosen.scenarios)
        except (Failed, OSError, subprocess.SubprocessError) as problem:
            print(f"scripts/bench: {problem}", file=sys.stderr)
            return 1
    if chosen.json:
        chosen.json.write_text(json.dumps({"machine": describe(versions), **results}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
