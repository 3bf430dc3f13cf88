"""How the log's queries are carried out: each by an index, none sorted, none slower where the log is longer.

The queries are those that the real code runs: they are recorded while it answers.
"""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from helpers.archive import START, Archive, OnDisk, reader

from securechat.records import Draft, Kind, Lookup, Missed, Page, Place, Scope, Search, Targets

ALICE = reader("alice", "#x", Scope("#y", 3, START), since=START)
AT = Place(time=START + 50)
BY_ID = Place("id-7")


def late(draft):
    """The entry of a draft that comes after everything."""
    return Archive().place(draft)._replace(seq=10**6, run="late")


PAGES = {
    "latest": Page(Scope("#x"), 5, newest=True),
    "from a floor": Page(Scope("#x", 3, START + 2), 5, newest=True),
    "before a moment": Page(Scope("#x"), 5, before=AT, newest=True),
    "before a message": Page(Scope("#x"), 5, before=BY_ID, newest=True),
    "after a moment": Page(Scope("#x"), 5, after=AT),
    "after a message": Page(Scope("#x"), 5, after=BY_ID),
    "between": Page(Scope("#x"), 5, BY_ID, AT),
    "between, backwards": Page(Scope("#x"), 5, AT, BY_ID),
    "around": Page(Scope("#x"), 5, around=AT),
    "with events": Page(Scope("#x"), 5, newest=True, events=True),
    "with events and what was taken back": Page(Scope("#x"), 5, after=AT, events=True, redacted=True),
}
QUESTIONS = {
    **{f"page {name}": lambda disk, page=page: disk.page(page) for name, page in PAGES.items()},
    "targets": lambda disk: disk.targets(Targets(ALICE, 0, 2**53, 5)),
    "missed": lambda disk: disk.missed(Missed(ALICE, 5, 5)),
    "lookup by msgid": lambda disk: disk.lookup(Lookup("id-7")),
    "lookup by key": lambda disk: disk.lookup(Lookup(sender="bob", key="k7")),
    "number": lambda disk: disk.number("#x"),
    "keyed": lambda disk: disk.keyed(START, 5),
    "state": lambda disk: list(disk.state()),
    "last": lambda disk: disk.last(),
    "began": lambda disk: disk.began(),
    "latest of its kind": lambda disk: list(disk.latest()),
    "redact": lambda disk: disk.append([late(Draft(Kind.REDACT, "#x", "bob", "id-9"))]),
    "forget": lambda disk: disk.append([late(Draft(Kind.FORGET, "bob", ""))]),
}
SEARCHES = {
    "a word": Search(ALICE, "needle", 5),
    "a word and a short one": Search(ALICE, "needle xy", 5),
    "a word, narrowed": Search(ALICE, "needle", 5, "#x", "bob", START, START + 99),
    "a short word in one place": Search(ALICE, "xy", 5, "#x"),
    "everything of one place": Search(ALICE, "", 5, "#x", "bob", None, START + 99),
}


@pytest.fixture
def disk(tmp_path):
    store = OnDisk(tmp_path)
    fill(store, 300)
    store.index.step()
    yield store
    store.close()


