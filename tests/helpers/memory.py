"""A log in memory: the plainest thing that keeps the contracts of `storage.log` and `storage.history`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from securechat.records import (
    LATEST,
    SAID,
    STATE,
    Draft,
    Entry,
    Kind,
    Lookup,
    Missed,
    Page,
    Place,
    Reader,
    Scope,
    Search,
    Stretch,
    Targets,
)
from securechat.storage.history import NOBODY_KNOWS, UnknownPlace
from securechat.storage.log import LogError


class MemoryLog:
    """Entries in a list. Reads everything for every answer."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._latest: dict[tuple[Kind, str, str], Draft] = {}
        self._forgotten: dict[str, int] = {}

    def append(self, entries: Sequence[Entry], bursts: Sequence[slice] = ()) -> None:
        kept = [entry for entry in entries if entry.kind not in LATEST]
        everything = [*self.entries, *kept]
        if len({entry.seq for entry in everything}) < len(everything):
            raise LogError("There is an entry with that number already.")
        if len({entry.msgid for entry in everything}) < len(everything):
            raise LogError("There is an entry with that msgid already.")
        self.entries = everything
        for entry in entries:
            self._besides(entry)

    def _besides(self, entry: Entry) -> None:
        key = (entry.kind, entry.sender, entry.target)
        if entry.kind in LATEST:
            self._latest.pop(key, None)
            if entry.text:
                self._latest[key] = entry.draft._replace(tags="", key="")
        elif entry.kind is Kind.REDACT:
            msgid = entry.text.partition(" ")[0]
            self.entries = [
                one._replace(kind=Kind.REDACTED, text="", tags="")
                if one.msgid == msgid and one.kind in (Kind.PRIVMSG, Kind.NOTICE, Kind.TAGMSG)
                else one
                for one in self.entries
            ]
        elif entry.kind is Kind.FORGET:
            self._latest = {key: one for key, one in self._latest.items() if key[1] != entry.target}
            self._forgotten[entry.target] = entry.seq

    def last(self) -> Entry | None:
        return self.entries[-1] if self.entries else None

    def state(self) -> Iterator[Entry]:
        return (entry for entry in self.entries if entry.kind in STATE)

    def latest(self) -> Iterator[Draft]:
        return iter(list(self._latest.values()))

    def number(self, conversation: str) -> int:
        return max((entry.number for entry in self.entries if entry.conversation == conversation), default=0)

    def keyed(self, since: int, limit: int) -> list[Entry]:
        found = [entry for entry in self.entries if entry.key and entry.time >= since]
        return found[-limit:] if limit else []

    def began(self) -> int | None:
        return self.entries[0].time if self.entries else None

    def close(self) -> None:
        pass

    def answer(self, question: object) -> object:
        """What the reader would say."""
        table = {Page: self.page, Targets: self.targets, Missed: self.missed, Lookup: self.lookup}
        return {**table, Search: self.search}[type(question)](question)

    def page(self, page: Page) -> Stretch:
        kinds = {Kind.PRIVMSG, Kind.NOTICE}
        kinds |= {Kind.TAGMSG} if page.events else set()
        kinds |= set(SAID) if page.redacted else set()
        shown = [
            entry
            for entry in self._within(page.scope)
            if entry.kind in kinds or (page.events and entry.kind not in SAID)
        ]
        if page.around is not None:
            middle = self._place(page.scope, page.around)
            older = [entry for entry in shown if self._side(entry, middle) < 0]
            half = older[-(page.limit // 2) :] if page.limit > 1 else []
            newer = shown[len(older) :][: page.limit - len(half)]
            return Stretch(half + newer, len(half + newer) == len(shown))
        after, before = (place and self._place(page.scope, place) for place in (page.after, page.before))
        newest = page.newest
        if after is not None and before is not None and after > before:
            after, before, newest = before, after, not newest
        shown = [entry for entry in shown if after is None or self._side(entry, after) > 0]
        shown = [entry for entry in shown if before is None or self._side(entry, before) < 0]
        some = shown[-page.limit :] if newest else shown[: page.limit]
        return Stretch(some, len(some) == len(shown))

    def targets(self, targets: Targets) -> list[tuple[str, int]]:
        low, high = sorted((targets.first, targets.last))
        found = []
        for scope in self._scopes(targets.reader):
            times = [entry.time for entry in self._within(scope) if entry.kind in (1, 2, 3)]
            if times and low < times[-1] < high:
                found.append((scope.conversation, times[-1]))
        found.sort(key=lambda pair: pair[1])
        return found[: targets.limit] if targets.first <= targets.last else found[-targets.limit :]

    def missed(self, missed: Missed) -> Stretch:
        found = [entry for entry in self._said(missed.reader, missed.kinds) if entry.seq > missed.seq]
        return Stretch(found[-missed.limit :], len(found) <= missed.limit)

    def lookup(self, lookup: Lookup) -> Entry | None:
        for entry in reversed(self.entries):
            if lookup.msgid and entry.msgid == lookup.msgid:
                return entry
            if not lookup.msgid and entry.key and (entry.key, entry.sender) == (lookup.key, lookup.sender):
                return entry
        return None

    def search(self, search: Search) -> Stretch:
        found = [
            entry
            for entry in self._said(search.reader)
            if all(word.casefold() in entry.text.casefold() for word in search.text.split())
            and search.conversation in ("", entry.conversation)
            and search.sender in ("", entry.sender.casefold())
            and (search.after is None or entry.time >= search.after)
            and (search.before is None or entry.time <= search.before)
        ]
        some = found[: search.limit] if search.after is not None else found[-search.limit :]
        return Stretch(some, len(some) == len(found))

    def _said(self, reader: Reader, kinds: tuple[Kind, ...] = (Kind.PRIVMSG, Kind.NOTICE)) -> list[Entry]:
        found = [entry for scope in self._scopes(reader) for entry in self._within(scope)]
        return sorted(entry for entry in found if entry.kind in kinds)

    def _scopes(self, reader: Reader) -> list[Scope]:
        since = self._forgotten.get(reader.account, 0)
        pairs = {
            entry.conversation
            for entry in self.entries
            if entry.number and entry.seq > since and reader.account in entry.conversation.split(" ")
        }
        return [*reader.channels, *(Scope(pair, 0, reader.since) for pair in sorted(pairs) if " " in pair)]

    def _within(self, scope: Scope) -> list[Entry]:
        return [
            entry
            for entry in self.entries
            if entry.conversation == scope.conversation and entry.seq >= scope.seq and entry.time >= scope.time
        ]

    def _place(self, scope: Scope, place: Place) -> tuple[int, int]:
        """Return a moment and, where the place is an entry, its number; else 0."""
        if not place.msgid:
            return place.time, 0
        for entry in self._within(scope):
            if entry.msgid == place.msgid:
                return entry.time, entry.seq
        raise UnknownPlace(NOBODY_KNOWS)

    def _side(self, entry: Entry, place: tuple[int, int]) -> int:
        """Below 0: the entry is before the place; 0: at it; above: after it."""
        time, seq = place
        return entry.seq - seq if seq else entry.time - time
