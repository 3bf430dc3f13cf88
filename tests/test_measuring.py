"""The scripts that measure: small runs, which fail on a ratio and never on a time."""

import json
import re
import sys
import sysconfig

import pytest
from helpers.scripts import ROOT, run

SCENARIOS = {"fan_out", "latency", "logins", "idle", "channels", "mixed", "history"}
"""What scripts/bench measures, as its JSON names it."""


@pytest.mark.skipif(sys.platform != "linux", reason="the CPU time of other processes is read as only Linux has it")
def test_bench_check(tmp_path):
    """All scenarios, small: every line arrives and is on disk, and no ratio is bad, or it would fail."""
    done = run(
        ROOT / "scripts/bench", "--check", "--json", tmp_path / "figures.json", "--svg", tmp_path / "pictures"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if len(line) > 115] == []
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures.keys() == {"machine"} | SCENARIOS
    assert {"cpu", "cores", "kernel", "python", "openssl", "date", "versions"} == figures["machine"].keys()
    for name in SCENARIOS:
        assert [row for row in figures[name] if not row["contender"]] == []
        assert "securechat" in {row["contender"] for row in figures[name]}
    for row in figures["fan_out"] + figures["channels"] + figures["mixed"]:
        assert 0 < row["floor_full"] <= row["us"]
    baseline = [row["contender"] for row in figures["fan_out"] if row["us"] > 10 * figures["fan_out"][0]["us"]]
    assert baseline == ["thread per client"]
    assert all(0 < row["p50"] <= row["p99"] <= row["p999"] <= row["worst"] for row in figures["latency"])
    assert all(row["per_second"] > 0 for row in figures["logins"])
    assert all(row["pss_kib"] > 0 for row in figures["idle"])
    pictures = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert pictures == {"fan-out.svg", "deliveries.svg", "latency.svg", "idle.svg"}


def test_nothing_grows_faster_than_what_it_brings_out(tmp_path):
    """Small sizes and few of each: only a cost that clearly grows beyond its output fails, whatever it is."""
    files = ["--json", tmp_path / "figures.json", "--svg", tmp_path / "growth.svg"]
    done = run(ROOT / "scripts/growth", "--quick", "--check", *files)
    assert done.returncode == 0, done.stdout + done.stderr
    curves = json.loads((tmp_path / "figures.json").read_text())
    assert {curve["axis"] for curve in curves} == {"members", "channels", "connections", "accounts"}
    assert all(len(curve["costs"]) == 2 and min(curve["costs"]) > 0 for curve in curves)
    assert (tmp_path / "growth.svg").read_text().startswith("<svg")


@pytest.mark.skipif(sysconfig.get_config_var("Py_GIL_DISABLED"), reason="py-spy cannot look into such a Python")
def test_profile_shows_every_thread(tmp_path):
    """A second under a small load: what the busy ones do, and a flame graph."""
    few = ["--clients", "4", "--senders", "2", "--window", "5", "--seconds", "1"]
    done = run(ROOT / "scripts/profile", *few, "--out", tmp_path / "flames.svg")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\nsequencer: \d+% of the CPU time, \d+% of a core\nseen \d+ times: ", done.stdout)
    assert re.search(r"\n +\d+\.\d% +\d+\.\d% +\d+  Sequencer\.run  securechat/server/", done.stdout)
    assert (tmp_path / "flames.svg").read_text().startswith("<?xml")


def test_bench_history_asks_logs_of_three_sizes(tmp_path):
    """The shape of its table; that a page does not slow down is for the query plans to say, not for a clock."""
    done = run(
        ROOT / "scripts/bench-history", "--messages", "10000", "--rounds", "1", "--json", tmp_path / "figures"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    head, *rows = (re.split(r" {2,}", line.strip()) for line in done.stdout.splitlines())
    assert [len(row) for row in rows] == [len(head)] * 3
    assert [row[0] for row in rows] == ["100", "1,000", "10,000"]
    figures = json.loads((tmp_path / "figures").read_text())
    assert [one["messages"] for one in figures] == [100, 1000, 10_000]
    assert all(value > 0 for one in figures for value in one.values())
