"""Results as text."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.scenarios import Figures, Scenario


def table(scenario: Scenario, rows: Sequence[Figures]) -> str:
    """Return the figures as aligned lines; names to the left, numbers to the right."""
    cells = [[column.head for column in scenario.columns]]
    cells += [[column.cell(row) for column in scenario.columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    named = [column.format == "{}" for column in scenario.columns]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(line, widths, named, strict=True)
        ).rstrip()
        for line in cells
    )


def markdown(scenario: Scenario, rows: Sequence[Figures]) -> str:
    """Return the figures as a table in Markdown."""
    heads = "|".join(f" {column.head} " for column in scenario.columns)
    rule = "|".join("---" if column.format == "{}" else "---:" for column in scenario.columns)
    body = ["|".join(f" {column.cell(row)} " for column in scenario.columns) for row in rows]
    return "\n".join(f"|{line}|" for line in (heads, rule, *body))
