"""Finding entries by msgid and by moment, with no index that has all of them."""

from __future__ import annotations

from contextlib import closing

import pytest
from helpers.archive import MOST_BYTES, START, Archive, OnDisk
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.records import Draft, Entry, Kind, Lookup, Page, Place, Scope, run_of
from securechat.storage.finding import by_msgid, since
from securechat.storage.history import SqliteHistory, UnknownPlace
from securechat.storage.retention import Pruning

NUMBERS = st.integers(1, 2**63 - 1) | st.integers(1, 40)
RUNS = st.sampled_from(["", "id", "a-1", "~", "~x", "~~x-5", "я", "-", "--"]) | st.text("a1-~я", max_size=6)
MSGIDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.builds(
    lambda run, number, form: f"{run}-{number:{form}}", RUNS, NUMBERS, st.sampled_from(["x", "d", "X", "016x"])
)


@given(MSGIDS, NUMBERS)
def test_every_msgid_comes_back(msgid, seq):
    """Whoever has given it, and whatever number the entry has."""
    assert Entry(seq, run_of(msgid, seq), 0, Kind.PRIVMSG, "#x", "bob").msgid == msgid


@given(MSGIDS, NUMBERS)
def test_it_is_found_where_it_is_kept_and_nowhere_else(msgid, seq):
    """The values of the condition name the entry's own row, and of no other."""
    wanted, run, foreign = by_msgid(msgid)
    kept = run_of(msgid, seq)
    assert foreign == "~" + msgid
    assert ((seq, kept) == (wanted, run)) is (not kept.startswith("~"))
    assert wanted == 0 or f"{run}-{wanted:x}" == msgid


def test_what_has_no_msgid():
    """Ephemeral entries, and the place of what was taken back."""
    assert Entry(0, "", 0, Kind.AWAY, "", "bob").msgid == ""
    assert Entry(5, "", 0, Kind.REDACT, "#x", "bob").msgid == ""


@pytest.fixture
def disk(tmp_path):
    with closing(OnDisk(tmp_path)) as store:
        yield store


FOREIGN = [
    "other-1",
    "x",
    "id-3",
    "id-0a",
    "~",
    "~id-5",
    "id-A",
    "я-7",
    "-8",
    "id-" + "f" * 40,
    "id-0_c",
    "id-0xb",
]


def test_msgids_from_elsewhere(disk):
    """Found like our own: looked up, as a place, and to be taken back."""
    archive, said = Archive(disk), []
    for msgid in FOREIGN:
        entry = archive.place(Draft(Kind.PRIVMSG, "#x", "bob", msgid))
        said.append(entry._replace(run=run_of(msgid, entry.seq)))
    disk.append(said)
    assert [entry.msgid for entry in said] == FOREIGN
    for index, entry in enumerate(said):
        assert disk.lookup(Lookup(entry.msgid)) == entry
        assert disk.log.has(entry.msgid)
        page = disk.page(Page(Scope("#x"), 99, after=Place(entry.msgid)))
        assert page.entries == said[index + 1 :]
    for other in ("id-1", "id-2", "other-2", "~x", "id-a", "я", "", "-", "id-", "~other-1"):
        assert not disk.log.has(other)
        assert disk.lookup(Lookup(other or "-")) is None
        with pytest.raises(UnknownPlace):
            disk.page(Page(Scope("#x"), 99, after=Place(other or "-")))
    for entry in said:
        archive.redact(entry)
        assert disk.lookup(Lookup(entry.msgid)) == entry._replace(kind=Kind.REDACTED, text="")
    assert disk.log._database.execute("SELECT count(*) FROM entries WHERE kind = 5").fetchone() == (len(FOREIGN),)


def brute(disk, moment):
    query = "SELECT min(seq) FROM entries WHERE time >= ?"
    return disk.log._database.execute(query, (moment,)).fetchone()[0]


def check(disk, moments):
    for moment in moments:
        assert since(disk.history._database, moment) == brute(disk, moment)


@settings(max_examples=40)
@given(
    steps=st.lists(st.sampled_from([0, 0, 0, 1, 1000]), max_size=400),
    gap=st.integers(0, 200),
    days=st.integers(0, 9),
)
def test_the_first_entry_from_a_moment_on(tmp_path_factory, steps, gap, days):
    """With many at one moment, gaps in the numbers, and some that were let go."""
    folder = tmp_path_factory.mktemp("log")
    with closing(OnDisk(folder)) as disk:
        archive = Archive(disk)
        for half in (steps[::2], steps[1::2]):
            kinds = [Kind.JOIN if number % 7 == 0 else Kind.PRIVMSG for number in range(len(half))]
            drafts = [Draft(kind, "#x", "bob", "x") for kind in kinds]
            disk.append([archive.place(draft, later=later) for draft, later in zip(drafts, half, strict=True)])
            archive.seq += gap
        around = sorted({0, START, archive.now, archive.now + 1, *range(START, archive.now + 1, 500)})
        check(disk, [*around, *(moment + 1 for moment in around)])
        with Pruning(folder / "chat.db", START + 10_000 * days) as pruning:
            before = disk.log._database.execute(
                "SELECT max(seq) FROM entries WHERE time < ?", (START + 10_000 * days,)
            ).fetchone()[0]
            assert pruning.upto == (before or 0)
            while pruning.step():
                pass
        check(disk, around)


def test_a_clock_that_is_set_back(disk, tmp_path):
    """Its moment lasts until it has caught up (see the sequencer), and all who share it are found."""
    archive = Archive(disk)
    first = archive.say("before")
    same = [archive.say("same", later=0) for _ in range(300)]
    after = archive.say("after")
    with closing(SqliteHistory(tmp_path / "chat.db", MOST_BYTES)) as history:

        def page(**places):
            return history.page(Page(Scope("#x"), 999, **places)).entries

        assert page(before=Place(time=first.time)) == []
        assert page(after=Place(time=first.time)) == [after]
        assert page(before=Place(time=after.time)) == [first, *same]
        assert page(after=Place(time=first.time - 1)) == [first, *same, after]
        assert page(after=Place(time=after.time)) == page(before=Place(time=0)) == []
