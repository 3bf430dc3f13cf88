"""The contract of `storage.history.History`, and of what it needs of the log, for every store there is."""

from __future__ import annotations

import random
from contextlib import closing

import pytest
from helpers.archive import START, Archive, OnDisk, reader
from helpers.memory import MemoryLog

from securechat.records import Draft, Kind, Lookup, Missed, Page, Place, Scope, Search, Targets
from securechat.storage.history import UnknownPlace
from securechat.storage.log import LogError

X = Scope("#x")
ALICE = reader("alice", "#x")


@pytest.fixture(params=["sqlite", "memory"])
def store(request, tmp_path):
    made = OnDisk(tmp_path) if request.param == "sqlite" else MemoryLog()
    yield made
    made.close()


@pytest.fixture
def archive(store):
    return Archive(store)


@pytest.fixture
def ten(archive):
    """Ten messages in #x, ten ms apart, with others in between; their texts are their numbers from 0."""
    said = []
    for number in range(10):
        archive.say("elsewhere", "#y", later=5)
        said.append(archive.say(str(number), later=5))
    return said


@pytest.fixture
def page(store):
    """Texts of a page as one string, and a + where there is more."""

    def ask(limit=100, scope=X, **fields):
        found = store.page(Page(scope, limit, **fields))
        return " ".join(entry.text for entry in found.entries) + ("" if found.complete else " +")

    return ask


