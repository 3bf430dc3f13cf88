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


def markdown(scenario: Scenario, rows: Sequence[Figures], keys: Sequence[str] = ()) -> str:
    """Return the figures as a table in Markdown: all columns, or those with these keys."""
    columns = [column for column in scenario.columns if not keys or column.key in keys]
    lines = [
        [column.head for column in columns],
        ["---" if column.format == "{}" else "---:" for column in columns],
    ]
    lines += [[column.cell(row) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