def fill(store, count):
    archive = Archive(store)
    drafts = []
    for number in range(count // 3):
        drafts += [
            Draft(Kind.PRIVMSG, "#x", "bob", "needle xy", "", f"k{number}"),
            Draft(Kind.PRIVMSG, "alice", "bob", "needle xy"),
            Draft(Kind.JOIN, "#x", "bob"),
        ]
    archive.append(*drafts, Draft(Kind.MARK, "#x", "bob", "1"))


def plans(ask, *databases):
    """The plans of all queries that are run while `ask` is: (query, its steps)."""
    queries = []
    for database in databases:
        database.set_trace_callback(lambda query, database=database: queries.append((database, query)))
    try:
        ask()
    finally:
        for database in databases:
            database.set_trace_callback(None)
    found = []
    for database, query in queries:
        # What FTS5 runs below a statement is shown as a comment, and is its own business.
        if query.split(maxsplit=1)[0] in ("SELECT", "WITH", "UPDATE", "DELETE", "INSERT"):
            found.append((query, [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {query}")]))
    assert found, queries
    return found


ALLOWED = re.compile(
    r"""SEARCH\ entries\ USING\ INDEX\ entries_(said|events)\ \(conversation=\?.*\)
    | SEARCH\ entries\ USING\ COVERING\ INDEX\ entries_time\ \(time[<>]\?\)
    | SEARCH\ entries\ USING\ INDEX\ entries_key\ \(key=\?\)
    | MULTI-INDEX\ OR|INDEX\ [12]|SEARCH\ entries\ USING\ INDEX\ entries_foreign\ \(run=\?(\ AND\ rowid>\?)?\)
    | SEARCH\ entries\ USING\ INTEGER\ PRIMARY\ KEY\ \(rowid=\?\)|SCALAR\ SUBQUERY\ 1
    | SEARCH\ correspondence\ USING\ PRIMARY\ KEY\ \(account=\?\)
    | MERGE\ \(UNION\ ALL\)|LEFT|RIGHT""",
    re.VERBOSE,
)
ALLOWED_TO = {
    "state": {"SCAN entries USING INDEX entries_state"},
    "keyed": {"SEARCH entries USING INDEX entries_keyed (time>?)"},
    "last": {"SCAN entries"},  # by its number, LIMIT 1
    "began": {"SCAN entries"},
    "latest of its kind": {"SCAN latest"},
    "forget": {"SCAN latest", "SEARCH latest USING PRIMARY KEY (sender=?)"},
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_log_is_read_by_its_indexes(disk, name):
    """Nothing is scanned or sorted, but for what is wanted whole."""
    found = plans(lambda: QUESTIONS[name](disk), disk.history._database, disk.log._database)
    for query, steps in found:
        for step in steps:
            near = step == "SEARCH entries USING INTEGER PRIMARY KEY (rowid>?)" and "seq % 64 = 0" in query
            assert near or ALLOWED.fullmatch(step) or step in ALLOWED_TO.get(name, ()), (query, steps)
            if step == "SCAN entries":
                assert query.endswith((" ORDER BY seq DESC LIMIT 1", " ORDER BY seq LIMIT 1"))


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_goes_from_the_index_to_the_log(disk, name):
    found = plans(lambda: disk.index._find(SEARCHES[name]), disk.index._database())
    ((query, steps),) = [(query, steps) for query, steps in found if "allowed" in query]
    assert not [step for step in steps if "TEMP B-TREE" in step], steps
    assert "SCAN entries" not in steps, (query, steps)
    at = next(i for i, step in enumerate(steps) if step.startswith(("SCAN lines", "SEARCH entries")))
    if SEARCHES[name].text.startswith("needle"):
        assert steps[at].startswith("SCAN lines VIRTUAL TABLE"), steps
        assert steps[at + 1] == "SEARCH entries USING INTEGER PRIMARY KEY (rowid=?)"
    else:
        assert steps[at].startswith("SEARCH entries USING INDEX entries_said (conversation=?"), steps


def test_a_short_word_everywhere_is_looked_for_line_by_line(disk):
    """The newest first, and for as long as a search may take; still nothing is sorted."""
    found = plans(lambda: disk.index._find(Search(ALICE, "xy", 5)), disk.index._database())
    ((_, steps),) = [(query, steps) for query, steps in found if "allowed" in query]
    assert "SCAN entries" in steps
    assert not [step for step in steps if "TEMP B-TREE" in step]


def work(database, ask):
    """How many of SQLite's instructions an answer takes, to the nearest ten."""
    counted = [0]

    def count():
        counted[0] += 10
        return 0

    database.set_progress_handler(count, 10)
    try:
        ask()
    finally:
        database.set_progress_handler(None, 0)
    return counted[0]


def test_a_page_costs_the_same_in_a_log_thirty_times_as_long(tmp_path):
    """Counted in SQLite's instructions: no clock says so."""
    costs = []
    for count in (1000, 30_000):
        folder = tmp_path / str(count)
        folder.mkdir()
        with closing(OnDisk(folder)) as disk:
            fill(disk, count)
            middle = Place(f"id-{count // 6 * 3 + 1:x}")
            moment = Place(time=START + count // 2)
            asked = [
                Page(Scope("#x"), 50, newest=True),
                Page(Scope("#x"), 50, before=middle, newest=True),
                Page(Scope("#x"), 50, before=moment, newest=True),
                Page(Scope("#x"), 50, around=moment, events=True),
                Page(Scope("#x", 5, START + 9), 50, after=moment),
            ]
            costs.append([work(disk.history._database, lambda page=page: disk.page(page)) for page in asked])
            costs[-1].append(work(disk.history._database, lambda: disk.targets(Targets(ALICE, 0, 2**53, 50))))
            costs[-1].append(work(disk.history._database, lambda: disk.missed(Missed(ALICE, 0, 50))))
    for small, large in zip(*costs, strict=True):
        assert large <= small * 1.1 + 20, costs
