"""What is asked of the servers. A scenario measures, and says how its figures are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.contenders import Contender
from benchmark.floor import Floor
from benchmark.stage import Stage

Figures = Mapping[str, Any]
"""One row of results: flat, with "contender" in it. What a contender does not have is None."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every scenario needs. `size` is "full", "quick" or "check"."""

    stage: Stage
    floor: Floor
    contenders: Sequence[Contender]
    size: str
    rounds: int


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its head, the figure in it, and how that is written."""

    head: str
    key: str
    format: str | Callable[[Any], str] = "{:,.0f}"

    def cell(self, row: Figures) -> str:
        """Return what stands in this column."""
        value = row.get(self.key)
        if value is None:
            return "-"
        return self.format.format(value) if isinstance(self.format, str) else self.format(value)


def five(value: float) -> str:
    """Write a figure in five characters, so that a table is no wider on a slow machine."""
    return f"{value:.3f}" if value < 9.9995 else f"{value:.1f}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One question. `key` is where its results are in the JSON; `notes` says what its columns mean."""

    key: str
    title: str
    columns: Sequence[Column]
    run: Callable[[Bench], list[dict[str, Any]]]
    notes: str = ""

    @property
    def name(self) -> str:
        """What the command line calls it."""
        return self.key.replace("_", "-")


def progress(text: str) -> None:
    """Say what is being done now."""
    print(f"  {text}", flush=True)


def known() -> list[Scenario]:
    """Return all scenarios, in the order in which they run."""
    from benchmark.scenarios import channels, fan_out, history, idle, latency, logins, mixed

    return [one.SCENARIO for one in (fan_out, latency, logins, idle, channels, mixed, history)]
