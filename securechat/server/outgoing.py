"""What leaves after a commit: lines joined for everybody who reads the same, in an order that keeps law 3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from securechat.chat.effects import Fanout, Output, Reply
from securechat.chat.people import Audience, Session
from securechat.net.jobs import Turn
from securechat.protocol.capabilities import VARIANT_MASK

if TYPE_CHECKING:
    from securechat.net.connection import Connection

PIECE: Final = 16 * 1024
"""Lines are joined into pieces of at most one TLS record: 0.08 us a line instead of 5 when it travels alone."""


class _Run:
    """Lines in a row for the same connections. `skips` holds, by connection, the lines it does not get."""

    __slots__ = ("lines", "links", "skips")

    def __init__(self, links: tuple[Any, ...]) -> None:
        self.links = links
        self.lines: list[bytes] = []
        self.skips: dict[Any, list[int]] = {}

    def sends(self) -> Iterator[tuple[tuple[Any, ...], list[bytes]]]:
        """Give (connections, pieces): most get all lines as the same bytes objects, encoded and joined once."""
        if not self.skips:
            yield self.links, join(self.lines)
            return
        yield tuple(link for link in self.links if link not in self.skips), join(self.lines)
        for link in self.links:
            if link in self.skips:
                rest = self._without(self.skips[link])
                if rest:
                    yield (link,), join(rest)

    def _without(self, skipped: list[int]) -> list[bytes]:
        """Return the lines but for those, ascending; one session's stand in a row, so a slice takes them out."""
        lines, first, last = self.lines, skipped[0], skipped[-1]
        if last - first + 1 == len(skipped):
            return lines[:first] + lines[last + 1 :]
        gone = set(skipped)
        return [line for index, line in enumerate(lines) if index not in gone]


class _Lane:
    """The output of one worker. `open` has the runs that may still grow, by the identity of their links."""

    __slots__ = ("admits", "closes", "credits", "open", "runs")

    def __init__(self) -> None:
        self.runs: list[_Run] = []
        self.open: dict[int, _Run] = {}
        self.credits: list[tuple[Connection, int]] = []
        self.admits: list[Connection] = []
        self.closes: list[tuple[Connection, str]] = []


class Outgoing:
    """One turn's output, gathered before the commit and handed to the workers after it.

    Lines in a row for one audience are joined once for all who read the same; anything else in between ends
    the row, so that nobody reads anything before what was said earlier.
    """

    def __init__(self, lanes: int) -> None:
        self._lanes = [_Lane() for _ in range(lanes)]
        self._audience: Audience | None = None

    def add(self, output: Output) -> None:
        """Add what applying an entry gave."""
        if isinstance(output, Fanout):
            self._fanout(output)
        else:
            self.reply(output)

    def reply(self, reply: Reply) -> None:
        """Add lines for one session."""
        lane, link = self._lanes[reply.session.lane], reply.session.link
        lane.open.clear()
        if lane.runs and lane.runs[-1].links == (link,):
            lane.runs[-1].lines.append(reply.data)
            return
        run = _Run((link,))
        run.lines.append(reply.data)
        lane.runs.append(run)

    def _fanout(self, fanout: Fanout) -> None:
        if fanout.audience is not self._audience:
            self._audience = fanout.audience
            for lane in self._lanes:
                lane.open.clear()
        skip = fanout.skip
        skipped = (skip.lane, skip.caps & VARIANT_MASK) if skip else None
        for group, links in fanout.audience.groups.items():
            line = fanout.lines.get(group[1])
            if line is None:
                continue
            lane = self._lanes[group[0]]
            run = lane.open.get(id(links))
            if run is None:
                run = lane.open[id(links)] = _Run(links)
                lane.runs.append(run)
            if skip is not None and group == skipped:
                run.skips.setdefault(skip.link, []).append(len(run.lines))
            run.lines.append(line)

    def credit(self, session: Session, size: int) -> None:
        """Give back input that has been dealt with."""
        self._lanes[session.lane].credits.append((session.link, size))

    def admit(self, session: Session) -> None:
        """Lift what holds for strangers."""
        self._lanes[session.lane].admits.append(session.link)

    def close(self, session: Session, reason: str) -> None:
        """End a connection after its output."""
        self._lanes[session.lane].closes.append((session.link, reason))

    def without_lines(self) -> Outgoing:
        """Return the same turn with nothing to say: what it gives back and closes stays true."""
        other = Outgoing(len(self._lanes))
        for mine, its in zip(self._lanes, other._lanes, strict=True):
            its.credits, its.admits, its.closes = mine.credits, mine.admits, mine.closes
        return other

    def turns(self) -> Iterator[tuple[int, Turn]]:
        """Give (lane, work) for each worker that has any."""
        for number, lane in enumerate(self._lanes):
            if lane.runs or lane.credits or lane.closes or lane.admits:
                sends = [send for run in lane.runs for send in run.sends()]
                yield number, Turn(sends, lane.credits, lane.admits, lane.closes)


def join(lines: list[bytes]) -> list[bytes]:
    """Return the lines joined and cut into pieces of PIECE bytes; a line may go on in the next piece."""
    data = b"".join(lines)
    if len(data) <= PIECE:
        return [data]
    return [data[start : start + PIECE] for start in range(0, len(data), PIECE)]