class TestPage:
    def test_of_nothing(self, page):
        assert page() == page(newest=True) == page(around=Place(time=START)) == ""
        assert page(after=Place(time=START), before=Place(time=0)) == ""

    def test_latest(self, page, ten):
        assert page(3, newest=True) == "7 8 9 +"
        assert page(10, newest=True) == page(11, newest=True) == "0 1 2 3 4 5 6 7 8 9"
        assert page(3, newest=True, after=Place(ten[7].msgid)) == "8 9"
        assert page(1, newest=True, after=Place(ten[7].msgid)) == "9 +"

    @pytest.mark.parametrize("by", ["msgid", "time"])
    def test_before_and_after(self, page, ten, by):
        def at(number):
            return Place(ten[number].msgid) if by == "msgid" else Place(time=ten[number].time)

        assert page(3, newest=True, before=at(5)) == "2 3 4 +"
        assert page(3, newest=True, before=at(3)) == "0 1 2"
        assert page(3, newest=True, before=at(0)) == ""
        assert page(3, after=at(5)) == "6 7 8 +"
        assert page(3, after=at(6)) == "7 8 9"
        assert page(3, after=at(9)) == ""

    @pytest.mark.parametrize("by", ["msgid", "time"])
    def test_around(self, page, ten, by):
        def at(number):
            return Place(ten[number].msgid) if by == "msgid" else Place(time=ten[number].time)

        assert page(1, around=at(5)) == "5 +"
        assert page(4, around=at(5)) == "3 4 5 6 +"
        assert page(5, around=at(5)) == "3 4 5 6 7 +"
        assert page(5, around=at(0)) == "0 1 2 3 4 +"
        assert page(20, around=at(9)) == page(20, around=at(0)) == "0 1 2 3 4 5 6 7 8 9"

    @pytest.mark.parametrize("by", ["msgid", "time"])
    def test_between(self, page, ten, by):
        def at(number):
            return Place(ten[number].msgid) if by == "msgid" else Place(time=ten[number].time)

        assert page(2, after=at(2), before=at(7)) == "3 4 +"
        assert page(9, after=at(2), before=at(7)) == "3 4 5 6"
        assert page(2, after=at(7), before=at(2)) == "5 6 +"
        assert page(2, after=at(7), before=at(2), newest=True) == "3 4 +"
        assert page(9, after=at(5), before=at(5)) == page(9, after=at(5), before=at(6)) == ""

    def test_moments_between_messages(self, page, ten):
        middle = Place(time=ten[5].time + 2)
        assert page(2, after=middle) == "6 7 +"
        assert page(2, newest=True, before=middle) == "4 5 +"
        assert page(2, around=middle) == "5 6 +"
        assert page(9, after=middle, before=Place(time=ten[5].time + 3)) == ""
        assert page(2, after=Place(time=ten[8].time - 1), before=middle) == "6 7"

    @pytest.mark.parametrize("moment", [-(2**53), 0, START - 1, START * 2, 2**53])
    def test_moments_before_and_after_everything(self, page, ten, moment):
        everything, place = "0 1 2 3 4 5 6 7 8 9", Place(time=moment)
        early = moment < START
        assert page(after=place) == (everything if early else "")
        assert page(before=place, newest=True) == ("" if early else everything)
        assert page(4, around=place) == ("0 1 2 3 +" if early else "8 9 +")
        assert page(after=place, before=Place(time=2**53 - moment)) == everything * (moment != START * 2)

    def test_several_in_one_millisecond(self, page, archive):
        said = [archive.say(str(number), later=number % 4 == 0) for number in range(12)]
        at = Place(time=said[5].time)
        assert page(after=at) == "8 9 10 11"
        assert page(before=at, newest=True) == "0 1 2 3"
        assert page(2, around=at) == "3 4 +"
        assert page(after=Place(said[5].msgid)) == "6 7 8 9 10 11"
        assert page(after=Place(said[4].msgid), before=Place(said[7].msgid)) == "5 6"
        assert page(after=Place(said[7].msgid), before=Place(said[4].msgid)) == "5 6"
        assert page(1, after=Place(said[7].msgid), before=Place(said[4].msgid)) == "6 +"
        assert page(after=Place(said[5].msgid), before=at) == page(after=at, before=Place(said[5].msgid)) == ""

    def test_messages_that_are_not_there(self, store, archive, page, ten):
        elsewhere = archive.say("elsewhere", "#y")
        for place in (Place("nothing"), Place(elsewhere.msgid), Place("id-1' OR '1")):
            for fields in ({"after": place}, {"before": place}, {"around": place}, {"after": Place(time=0)}):
                with pytest.raises(UnknownPlace):
                    store.page(Page(X, 1, **{"before": place, **fields}))
                with pytest.raises(UnknownPlace):
                    store.page(Page(Scope("#empty"), 1, **{"before": place, **fields}))

    def test_floors(self, store, page, ten):
        for floor in (Scope("#x", ten[4].seq), Scope("#x", 0, ten[4].time), Scope("#x", 1, ten[3].time + 1)):
            assert page(scope=floor) == page(scope=floor, newest=True) == "4 5 6 7 8 9"
            assert page(9, floor, before=Place(ten[6].msgid), newest=True) == "4 5"
            assert page(4, floor, around=Place(ten[4].msgid)) == "4 5 6 7 +"
            assert page(2, floor, around=Place(time=0)) == "4 5 +"
            assert page(3, floor, after=Place(time=0)) == "4 5 6 +"
            assert page(9, floor, after=Place(time=0), before=Place(ten[6].msgid)) == "4 5"
            for place in (Place(ten[3].msgid), Place(ten[0].msgid)):
                with pytest.raises(UnknownPlace):
                    store.page(Page(floor, 9, after=place))
        for above in (Scope("#x", 1000), Scope("#x", 0, START * 2)):
            assert page(scope=above) == page(scope=above, around=Place(time=0)) == ""
            assert page(scope=above, after=Place(time=0), before=Place(time=START * 3)) == ""

    def test_events_and_reactions_are_asked_for(self, page, archive):
        archive.append(Draft(Kind.CREATE, "#x", "bob", "create"), Draft(Kind.JOIN, "#x", "bob", "join"))
        archive.say("said")
        archive.append(Draft(Kind.TAGMSG, "#x", "bob", "react", "+draft/react=x"))
        archive.append(Draft(Kind.TOPIC, "#x", "bob", "topic"), Draft(Kind.INVITE, "#x", "bob", "carol"))
        archive.append(Draft(Kind.NOTICE, "#x", "bob", "noticed"), Draft(Kind.PART, "#x", "bob", "part"))
        archive.say("\x01PING x\x01")
        assert page() == page(newest=True) == "said noticed"
        assert page(events=True) == "join said react topic noticed part"
        assert page(3, newest=True, events=True) == "topic noticed part +"
        assert page(3, events=True) == "join said react +"

    def test_what_was_taken_back_is_asked_for(self, page, archive, ten):
        archive.redact(ten[2], "sorry")
        assert page(3) == "0 1 3 +"
        assert page(3, redacted=True) == "0 1  +"
        assert page(2, newest=True, redacted=True) == f"9 {ten[2].msgid} sorry +"
        assert page(2, after=Place(ten[2].msgid)) == "3 4 +"  # it still is a place

    def test_at_least_one_whatever_its_size(self, tmp_path):
        with closing(OnDisk(tmp_path, most_bytes=100)) as disk:
            archive = Archive(disk)
            for text in ("a" * 500, "b", "ж" * 40, "c", "d" * 90):
                archive.say(text)
            for fields, wanted in (({}, 1), ({"newest": True}, 2), ({"after": Place("id-1")}, 3)):
                found = disk.page(Page(X, 100, **fields))
                assert (len(found.entries), found.complete) == (wanted, False), fields


