"""The figures in README.md and the pictures beside it are those of docs/figures/bench.json."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from benchmark.scenarios import five

ROOT = Path(__file__).parent.parent


def figures(*words):
    """Run what scripts/figures runs."""
    return subprocess.run(
        [sys.executable, "-m", "benchmark.figures", *words],
        env={"PYTHONPATH": str(ROOT / "scripts")},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def copy(tmp_path):
    """A folder with what scripts/figures reads and writes."""
    shutil.copy(ROOT / "README.md", tmp_path)
    shutil.copytree(ROOT / "docs/figures", tmp_path / "docs/figures")
    return tmp_path


def test_text_and_pictures_agree_with_the_json():
    """Whoever changes one of them runs scripts/figures."""
    done = figures("--check")
    assert done.returncode == 0, done.stderr


def test_every_part_has_content():
    """No marker is left empty, and each one is closed."""
    text = (ROOT / "README.md").read_text()
    parts = re.findall(r"<!-- figures: ([a-z-]+) -->(.*?)<!-- /figures -->", text, re.DOTALL)
    assert len(parts) == text.count("<!-- figures:") == text.count("<!-- /figures -->") > 0
    assert [name for name, content in parts if not content.strip()] == []


def test_figures_are_written_where_the_json_has_changed(copy):
    """--check says which files differ and changes nothing; without it they are written."""
    path = copy / "docs/figures/bench.json"
    results = json.loads(path.read_text())
    for row in results["fan_out"]:
        row["us"] *= 2
    path.write_text(json.dumps(results))
    before = (copy / "README.md").read_text()
    checked = figures("--check", "--root", copy)
    assert checked.returncode == 1
    assert [name for name in ("README.md", "fan-out.svg") if f"{name} does not say" not in checked.stderr] == []
    assert (copy / "README.md").read_text() == before
    assert figures("--root", copy).returncode == 0
    assert (copy / "README.md").read_text() != before
    assert figures("--check", "--root", copy).returncode == 0


def test_part_that_nobody_writes_is_refused(copy):
    """A typing mistake in a marker does not go unnoticed."""
    with (copy / "README.md").open("a") as file:
        file.write("<!-- figures: nonsense --><!-- /figures -->")
    done = figures("--check", "--root", copy)
    assert done.returncode != 0
    assert "nonsense" in done.stderr


@pytest.mark.parametrize(
    ("figure", "text"), [(0.04812, "0.048"), (9.9994, "9.999"), (9.9996, "10.0"), (317.2, "317.2")]
)
def test_a_table_is_as_wide_on_a_slow_machine(figure, text):
    """Ten times the microseconds take no more room."""
    assert five(figure) == text
