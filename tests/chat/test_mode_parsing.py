"""What a MODE command asks for, how that is written and what it does: whatever anybody says."""

from __future__ import annotations

from helpers.house import NAMES, House, account
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.chat import modes
from securechat.chat.modes import Change, Query, Refusal
from securechat.chat.people import Channel, Member, Person

NAMED = ("bob", "carol", "Иван")
WORDS = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=12)
PARAMS = st.lists(st.one_of(WORDS, st.sampled_from([*NAMED, "7", "007", "a!b@c", "*"])), min_size=1, max_size=14)
SIGNS = st.text(st.sampled_from("+-IbeiklmnostvZ"), max_size=14)


def channel_of(names):
    channel = Channel("#x", "#x", "bob", 0)
    for name in names:
        channel.members[name.lower()] = Member(Person(name, name.lower()), 0)
    return channel


@settings(max_examples=60)
@given(st.one_of(PARAMS, st.builds(lambda signs, rest: [signs, *rest], SIGNS, PARAMS)))
def test_reading_never_raises_and_stays_within_the_limit(params):
    found = list(modes.read(params))
    assert sum(bool(item.param) for item in found if isinstance(item, Change)) <= modes.MAX_CHANGES
    for item in found:
        assert isinstance(item, Change | Query | Refusal)
        if isinstance(item, Change) and item.letter not in "ov":
            assert not set(item.param) & set(" ,"), item


@settings(max_examples=60)
@given(SIGNS, st.lists(st.sampled_from([*NAMED, "7", "key", "a!b@c"]), max_size=8))
def test_what_is_written_reads_as_what_it_was(signs, words):
    changes = [item for item in modes.read([signs, *words]) if isinstance(item, Change)]
    if not changes:
        return
    text = modes.write(changes)
    assert list(modes.read(text.split(" "))) == changes
    one, other = channel_of(NAMED), channel_of(NAMED)
    modes.apply(one, text, "bob", 5)
    for change in changes:
        modes.apply(other, modes.write([change]), "bob", 5)
    assert modes.shown(one, member=True) == modes.shown(other, member=True)
    assert one.lists == other.lists
    assert [member.ranks for member in one.members.values()] == [m.ranks for m in other.members.values()]


@settings(max_examples=60)
@given(SIGNS, PARAMS)
def test_whatever_is_asked_for_survives_a_restart(signs, words):
    house = House()
    bob = house.login("bob")
    bob.say("JOIN #x")
    middle = [word.replace(" ", "").lstrip(":") or "x" for word in words]
    bob.say(f"MODE #x {signs or '+'} {' '.join(middle)}")
    before = house.hub.channels["#x"]
    after = house.fresh_hub([account(name) for name in NAMES]).channels["#x"]
    for part in ("flags", "password", "limit", "lists"):
        assert getattr(after, part) == getattr(before, part)
    assert after.members["bob"].ranks == before.members["bob"].ranks


def test_every_letter_of_the_table_is_one_sort_and_has_a_meaning():
    assert "".join(sorted(modes.TABLE)) == "HIbeiklmnostv"
    assert sorted("".join(modes.letters(sort) for sort in modes.Sort)) == sorted(modes.TABLE)
    assert all(mode.meaning for mode in modes.TABLE.values())