class TestTargets:
    @pytest.fixture
    def some(self, archive):
        archive.say("1", "#x")
        archive.say("2", "alice", "bob")
        archive.say("3", "#y")
        archive.say("4", "carol", "alice")
        archive.say("5", "carol", "bob")
        archive.append(Draft(Kind.JOIN, "#x", "dave"))
        archive.say("7", "alice", "alice")

    def test_conversations_by_their_newest_message(self, store, some):
        def targets(first, last, limit=10, who=ALICE):
            return [(where, time - START) for where, time in store.targets(Targets(who, first, last, limit))]

        wanted = [("#x", 1), ("alice bob", 2), ("alice carol", 4), ("alice alice", 7)]
        assert targets(0, 2**53) == targets(2**53, 0) == wanted
        assert targets(0, 2**53, 2) == wanted[:2]
        assert targets(2**53, 0, 2) == wanted[2:]
        assert targets(START + 1, START + 7) == wanted[1:3]  # both ends excluded
        assert targets(START + 4, START + 4) == []
        assert targets(0, 2**53, who=reader("alice", since=START + 3)) == wanted[2:]
        assert targets(0, 2**53, who=reader("alice", Scope("#x", 2), since=START + 5)) == wanted[3:]

    def test_a_reaction_counts_and_what_was_taken_back_does_not(self, store, archive):
        said = archive.say("1")
        archive.append(Draft(Kind.TAGMSG, "#x", "bob", "", "+draft/react=x"))
        gone = archive.say("3")
        archive.redact(gone)
        question = Targets(reader("alice", "#x"), 0, 2**53, 9)
        assert store.targets(question) == [("#x", said.time + 1)]


def test_missed(store, archive):
    one = archive.say("1")
    archive.say("2", "alice", "bob")
    archive.say("3", "#y")
    archive.append(Draft(Kind.TAGMSG, "#x", "bob", "react"), Draft(Kind.JOIN, "#x", "bob", "join"))
    archive.say("6", "bob", "alice")
    archive.redact(archive.say("7"))
    archive.say("9")

    def missed(seq, limit=10, who=ALICE):
        found = store.missed(Missed(who, seq, limit))
        return " ".join(entry.text for entry in found.entries) + ("" if found.complete else " +")

    assert missed(0) == missed(0, 4) == "1 2 6 9"
    assert missed(one.seq) == "2 6 9"
    assert missed(0, 3) == "2 6 9 +"
    assert missed(archive.seq) == missed(1000) == ""
    assert missed(0, who=reader("alice", Scope("#x", 2), since=START + 5)) == "6 9"
    assert missed(0, who=reader("nobody")) == ""


