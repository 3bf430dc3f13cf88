"""Clients with different capabilities in one channel: each set has its own form of every line."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from benchmark.contenders import with_capabilities
from benchmark.scenarios import Bench, Column, Scenario
from benchmark.scenarios.talking import COLUMNS, NOTES, check_kept, fewer, talk, talked

SENDERS, WINDOW = 10, 20
EIGHT = (
    "",
    "server-time",
    "message-tags",
    "server-time message-tags",
    "server-time account-tag echo-message",
    "server-time message-tags account-tag batch",
    "server-time message-tags account-tag batch draft/multiline echo-message",
    "server-time message-tags account-tag batch draft/multiline draft/chathistory echo-message securechat/order",
)
VARIANTS = {"no capabilities": EIGHT[:1], "the longest set": EIGHT[-1:], "eight in turns": EIGHT}
SIZES = {"full": (100, 20_000), "quick": (100, 5_000), "check": (30, 1_000)}
"""Clients, and lines in a round."""


def run(bench: Bench) -> list[dict[str, Any]]:
    """Measure servers whose clients ask for nothing, for all the same, and for eight different things."""
    clients, lines = SIZES[bench.size]
    chosen = with_capabilities(bench.contenders)
    with ExitStack() as stack:
        pairs = []
        for label, caps in VARIANTS.items():
            pairs += stack.enter_context(bench.stage.crowds(chosen, clients, caps=caps, label=label))
        found = talk(pairs, bench.rounds, lambda one: fewer(one, lines), senders=SENDERS, window=WINDOW)
        for pair in pairs:
            check_kept(pair, lines * bench.rounds)
    rows = [(pair, talked(pair.contender.name, one, bench.floor, clients, WINDOW, SENDERS)) for pair, one in found]
    return [asdict(row) | {"variant": pair.label} for pair, row in rows]


SCENARIO = Scenario(
    "mixed",
    f"Capabilities: one channel, {SENDERS} senders with {WINDOW} lines outstanding",
    (Column("asked for", "variant", "{}"), Column("", "contender", "{}"), *COLUMNS, Column("line", "line_bytes")),
    run,
    f"{NOTES}\nOf each set, a server is asked for what it has; line: the bytes of one that arrives.",
)
