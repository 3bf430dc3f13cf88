"""Nothing lost, nothing twice, while the server is killed and connections are cut: scripts/chaos in short."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def chaos(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    before = set(sys.modules)
    import chaos_run

    chaos_run.forget_settings()
    yield chaos_run
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(SCRIPTS)):
            del sys.modules[name]


def test_nothing_is_lost_and_nothing_comes_twice(chaos, tmp_path):
    said = []
    plan = chaos.Plan(seconds=5, clients=20, seed="short", kill_after=(0.5, 1.5))
    fine = chaos.run(plan, tmp_path, said.append)
    assert fine, "\n".join(said)
    counts = {name: int(number) for name, number in (pair.rsplit(" ", 1) for pair in said[0].split(", "))}
    # It did happen: lines were said again, the server was killed, connections were cut.
    assert min(counts[name] for name in ("echoed", "retried", "kills", "cuts")) > 0
    assert counts["lines meant"] == counts["echoed"]


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (lambda rows, client: rows.pop(1), "echoed but not in the log: two"),
        (lambda rows, client: rows.append(rows[0]._replace(number=4)), "in the log 2 times: one"),
        (lambda rows, client: client.seen.pop(0), "1 missing, 0 twice"),
        (lambda rows, client: client.seen.append(client.seen[0]), "0 missing, 1 twice"),
        (lambda rows, client: client.seen.reverse(), "out of order"),
        (lambda rows, client: client.kept.remove("one"), "never echoed: one"),
    ],
)
def test_what_is_wrong_is_found(chaos, spoil, finding):
    rows = [
        chaos.Row("#lobby", number, f"m{number}", "a", text, f"k{number}")
        for number, text in enumerate(("one", "two", "three"), 1)
    ]

    client = SimpleNamespace(
        name="a@1",
        account="a",
        said=[("#lobby", row.text) for row in rows],
        kept=[row.text for row in rows],
        seen=[chaos.Seen("#lobby", row.number, row.msgid, "a", row.text) for row in rows],
    )
    assert chaos.compare([client], rows) == []
    spoil(rows, client)
    assert any(finding in problem for problem in chaos.compare([client], rows))