class TestSingleEntries:
    def test_lookup(self, store, archive):
        one = archive.say("1", key="k")
        other = archive.say("2", "alice", "bob", key="k2")
        assert store.lookup(Lookup(one.msgid)) == one
        assert store.lookup(Lookup("nothing")) is None
        assert store.lookup(Lookup(sender="bob", key="k2")) == other
        assert store.lookup(Lookup(sender="Bob", key="k2")) is None
        assert store.lookup(Lookup(sender="bob", key="")) is store.lookup(Lookup()) is None
        newer = archive.say("3", key="k")
        assert store.lookup(Lookup(sender="bob", key="k")) == newer

    def test_number(self, store, archive):
        assert store.number("#x") == 0
        for wanted in (1, 2):
            archive.append(Draft(Kind.JOIN, "#x", "bob"))
            assert archive.say("x").number == store.number("#x") == wanted
        archive.redact(archive.say("x"))
        assert store.number("#x") == 4
        assert archive.say("x", "alice", "bob").number == store.number("alice bob") == 1
        assert store.number("#y") == store.number("") == 0

    def test_keyed(self, store, archive):
        keyed = []
        for number in range(6):
            archive.say("none")
            keyed.append(archive.say("x", key=f"k{number}", later=number % 2))
        assert store.keyed(0, 100) == keyed
        assert store.keyed(0, 2) == keyed[4:]
        assert store.keyed(keyed[3].time, 100) == [one for one in keyed if one.time >= keyed[3].time]
        assert store.keyed(archive.now + 1, 100) == store.keyed(0, 0) == []

    def test_a_turn_that_failed_leaves_nothing(self, store, archive):
        """Not its pair, its mark, or what it took back."""
        said = archive.say("x", key="k")
        drafts = [
            Draft(Kind.PRIVMSG, "alice", "bob", "lost", "", "lost"), Draft(Kind.MARK, "#x", "bob", "5"),
            Draft(Kind.REDACT, "#x", "bob", said.msgid), Draft(Kind.FORGET, "bob", ""),
        ]  # fmt: skip
        entries = [archive.place(draft) for draft in drafts]
        with pytest.raises(LogError):
            store.append([*entries, said._replace(run="other")])
        assert store.lookup(Lookup(said.msgid)) == said
        assert list(store.latest()) == []
        assert store.keyed(0, 9) == [said]
        assert store.number("alice bob") == 0
        assert store.targets(Targets(reader("alice"), 0, 2**53, 9)) == []
        store.append(entries)
        assert store.targets(Targets(reader("alice"), 0, 2**53, 9)) == [("alice bob", entries[0].time)]


class TestLatest:
    def test_the_newest_takes_the_place_of_the_one_before(self, store, archive):
        for read in ("1", "2"):
            archive.append(Draft(Kind.MARK, "#x", "bob", read), Draft(Kind.MARK, "#x", "alice", read * 3))
            archive.append(Draft(Kind.SEEN, "#x", "bob", read * 2), Draft(Kind.MARK, "alice", "bob", read * 4))
        wanted = {(40, "#x", "bob", "2"), (40, "#x", "alice", "222"), (41, "#x", "bob", "22"),
                  (40, "alice", "bob", "2222")}  # fmt: skip
        assert {draft[:4] for draft in store.latest()} == wanted
        assert all(isinstance(draft, Draft) and isinstance(draft.kind, Kind) for draft in store.latest())
        assert store.last() is None

    def test_twice_in_one_turn(self, store, archive):
        archive.append(Draft(Kind.MARK, "#x", "bob", "1"), Draft(Kind.MARK, "#x", "bob", "2"))
        assert [draft.text for draft in store.latest()] == ["2"]

    def test_an_empty_text_ends_it(self, store, archive):
        archive.append(Draft(Kind.SEEN, "phone", "bob", "1"), Draft(Kind.SEEN, "", "bob", "2"))
        archive.append(Draft(Kind.SEEN, "phone", "bob"), Draft(Kind.SEEN, "nothing", "bob"))
        assert [draft[:4] for draft in store.latest()] == [(Kind.SEEN, "", "bob", "2")]


