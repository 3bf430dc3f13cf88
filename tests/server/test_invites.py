"""An invite becomes an account: once, for its name, in its time; and tells nobody anything."""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from helpers.homes import CHEAP, PASSWORDS
from helpers.wire import Wire

from securechat.chat.joining import REFUSED
from securechat.protocol.sasl import Exchange
from securechat.records import Redeem, Unanswered
from securechat.server import accounts, invites
from securechat.storage.users import UserFile

WORD = "a password of my own"


@pytest.fixture
def users(home):
    return UserFile(home.users)


@pytest.fixture
def token(users):
    return invites.invite(users, "Olga", seconds=3600)[1]


def redeem(wire, token, name="Olga", word=WORD):
    wire.send("CAP LS 302", "NICK x", "USER x 0 * :x", f"REGISTER {name} * :{word}", f"VERIFY {name} {token}")
    return wire.expect(r"(?:VERIFY (SUCCESS)|FAIL VERIFY (\S+)) ").expand(r"\1\2")


def test_the_whole_way(server, dial, users, token, home, caplog):
    wire = dial(server)
    assert redeem(wire, token) == "SUCCESS"
    wire.send("CAP END")
    wire.expect(" 001 Olga ")
    wire.expect(" JOIN #lobby")
    assert dict(users.invites()) == {}
    assert CHEAP.verify(users.load()["olga"].hash, WORD)
    wire.close()
    dial(server).login("Olga", WORD)
    assert token not in caplog.text
    assert token not in home.users.read_text()


def test_it_is_used_once(server, dial, token, caplog):
    caplog.set_level("INFO")
    assert redeem(dial(server), token) == "SUCCESS"
    assert redeem(dial(server), token) == "INVALID_CODE"
    assert "made the account Olga" in caplog.text
    assert "login refused: no such invite from " in caplog.text


def test_of_many_at_once_exactly_one_wins(server, dial, token, users):
    wires = [dial(server) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: redeem(wires[number], token, word=f"password {number}"), range(8)))
    assert sorted(told) == ["INVALID_CODE"] * 7 + ["SUCCESS"]
    assert CHEAP.verify(users.load()["olga"].hash, f"password {told.index('SUCCESS')}")


def test_the_lock_decides_between_two_processes(users, token):
    """Both found the invite before either had hashed its password."""

    class Slow:
        def hash_password(self, text):
            assert invites.redeem(users, Redeem("olga", token, WORD), hasher=CHEAP)
            return "hash"

    assert invites.redeem(users, Redeem("olga", token, "another one"), hasher=Slow()) is None
    assert CHEAP.verify(users.load()["olga"].hash, WORD)


def test_a_token_or_a_name_that_was_altered(server, dial, users, token):
    invites.invite(users, "Пётр", seconds=3600)
    altered = ("A" if token[0] != "A" else "B") + token[1:]
    cases = [
        ("Olga", altered),
        ("Olga", ""),
        ("Olga", token[:-1]),
        ("Olga2", token),
        ("Пётр", token),
        ("alice", token),
    ]
    for name, wrong in cases:
        wire = dial(server)
        wire.send("CAP LS 302", f"REGISTER {name} * :{WORD}", f"VERIFY {name} :{wrong}")
        wire.expect(rf"FAIL VERIFY INVALID_CODE {name} :{re.escape(REFUSED)}$")
        wire.close()
    assert set(users.invites()) == {"olga", "пётр"}


def test_expired_or_taken_back(server, dial, users, token):
    with users.edit_book() as book:
        book.invites["olga"] = replace(book.invites["olga"], expires=1)
    assert redeem(dial(server), token) == "INVALID_CODE"
    other = invites.invite(users, "Olga", seconds=60)[1]
    assert invites.uninvite(users, "OLGA").name == "Olga"
    assert redeem(dial(server), other) == "INVALID_CODE"


def test_a_second_invite_for_a_name_is_the_only_one(server, dial, users, token):
    newer = invites.invite(users, "olga", seconds=60)[1]
    assert redeem(dial(server), token) == "INVALID_CODE"
    assert redeem(dial(server), newer) == "SUCCESS"


def test_a_weak_password_does_not_use_it_up(server, dial, token):
    wire = dial(server)
    assert redeem(wire, token, word="short") == "WEAK_PASSWORD"
    wire.send(f"REGISTER Olga * :{WORD}", f"VERIFY Olga {token}")
    wire.expect("VERIFY SUCCESS Olga ")


def test_a_name_that_was_taken_meanwhile(users, token):
    accounts.add_account(users, "OIga", WORD, hasher=CHEAP)  # it reads the same
    answer = invites.redeem(users, Redeem("Olga", token, WORD), hasher=CHEAP)
    assert isinstance(answer, Unanswered)
    assert answer.code == "ACCOUNT_EXISTS"


def test_an_account_that_is_made_or_deleted_takes_the_invite_along(users):
    token = invites.invite(users, "Olga", seconds=60, admin=True)[1]
    accounts.add_account(users, "olga", WORD, hasher=CHEAP)
    accounts.delete_account(users, "Olga")
    assert invites.pending(users) == []
    assert invites.redeem(users, Redeem("Olga", token, WORD), hasher=CHEAP) is None


def test_an_administrator(users):
    token = invites.invite(users, "Olga", seconds=60, admin=True)[1]
    made = invites.redeem(users, Redeem("olga", token, WORD), hasher=CHEAP)
    assert made.admin
    assert made == users.load()["olga"]


def test_whoever_cannot_be_an_account_is_not_invited(users):
    for name in ("alice", "aIice", "NickServ", "a b"):
        with pytest.raises(accounts.AccountRefused):
            invites.invite(users, name, seconds=60)
    with pytest.raises(accounts.AccountRefused, match="no invite for 'nobody'"):
        invites.uninvite(users, "nobody")


def test_what_is_pending(users, token):
    invites.invite(users, "Пётр", seconds=60)
    assert [one.name for one in invites.pending(users)] == ["Пётр", "Olga"]
    with users.edit_book() as book:
        book.invites["olga"] = replace(book.invites["olga"], expires=1)
    assert [one.name for one in invites.pending(users)] == ["Пётр"]


def test_a_token_is_128_bits_and_kept_as_its_hash(users, token):
    assert len(base64.urlsafe_b64decode(token + "==")) == 16
    assert users.invites()["olga"].hash == hashlib.sha256(token.encode()).hexdigest()


def test_a_link(users):
    link = invites.link("chat.example.org", 6697, "Иван", "FINGER", "TOKEN")
    assert link == "securechat://chat.example.org:6697/%D0%98%D0%B2%D0%B0%D0%BD?ca=FINGER&token=TOKEN"
    assert invites.link("2001:db8::1", 1, "a", "b", "c").startswith("securechat://[2001:db8::1]:1/a?")


def test_the_authority_is_fetched_before_it_is_trusted(server, home):
    """What a client does that has nothing but a link: it says nothing secret until the fingerprint is right."""
    blind = Wire(server.port, None)
    blind.send("CA")
    exchange, text = Exchange("CA"), None
    while text is None:
        text = exchange.feed(blind.expect(r" CA :(\S+)$")[1])
    der = base64.b64decode(text)
    blind.close()
    assert der == ssl.PEM_cert_to_DER_cert((home.certs / "ca.pem").read_text())


def test_the_first_account_can_be_an_invite(serve, dial, users, home):
    with users.edit() as known:
        known.clear()
    token = invites.invite(users, "Olga", seconds=60, admin=True)[1]
    wire = dial(serve())
    assert redeem(wire, token) == "SUCCESS"
    assert PASSWORDS.keys() & users.load().keys() == set()
