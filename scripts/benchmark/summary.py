"""All chief figures in one table: a question in each row, a contender in each column, the best of them in bold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OURS = "securechat"
Rows = Sequence[Mapping[str, Any]]
Results = Mapping[str, Rows]


@dataclass(frozen=True, slots=True)
class Question:
    """One row: the answer of each contender, and the least (or most) that the machine allows."""

    text: str
    answers: Mapping[str, float]
    floor: float | None
    format: str
    more: bool = False

    @property
    def best(self) -> str:
        """Who answers best. More or less is better."""
        return (max if self.more else min)(self.answers, key=self.answers.__getitem__)

    def cell(self, name: str) -> str:
        """Return what stands in a contender's column."""
        if name not in self.answers:
            return ""
        text = self.format.format(self.answers[name])
        return f"**{text}**" if name == self.best else text


def questions(results: Results) -> list[Question]:
    """Return the rows for which there are figures."""
    parts = (fan_out, channels, latency, logins, idle)
    return [question for part in parts for question in part(results)]


def grouped(rows: Rows, *keys: str) -> Iterator[tuple[tuple[Any, ...], Rows]]:
    """Give the rows that agree in these keys, together, in their first order."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    yield from groups.items()


def answers(rows: Rows, key: str) -> dict[str, float]:
    """Return one figure of each contender; what is not a server has no column."""
    return {row["contender"]: row[key] for row in rows if "bare" not in row["contender"]}


def floor(rows: Rows, find: Callable[[Mapping[str, Any]], float | None]) -> float | None:
    """Return what ours could come down to, by its own row."""
    return next((find(row) for row in rows if row["contender"] == OURS), None)


def fan_out(results: Results) -> Iterator[Question]:
    """What a line costs in channels of several sizes, and how many a second arrive."""
    for (recipients, window), rows in grouped(results.get("fan_out", ()), "recipients", "window"):
        text = f"CPU per delivered line, us: {recipients:,} in a channel, {window} lines outstanding a sender"
        yield Question(text, answers(rows, "us"), floor(rows, lambda row: row["floor_record"]), "{:.2f}")
    for (recipients,), rows in grouped(results.get("fan_out", ()), "recipients"):
        first = [row for row in rows if row["window"] == rows[0]["window"]]
        text = f"deliveries per second: {recipients:,} in a channel, {rows[0]['window']} lines outstanding"
        yield Question(text, answers(first, "deliveries_per_second"), None, "{:,.0f}", more=True)


def channels(results: Results) -> Iterator[Question]:
    """What a line costs in many channels at once."""
    for (number, members), rows in grouped(results.get("channels", ()), "channels", "recipients"):
        text = f"CPU per delivered line, us: {number} channels of {members}, all talking"
        yield Question(text, answers(rows, "us"), floor(rows, lambda row: row["floor_record"]), "{:.2f}")


def latency(results: Results) -> Iterator[Question]:
    """How long a message takes, at each rate."""
    for (rate,), rows in grouped(results.get("latency", ()), "rate"):
        least = next((row for row in rows if "bare" in row["contender"]), {})
        for key, name in (("p50", "median"), ("p99", "p99"), ("p999", "p99.9")):
            text = f"latency, ms: {name} at {rate:g} messages/s to {rows[0]['recipients'] + 1} clients"
            yield Question(text, answers(rows, key), least.get(key), "{:.1f}")


def logins(results: Results) -> Iterator[Question]:
    """How many get in at the door."""
    rows = results.get("logins", ())
    if not rows:
        return
    bare = max(row["per_second"] for row in rows if "handshakes" in row["contender"])
    for (by,), own in grouped([row for row in rows if row["contender"] == OURS], "by"):
        asked = [*own, *(row for row in rows if row["contender"] != OURS)]
        text = f"connections with login per second: ours by {by}"
        yield Question(text, answers(asked, "per_second"), bare, "{:,.0f}", more=True)


def idle(results: Results) -> Iterator[Question]:
    """What a connection takes while it says nothing."""
    for (count,), rows in grouped(results.get("idle", ()), "connections"):
        text = f"memory per idle connection, KiB: {count:,} of them"
        yield Question(text, answers(rows, "pss_kib"), rows[0]["floor_kib"], "{:.1f}")


def table(results: Results) -> str:
    """Return all of it in Markdown."""
    rows = questions(results)
    names = list(dict.fromkeys(name for row in rows for name in row.answers))
    lines = [["", *names, "floor"], ["---", *["---:"] * (len(names) + 1)]]
    for row in rows:
        least = "" if row.floor is None else row.format.format(row.floor)
        lines.append([row.text, *(row.cell(name) for name in names), least])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def behind(results: Results) -> str:
    """Return, in a sentence, where ours is not the best; the table says who is, and by how much."""
    rows: dict[str, list[bool]] = {}
    for row in questions(results):
        if OURS in row.answers:
            rows.setdefault(row.text.partition(":")[0], []).append(row.best == OURS)
    told = [f"{subject} ({won.count(False)} of {len(won)} rows)" for subject, won in rows.items() if not all(won)]
    return f"Not in the lead yet: {'; '.join(told)}." if told else "securechat leads on every row."