class TestRedact:
    def test_it_empties_the_message(self, store, archive):
        said = archive.say("secret", "alice", "bob", tags="+x=secret", key="k")
        archive.redact(said, "why not")
        gone = said._replace(kind=Kind.REDACTED, text="", tags="")
        assert store.lookup(Lookup(said.msgid)) == gone
        assert store.lookup(Lookup(sender="bob", key="k")) == gone
        assert store.missed(Missed(reader("alice"), 0, 9)).entries == []
        assert store.number("alice bob") == 2

    def test_one_of_the_same_turn(self, store, archive):
        said, _ = archive.append(
            Draft(Kind.PRIVMSG, "#x", "bob", "secret"),
            Draft(Kind.REDACT, "#x", "bob", f"id-{archive.seq + 1:x} why"),
        )
        assert store.lookup(Lookup(said.msgid)) == said._replace(kind=Kind.REDACTED, text="")

    def test_what_is_no_message_stays(self, store, archive):
        joined = archive.append(Draft(Kind.JOIN, "#x", "bob", "bob"))[0]
        archive.redact(joined)
        archive.append(Draft(Kind.REDACT, "#x", "bob", "nothing"))
        assert store.lookup(Lookup(joined.msgid)) == joined

    def test_a_reaction(self, store, archive):
        react = archive.append(Draft(Kind.TAGMSG, "#x", "bob", "", "+draft/react=x"))[0]
        archive.redact(react)
        assert store.lookup(Lookup(react.msgid)) == react._replace(kind=Kind.REDACTED, tags="")


class TestForget:
    """Whoever gets the name next has not been anywhere and has spoken to nobody."""

    def targets(self, store, name):
        return [where for where, _ in store.targets(Targets(reader(name), 0, 2**53, 9))]

    def test_marks_and_conversations(self, store, archive):
        archive.say("x", "alice", "bob")
        archive.append(Draft(Kind.MARK, "#x", "bob", "1"), Draft(Kind.MARK, "bob", "alice", "1"))
        archive.append(Draft(Kind.FORGET, "bob", ""))
        assert [draft.sender for draft in store.latest()] == ["alice"]
        assert self.targets(store, "bob") == []
        assert self.targets(store, "alice") == ["alice bob"]
        archive.say("x", "alice", "bob")
        assert self.targets(store, "bob") == self.targets(store, "alice") == ["alice bob"]

    def test_in_one_turn_with_what_was_said_before_and_after(self, store, archive):
        message = Draft(Kind.PRIVMSG, "alice", "bob", "x")
        mark, forget = Draft(Kind.MARK, "#x", "bob", "1"), Draft(Kind.FORGET, "bob", "")
        archive.append(message, mark, forget)
        assert self.targets(store, "bob") == list(store.latest()) == []
        assert self.targets(store, "alice") == ["alice bob"]
        archive.append(forget, message, mark)
        assert self.targets(store, "bob") == ["alice bob"]
        assert len(list(store.latest())) == 1
        archive.append(message, forget, Draft(Kind.PRIVMSG, "carol", "bob", "x"), forget, message)
        assert self.targets(store, "bob") == ["alice bob"]
        assert self.targets(store, "carol") == ["bob carol"]


class TestSearch:
    def test_words_and_what_may_be_read(self, store, archive):
        archive.say("Первый needle")
        archive.say("второй needle", "#y")
        archive.say("третий needle", "alice", "bob")
        gone = archive.say("needle gone")
        archive.redact(gone)

        def find(text, who=ALICE, limit=9, **narrow):
            return [entry.seq for entry in store.search(Search(who, text, limit, **narrow)).entries]

        assert find("needle") == [1, 3]
        assert find("ПЕРВЫЙ dle") == find("ПЕ") == [1]
        assert find("needle", limit=1) == [3]
        assert find("needle", limit=1, after=0) == [1]
        assert find("needle", conversation="#x", sender="bob") == [1]
        assert find("needle", before=START + 2) == [1]
        assert find("needle", reader("alice", Scope("#x", 2), since=START + 4)) == []


WORDS = ["apple", "Яблоко", "pear", "a", "я", "xy", "100%", '"quoted"']
PEOPLE = ["alice", "bob", "carol", "dave"]
PLACES = ["#x", "#y", *PEOPLE, "*"]


