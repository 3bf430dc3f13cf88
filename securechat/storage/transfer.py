"""The log as JSON Lines: one object a line, nothing left out, to be read by other programs and put back.

The first line is {"format": "securechat-log", "version": 1}. Then comes one line for each entry, in order, with
"type": "entry", its msgid, its kind by name ("PRIVMSG") and the other columns of its table; one for each row of
the table `latest` with "type": "latest", "kind", "sender", "target" and "text"; and at the end {"type": "end",
"entries": N, "latest": M}, by which a file that was cut off is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from securechat.records import EPHEMERAL, LATEST, Draft, Entry, Kind, run_of
from securechat.storage.log import SqliteLog

FORMAT: Final = "securechat-log"
VERSION: Final = 1
_MOST: Final = 2**62
_KINDS: Final = {kind.name: kind for kind in Kind if kind not in EPHEMERAL}
_FIELDS: Final = tuple("msgid" if name == "run" else name for name in Entry._fields)
_NUMBERS: Final = frozenset({"seq", "time", "number"})
_EXPORTED: Final = "import the file as `securechat export` wrote it"


class BadFile(Exception):  # noqa: N818  # it is a fact about the file
    """A file that cannot be imported. The text is one sentence with the number of the line."""


def dump(entries: Iterable[Entry], latest: Iterable[Draft]) -> Iterator[str]:
    """Give the lines of a log, without their ends."""
    yield _line({"format": FORMAT, "version": VERSION})
    count = {"entries": 0, "latest": 0}
    for entry in entries:
        count["entries"] += 1
        yield _line({"type": "entry"} | dict(zip(_FIELDS, entry, strict=True)) | _named(entry))
    for kept in latest:
        count["latest"] += 1
        fields = {"kind": kept.kind.name, "sender": kept.sender, "target": kept.target, "text": kept.text}
        yield _line({"type": "latest"} | fields)
    yield _line({"type": "end"} | count)


def load(lines: Iterable[bytes], log: SqliteLog) -> int:
    """Put a file that `dump` made into a log, all of it or nothing; return how many entries were new.

    Entries whose msgid is there already are skipped. All others must come after the newest that is there, in
    their order and in the numbers of their conversation: then they are appended as they are. Raises BadFile and
    LogError.
    """
    loading = _Loading(log)
    log.absorb(loading.wanted(lines))
    return loading.added


class _Loading:
    """One import: what was read so far. Every line is looked at before anything is committed."""

    def __init__(self, log: SqliteLog) -> None:
        self._log = log
        self._last = log.last()
        self._empty = self._last is None
        self._numbers: dict[str, int] = {}
        self._counts = {"entries": 0, "latest": 0}
        self.added = 0

    def wanted(self, lines: Iterable[bytes]) -> Iterator[Entry | Draft]:
        """Give what is to be added. Raises BadFile at the first line that is wrong."""
        place, ended = 0, False
        for place, line in enumerate(lines, 1):
            found = _parse(place, line)
            if ended:
                raise BadFile(f"Line {place} comes after the end: {_EXPORTED}.")
            if place == 1:
                _check_header(found)
                continue
            ended = found == {"type": "end"} | self._counts
            if not ended:
                thing = self._take(place, found)
                if thing is not None:
                    yield thing
        if not ended:
            raise BadFile(f"The file ends after line {place}, before all of the log has come: export it again.")

    def _take(self, place: int, found: dict[str, Any]) -> Entry | Draft | None:
        kind = found.pop("type", None)
        if kind == "latest":
            self._counts["latest"] += 1
            return _latest(place, found)
        if kind != "entry":
            raise BadFile(f"Line {place} is neither an entry nor the right end: {_EXPORTED}.")
        self._counts["entries"] += 1
        entry = _entry(place, found)
        if self._log.has(entry.msgid):
            return None
        self._check_order(place, entry)
        self._last = entry
        self.added += 1
        return entry

    def _check_order(self, place: int, entry: Entry) -> None:
        last, before = self._last, 0
        if entry.number:
            before = self._numbers.get(entry.conversation, -1)
            if before < 0:
                before = 0 if self._empty else self._log.number(entry.conversation)
            self._numbers[entry.conversation] = entry.number
        if (last is None or (entry.seq > last.seq and entry.time >= last.time)) and entry.number >= before + (
            entry.number > 0
        ):
            return
        if self.added or self._empty:
            raise BadFile(f"Line {place} is out of order: {_EXPORTED}.")
        raise BadFile(
            f"Line {place} does not come after the newest entry of the log, which has others: "
            "import into a home without chat.db."
        )


def _named(entry: Entry) -> dict[str, Any]:
    """Return what is written otherwise than it is kept."""
    return {"msgid": entry.msgid, "kind": entry.kind.name}


def _line(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _parse(place: int, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadFile(f"Line {place} is no JSON object: {_EXPORTED}.")
    return found


def _check_header(found: dict[str, Any]) -> None:
    if found.get("format") != FORMAT or type(found.get("version")) is not int:
        raise BadFile(f'Line 1 is not {{"format":"{FORMAT}","version":{VERSION}}}: {_EXPORTED}.')
    if found["version"] != VERSION:
        raise BadFile("Line 1 says that a newer securechat wrote the file: update this one.")


def _entry(place: int, found: dict[str, Any]) -> Entry:
    kind = _KINDS.get(str(found.get("kind")))
    if kind is None or kind in LATEST:
        raise BadFile(f"Line {place} has no kind that an entry can have: {_EXPORTED}.")
    _check(place, found, _FIELDS)
    seq, msgid = found["seq"], found["msgid"]
    if not seq or not msgid:
        raise BadFile(f"Line {place} has no seq or no msgid: {_EXPORTED}.")
    kept = found | {"kind": kind, "msgid": run_of(msgid, seq)}
    return Entry._make(kept[name] for name in _FIELDS)


def _latest(place: int, found: dict[str, Any]) -> Draft:
    kind = _KINDS.get(str(found.get("kind")))
    if kind not in LATEST:
        raise BadFile(f"Line {place} is not MARK or SEEN: {_EXPORTED}.")
    _check(place, found, ("kind", "sender", "target", "text"))
    if not (found["text"].isascii() and found["text"].isdecimal()):
        raise BadFile(f"Line {place} has no number in 'text': {_EXPORTED}.")
    return Draft(kind, found["target"], found["sender"], found["text"])


def _check(place: int, found: dict[str, Any], fields: tuple[str, ...]) -> None:
    """Raise BadFile unless these are the fields, each of its type."""
    if set(found) != set(fields):
        raise BadFile(f"Line {place} does not have just the fields {', '.join(fields)}: {_EXPORTED}.")
    for name, value in found.items():
        if name in _NUMBERS:
            sound = type(value) is int and 0 <= value < _MOST
        else:
            # A lone surrogate is a string for JSON and none for SQLite.
            sound = isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)
        if not sound:
            what = "number" if name in _NUMBERS else "text"
            raise BadFile(f"Line {place}: {name} is no {what}: {_EXPORTED}.")
