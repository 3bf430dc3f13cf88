"""How a turn's lines are joined, and that joining never changes what anybody reads or in which order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from securechat.chat.effects import Fanout, Reply
from securechat.chat.people import Audience, Session
from securechat.server.outgoing import PIECE, Outgoing, join


def sessions(count: int, lanes: int = 1) -> list[Session]:
    return [Session(f"link-{number}", number % lanes) for number in range(count)]


def read(out: Outgoing) -> dict[str, bytes]:
    """What each link reads in the end."""
    got: dict[str, bytes] = {}
    for _, turn in out.turns():
        for links, pieces in turn.sends:
            for link in links:
                got[link] = got.get(link, b"") + b"".join(pieces)
    return got


def test_lines_for_one_audience_leave_as_one_piece():
    everybody = Audience(sessions(3))
    out = Outgoing(1)
    for number in range(5):
        out.add(Fanout(everybody, {0: b"line %d\r\n" % number}))
    ((_, turn),) = out.turns()
    assert turn.sends == [(("link-0", "link-1", "link-2"), [b"".join(b"line %d\r\n" % n for n in range(5))])]


def test_a_reply_is_not_overtaken():
    one, two = people = sessions(2)
    audience, out = Audience(people), Outgoing(1)
    out.add(Fanout(audience, {0: b"a\r\n"}))
    out.reply(Reply(one, b"reply\r\n"))
    out.add(Fanout(audience, {0: b"b\r\n"}))
    assert read(out) == {one.link: b"a\r\nreply\r\nb\r\n", two.link: b"a\r\nb\r\n"}


ACTIONS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.booleans()), max_size=60)


@given(ACTIONS, st.integers(1, 3))
def test_everybody_reads_what_was_said_to_them_in_each_channels_order(actions, lanes):
    people = sessions(6, lanes)
    channels = [Audience(people), Audience(people[:3]), Audience(people[2:]), Audience(people[::2])]
    members = [people, people[:3], people[2:], people[::2]]
    out, expected = Outgoing(lanes), {(person.link, channel): [] for person in people for channel in range(5)}
    for number, (channel, sender, is_reply) in enumerate(actions):
        line = b"%d %d\r\n" % (channel, number)
        if is_reply:
            out.reply(Reply(people[sender], b"4 %d\r\n" % number))
            expected[people[sender].link, 4].append(number)
            continue
        out.add(Fanout(channels[channel], {0: line}, people[sender]))
        for person in members[channel]:
            if person is not people[sender]:
                expected[person.link, channel].append(number)
    heard = {key: [] for key in expected}
    for link, data in read(out).items():
        for line in data.splitlines():
            channel, number = map(int, line.split())
            heard[link, channel].append(number)
    assert heard == expected


@given(st.lists(st.binary(min_size=1, max_size=9000), min_size=1, max_size=30))
def test_pieces_are_records_of_whole_lines(lines):
    pieces = join(lines)
    assert b"".join(pieces) == b"".join(lines)
    assert all(0 < len(piece) <= PIECE for piece in pieces)


def test_a_turn_without_lines_still_gives_back_and_closes():
    one, two = people = sessions(2)
    out = Outgoing(1)
    out.add(Fanout(Audience(people), {0: b"uncommitted\r\n"}))
    out.credit(one, 7)
    out.close(two, "over")
    ((_, turn),) = out.without_lines().turns()
    assert turn == ([], [(one.link, 7)], [], [(two.link, "over")])