def random_draft(dice: random.Random, archive: Archive) -> Draft:
    sender, target = dice.choice(PEOPLE), dice.choice(PLACES)
    kind = dice.choices(
        [Kind.PRIVMSG, Kind.NOTICE, Kind.TAGMSG, Kind.JOIN, Kind.TOPIC, Kind.REDACT, Kind.FORGET, Kind.MARK,
         Kind.SEEN, Kind.ONLINE], [30, 5, 4, 4, 2, 6, 1, 3, 3, 2])[0]  # fmt: skip
    text = " ".join(dice.choices(WORDS, k=dice.randint(1, 3)))
    if kind in (Kind.JOIN, Kind.TOPIC):
        target = dice.choice(["#x", "#y"])
    if kind is Kind.REDACT:
        text = f"id-{dice.randint(1, archive.seq + 2)}" + dice.choice(["", " why"])
    if kind is Kind.FORGET:
        target = dice.choice(PEOPLE)
    if kind in (Kind.MARK, Kind.SEEN):
        text = dice.choice(["", "1", "22"])
    key = f"k{dice.randint(0, 20)}" if kind is Kind.PRIVMSG and dice.random() < 0.3 else ""
    return Draft(kind, target, sender, "" if kind is Kind.TAGMSG else text, "", key)


def random_question(dice: random.Random, archive: Archive):
    def moment():
        return dice.randint(START - 2, archive.now + 2)

    def place():
        seq = dice.randint(1, archive.seq + 1)
        return dice.choice([None, Place(time=moment()), Place(f"id-{seq}"), Place(f"id-{seq}")])

    def floors():
        return dice.choice([(0, 0), (0, 0), (dice.randint(0, archive.seq + 1), 0), (0, moment())])

    channels = [Scope(name, *floors()) for name in dice.sample(["#x", "#y"], dice.randint(0, 2))]
    who = reader(dice.choice(PEOPLE), *channels, since=dice.choice([0, moment()]))
    limit, flags = dice.randint(1, 12), [dice.random() < 0.5 for _ in range(3)]
    where = dice.choice(["#x", "#x", "#y", "alice bob", "carol carol", "#none"])
    scope = Scope(where, *floors())
    text = " ".join(dice.sample([*WORDS, "PPL", "БЛО", "nothing"], dice.randint(0, 2)))
    return dice.choice([
        Page(scope, limit, place(), place(), flags[0], None, *flags[1:]),
        Page(scope, limit, place(), place(), flags[0], None, *flags[1:]),
        Page(scope, limit, None, None, flags[0], place(), *flags[1:]),
        Targets(who, moment(), moment(), limit),
        Missed(who, dice.randint(0, archive.seq + 1), limit),
        Lookup(f"id-{dice.randint(1, archive.seq + 1)}"),
        Lookup(sender=dice.choice(PEOPLE), key=f"k{dice.randint(0, 21)}"),
        Search(who, text, limit, dice.choice(["", where]), dice.choice(["", *PEOPLE]),
               dice.choice([None, moment()]), dice.choice([None, moment()])),
    ])  # fmt: skip


def answer(store, question):
    table = {Page: "page", Targets: "targets", Missed: "missed", Lookup: "lookup", Search: "search"}
    try:
        return getattr(store, table[type(question)])(question)
    except UnknownPlace:
        return UnknownPlace


@pytest.mark.parametrize("seed", range(12))
def test_all_stores_answer_alike(tmp_path, seed):
    """Random logs and random questions: the plainest implementation says what is right."""
    dice = random.Random(seed)
    plain = MemoryLog()
    with closing(OnDisk(tmp_path)) as disk:
        archive = Archive(plain, disk)
        for _ in range(15):
            archive.append(
                *(random_draft(dice, archive) for _ in range(dice.randint(1, 12))), later=dice.randint(0, 2)
            )
            for _ in range(40):
                question = random_question(dice, archive)
                assert answer(disk, question) == answer(plain, question), question
            assert sorted(disk.latest()) == sorted(plain.latest())
            assert (disk.last(), disk.began()) == (plain.last(), plain.began())
            assert list(disk.state()) == list(plain.state())
            since, limit = dice.randint(START, archive.now), dice.randint(0, 20)
            assert disk.keyed(since, limit) == plain.keyed(since, limit)
            for where in ("#x", "#y", "alice bob", "carol carol", ""):
                assert disk.number(where) == plain.number(where)
