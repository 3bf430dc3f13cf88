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
from benchmark.pictures import draw
from benchmark.report import table
from benchmark.scenarios import Bench, Scenario
from benchmark.stage import Stage
from benchmark.summary import OURS
from benchmark.verdict import BASELINE, FLOORS, TENTH, complaints

ROUNDS = {"full": 3, "quick": 3, "check": 1}
"""Short measurements are repeated so often, in turns, and the median is what counts."""


def arguments() -> argparse.Namespace:
    """Return what the command line asked for."""
    scenes = {one.name: one for one in scenarios.known()}
    servers = {word(one): one for one in contenders.known()}
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Our server and others under the same load, beside what TLS alone costs."
    )
    parser.add_argument("--only", metavar="NAME,...", help=f"some of: {', '.join(scenes)}")
    parser.add_argument("--contenders", metavar="NAME,...", help=f"some of: {', '.join(servers)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE, too")
    parser.add_argument("--svg", type=Path, metavar="DIR", help="draw pictures into DIR, too")
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick", action="store_true", help="smaller and fewer: a minute or two instead of a quarter of an hour"
    )
    size.add_argument(
        "--check",
        action="store_true",
        help=f"smallest, without the peers; fail if a line of ours costs over {TENTH} of the baseline's "
        f"or {FLOORS} times the floor",
    )
    chosen = parser.parse_args()
    if chosen.check and not chosen.contenders:
        chosen.contenders = f"{OURS},{BASELINE.replace(' ', '-')}"
    chosen.scenarios = pick(parser, "--only", chosen.only, scenes)
    chosen.contenders = pick(parser, "--contenders", chosen.contenders, servers)
    chosen.size = "check" if chosen.check else "quick" if chosen.quick else "full"
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


def measure(bench: Bench, chosen: Sequence[Scenario], results: dict[str, Any]) -> None:
    """Run the scenarios, and print and note each one's figures as soon as they are there."""
    for scenario in chosen:
        began = time.monotonic()
        print(f"\n{scenario.title}", flush=True)
        rows = scenario.run(bench)
        results[scenario.key] = rows
        print(f"\n{table(scenario, rows)}\n{scenario.notes}\n({time.monotonic() - began:.0f} s)", flush=True)


def prepare() -> None:
    """Have room for many connections, here and in all that is started from here."""
    end_in_order()
    forget_settings()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one of the peers likes to crash when it is told to end


def write(chosen: argparse.Namespace, figures: dict[str, Any]) -> None:
    """Write the files that were asked for."""
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n")
    if chosen.svg:
        chosen.svg.mkdir(parents=True, exist_ok=True)
        for name, text in draw(figures):
            (chosen.svg / name).write_text(text)


def main() -> int:
    """Measure, print, and return 0; with --check 1 where a ratio is too bad."""
    prepare()
    chosen = arguments()
    versions = installed(chosen.contenders)
    here = [one for one in chosen.contenders if one.name in versions]
    results: dict[str, Any] = {"machine": describe(versions)}
    with tempfile.TemporaryDirectory(prefix="securechat-bench-") as folder:
        try:
            stage = Stage(Path(folder))
            bench = Bench(stage, Floor(stage), here, chosen.size, ROUNDS[chosen.size])
            measure(bench, chosen.scenarios, results)
        except (Failed, OSError, subprocess.SubprocessError) as problem:
            print(f"scripts/bench: {problem}", file=sys.stderr)
            return 1
        finally:  # what was measured before a failure is not lost
            write(chosen, results)
    said = list(complaints(results)) if chosen.check else []
    for one in said:
        print(f"Too much: {one}", file=sys.stderr)
    return int(bool(said))


if __name__ == "__main__":
    sys.exit(main())
