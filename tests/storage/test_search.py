"""The search index: what is found, what is not, and that it mends itself."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from helpers.archive import MOST_BYTES, START, Archive, OnDisk, reader

from securechat.protocol.names import fold
from securechat.records import Draft, Kind, Scope, Search
from securechat.storage import search as searching
from securechat.storage.log import LogError
from securechat.storage.search import SearchIndex, TooSlow

WHO = reader("alice", "#x")


@pytest.fixture
def disk(tmp_path):
    store = OnDisk(tmp_path)
    yield store
    store.close()


@pytest.fixture
def archive(disk):
    return Archive(disk)


@pytest.fixture
def find(disk):
    """Texts that are found: find("word", in_="#x", limit=5, ...)."""

    def search(text, who=WHO, *, limit=100, in_="", **narrow):
        return [entry.text for entry in disk.search(Search(who, text, limit, in_, **narrow)).entries]

    return search


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Привет, Мир", ["привет", "ПРИВЕТ", "ивет", "мир", "ир", "М", "вет, м", "мир привет"]),
        ("The quick brown fox", ["quick", "QUICK", "uick", "ow", "x", "q fox", "brown the"]),
        ("今天天气很好", ["天气很", "天气", "好", "今天天气很好"]),
        ("мы в 東京", ["東京", "東", "мы 京"]),
        ("it's 100% *bold*", ["100%", "*bold*", "*", "%", "it's"]),
        ('she said "no NEAR(a b)" -- a-b OR c', ['"no', '"', "NEAR(a", "NEAR", "--", "a-b", "OR", "or c", 'b)"']),
        ("path C:\\dir {x} ^y a:b text:z", ["C:\\dir", "{x}", "^y", "text:", "a:b", "\\"]),
        ("smile \U0001f600\U0001f600\U0001f600", ["\U0001f600", "\U0001f600\U0001f600\U0001f600"]),
        ("line one\nline two", ["two", "line one"]),
    ],
)
def test_what_is_found(archive, find, text, words):
    archive.say("nothing of that kind, neither here nor there")
    archive.say(text)
    for word in words:
        assert text in find(word), word


@pytest.mark.parametrize(
    "words", ["abcd", "x*", "ab*", "a NOT b", "text : abc", '"abc bcd"', "NEAR(abc bcd)", "-abc"]
)
def test_operators_are_words(archive, find, words):
    """What would be found if they meant anything is not found."""
    archive.say("abc bcd xab")
    assert find(words) == []


def test_a_word_is_found_whole(archive, find):
    """The index knows which trigrams a line has, not where: those of "abcde" are in this one, and it is not."""
    archive.say("abcd bcde")
    archive.say("xABCDEx")
    assert find("abcde") == ["xABCDEx"]


def test_every_word_is_needed(archive, find):
    archive.say("apples and pears")
    archive.say("apples and plums")
    assert find("apples pears") == ["apples and pears"]
    assert find("pears plums") == []
    assert find("apples z") == []
    assert find("apples an") == ["apples and pears", "apples and plums"]


def test_no_word_at_all_is_everything_said_there(archive, find):
    archive.say("one")
    archive.say("two", sender="Carol")
    assert find("", in_="#x") == ["one", "two"]
    assert find("", sender="carol") == ["two"]
    assert find("  ", sender="carol", in_="#x") == ["two"]


def test_very_many_words(archive, find):
    archive.say(" ".join("abcdefghij"))
    assert len(find(" ".join("abcdefghij" * 12))) == 1
    assert find(" ".join(["abc"] * 100)) == []


@pytest.mark.parametrize("word", ["needle", "ne"])
class TestPermissions:
    """What may be read is part of the query: for words that are indexed and for those that are not."""

    def test_other_channels(self, archive, find, word):
        archive.say("needle in x")
        archive.say("needle in y", "#y")
        assert find(word) == ["needle in x"]
        assert find(word, in_="#y") == []
        assert find(word, reader("alice")) == []
        assert find(word, reader("alice", "#x", "#y")) == ["needle in x", "needle in y"]

    def test_a_private_channel_is_read_from_where_one_joined(self, archive, find, word):
        archive.say("needle before")
        joined = archive.append(Draft(Kind.JOIN, "#x", "alice"))[0]
        archive.say("needle after")
        assert find(word, reader("alice", Scope("#x", joined.seq))) == ["needle after"]
        assert find(word, reader("alice", Scope("#x", joined.seq)), in_="#x") == ["needle after"]
        assert find(word, reader("alice", Scope("#x", 0, joined.time))) == ["needle after"]

    def test_direct_messages_of_others(self, archive, find, word):
        archive.say("needle for alice", "alice", "bob")
        archive.say("needle of alice", "bob", "alice")
        archive.say("needle for carol", "carol", "bob")
        archive.say("needle for all", "*", "bob")
        assert find(word, reader("alice")) == ["needle for alice", "needle of alice"]
        assert find(word, reader("alice"), in_="bob carol") == []
        assert find(word, reader("alic")) == find(word, reader("alice bob")) == find(word, reader("")) == []

    def test_an_account_made_anew(self, archive, find, word):
        archive.say("needle of old", "alice", "bob")
        archive.append(Draft(Kind.FORGET, "alice", ""))
        assert find(word, reader("alice")) == []
        new = archive.say("needle of new", "alice", "bob")
        assert find(word, reader("alice", since=new.time)) == ["needle of new"]
        assert find(word, reader("bob")) == ["needle of old", "needle of new"]

    def test_only_what_was_said(self, archive, find, word):
        archive.append(Draft(Kind.TOPIC, "#x", "bob", "needle of a topic"))
        archive.append(Draft(Kind.TAGMSG, "#x", "bob", "", "+draft/react=needle"))
        archive.append(Draft(Kind.PRIVMSG, "#x", "bob", "\x01PING needle\x01"))
        assert find(word) == []

    def test_narrowed(self, archive, find, word):
        said = [archive.say(f"needle {n}", sender="Иван" if n % 2 else "bob", later=10) for n in range(6)]
        texts = [entry.text for entry in said]
        assert find(word, sender="иван") == texts[1::2]
        assert find(word, after=said[2].time, before=said[4].time) == texts[2:5]
        assert find(word, limit=2) == texts[4:]
        assert find(word, after=0, limit=2) == texts[:2]
        assert find(word, before=said[3].time, limit=2) == texts[2:4]
        assert find(word, after=START * 2) == []


def test_complete_says_whether_there_is_more(archive, disk):
    for _ in range(3):
        archive.say("needle")
    assert [disk.search(Search(WHO, "needle", limit)).complete for limit in (2, 3, 4)] == [False, True, True]


def test_an_answer_is_bounded_in_bytes(tmp_path):
    with closing(OnDisk(tmp_path, most_bytes=1000)) as disk:
        archive = Archive(disk)
        for number in range(10):
            archive.say(f"{number} " + "ж" * 200)
        found = disk.search(Search(WHO, "жжж", 100))
        assert [entry.text[0] for entry in found.entries] == ["8", "9"]
        assert not found.complete
        archive.say("ж" * 2000)
        assert len(disk.search(Search(WHO, "жжж", 100)).entries) == 1  # one there is always


class TestRedaction:
    """What was taken back is not found, and the file does not have it any more."""

    def test_it_is_not_found(self, archive, find):
        for indexed in (True, False):
            entry = archive.say("needle")
            if indexed:
                assert find("needle") == ["needle"]
            archive.redact(entry, "needle")
            assert find("needle") == find("ne") == []

    def test_it_is_in_no_file(self, archive, disk, find, tmp_path):
        """Neither the row, nor its bytes on a page that became free; the other lines are."""
        secret, kept = "hunter2-hunter2-hunter2", "nothing-to-hide"
        entry = archive.say(secret)
        archive.say(kept)
        assert find("hunter2") == [secret]
        assert secret.encode() in contents(tmp_path)
        archive.redact(entry)
        assert find("hunter2") == []
        rows = disk.index._database().execute("SELECT text FROM lines").fetchall()
        assert rows == [(kept,)]
        disk.close()  # folds the write-ahead logs in
        assert secret.encode() not in contents(tmp_path)
        assert kept.encode() in contents(tmp_path)


def contents(folder):
    return b"".join(path.read_bytes() for path in folder.iterdir())


class TestFile:
    """The index is made from the log, so nothing that happens to it is a loss."""

    def test_only_its_owner_may_read_it(self, archive, find, tmp_path):
        archive.say("needle")
        find("needle")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("search.db*")}
        assert modes.pop("search.db") == 0o600
        assert set(modes.values()) <= {0o600}

    @pytest.mark.parametrize("content", [b"", b"this is no database" * 500, b"SQLite format 3\0" + b"\xff" * 9000])
    def test_damaged_when_it_is_opened(self, archive, tmp_path, content):
        archive.say("needle")
        (tmp_path / "search.db").write_bytes(content)
        with index(tmp_path) as fresh:
            assert len(fresh.search(Search(WHO, "needle", 9)).entries) == 1

    def test_damaged_while_it_is_in_use(self, archive, tmp_path, find):
        for number in range(3000):
            archive.say(f"needle {number}") if number % 1000 == 0 else archive.say(f"straw {number}")
        assert len(find("needle")) == 3
        with closing(sqlite3.connect(tmp_path / "search.db")) as other:
            other.execute("UPDATE lines_data SET block = x'ffffffffff' WHERE id > 10")
            other.commit()
        assert len(find("needle")) == 3
        assert len(find("straw", limit=9999)) == 2997

    def test_of_another_version(self, archive, tmp_path):
        archive.say("needle")
        with index(tmp_path) as fresh:
            fresh.step()
        with closing(sqlite3.connect(tmp_path / "search.db")) as other:
            other.execute("DROP TABLE lines")
            other.execute("PRAGMA user_version = 99")
        with index(tmp_path) as fresh:
            assert len(fresh.search(Search(WHO, "needle", 9)).entries) == 1

    def test_deleted(self, archive, tmp_path):
        archive.say("needle")
        for _ in range(2):
            with index(tmp_path) as fresh:
                assert len(fresh.search(Search(WHO, "needle", 9)).entries) == 1
            for path in tmp_path.glob("search.db*"):
                path.unlink()

    @pytest.mark.parametrize("lines", [0, 1, 2, 50])
    def test_of_another_log(self, tmp_path, lines, caplog):
        """One that is shorter, as long, or longer than that which was indexed."""
        (tmp_path / "old").mkdir()
        with closing(OnDisk(tmp_path / "old")) as disk:
            archive = Archive(disk)
            archive.say("before needle")
            archive.say("needle old")
            assert len(disk.search(Search(WHO, "needle", 9)).entries) == 2
        (tmp_path / "new").mkdir()
        (tmp_path / "old" / "search.db").rename(tmp_path / "new" / "search.db")
        with closing(OnDisk(tmp_path / "new")) as disk:
            archive = Archive(disk)
            texts = [f"needle new {number}" for number in range(lines)]
            disk.log.append([archive.place(Draft(Kind.PRIVMSG, "#x", "bob", text))._replace(run=text)
                             for text in texts])  # fmt: skip
            for _ in range(2):
                assert [entry.text for entry in disk.search(Search(WHO, "needle", 99)).entries] == texts
                assert disk.search(Search(WHO, "old", 9)).entries == []
        assert len([record for record in caplog.records if "is made anew" in record.message]) == 1

    def test_what_the_log_has_let_go_leaves_gaps(self, archive, disk, find):
        """Retention takes entries out; those that it leaves are indexed all the same."""
        archive.say("needle first")
        for _ in range(3 * searching.CHUNK // 1000):
            archive.append(*(Draft(Kind.PRIVMSG, "#x", "bob", "needle old") for _ in range(1000)))
        archive.say("needle last")
        disk.log._database.execute("DELETE FROM entries WHERE text = 'needle old'")
        assert find("needle") == ["needle first", "needle last"]
        assert disk.index.behind() == 0
        disk.log._database.execute("DELETE FROM entries WHERE text = 'needle first'")
        disk.index.forget(archive.seq)
        archive.say("needle more")
        assert find("needle") == ["needle last", "needle more"]

    def test_a_log_that_begins_far_from_one(self, disk, find):
        archive = Archive(disk)
        archive.seq = 10 * searching.CHUNK
        archive.say("needle")
        assert find("needle") == ["needle"]

    def test_the_log_is_never_locked_by_it(self, archive, disk, tmp_path, find):
        """Indexing has no part in what the sequencer waits for, nor does it wait for that."""
        archive.say("needle")
        with closing(sqlite3.connect(tmp_path / "chat.db", isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            assert find("needle") == ["needle"]
            writer.execute("ROLLBACK")
        archive.say("needle again")
        during = []
        disk.log._database.execute("PRAGMA busy_timeout = 0")
        disk.index._database().set_trace_callback(
            lambda query: (
                during or during.append(archive.say("needle meanwhile")) if "UPDATE done" in query else None
            )
        )
        assert disk.index.step() is True
        assert [entry.text for entry in during] == ["needle meanwhile"]

    def test_one_that_cannot_be_made_is_told(self, tmp_path):
        with closing(OnDisk(tmp_path)) as disk:
            (tmp_path / "search.db").mkdir()
            with pytest.raises(LogError, match=r"search\.db cannot be used: .* Check its disk"):
                disk.search(Search(WHO, "needle", 9))
            (tmp_path / "search.db").rmdir()
            assert disk.search(Search(WHO, "needle", 9)).entries == []

    def test_one_that_is_locked_is_told_and_left_alone(self, archive, tmp_path, disk, find):
        """Another process may be using it: it is not damaged."""
        archive.say("needle")
        assert find("needle") == ["needle"]
        archive.say("needle")
        before = (tmp_path / "search.db").stat().st_ino
        with closing(sqlite3.connect(tmp_path / "search.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            disk.index._database().execute("PRAGMA busy_timeout = 10").fetchall()
            with pytest.raises(LogError, match="locked"):
                find("needle")
            other.execute("ROLLBACK")
        assert find("needle") == ["needle", "needle"]
        assert (tmp_path / "search.db").stat().st_ino == before


def index(folder, seconds=600):
    return SearchIndex(folder / "chat.db", fold, MOST_BYTES, seconds)


def test_a_search_that_takes_too_long(archive, disk, monkeypatch):
    """No clock is waited for: the time allowed is over at the first look at it."""
    archive.append(*(Draft(Kind.PRIVMSG, "#y", "bob", "straw straw straw") for _ in range(500)))
    monkeypatch.setattr(searching, "STEPS", 10)
    disk.index._seconds = -1
    for text in ("ne", "straw"):
        with pytest.raises(TooSlow, match="takes too long"):
            disk.search(Search(WHO, text, 9))
    disk.index._seconds = 600
    assert disk.search(Search(WHO, "ne", 9)).entries == []


def test_an_index_that_is_far_behind_is_not_waited_for(archive, disk, find, monkeypatch):
    monkeypatch.setattr(searching, "CHUNK", 10)
    monkeypatch.setattr(searching, "MOST_BEHIND", 30)
    archive.append(*(Draft(Kind.PRIVMSG, "#x", "bob", "needle") for _ in range(41)))
    with pytest.raises(TooSlow, match="try again"):
        find("needle")
    assert disk.index.step() is True
    assert len(find("needle")) == 41


def test_one_of_another_log_is_far_behind_too(archive, disk, find, monkeypatch):
    monkeypatch.setattr(searching, "CHUNK", 10)
    monkeypatch.setattr(searching, "MOST_BEHIND", 30)
    archive.append(*(Draft(Kind.PRIVMSG, "#x", "bob", "needle") for _ in range(100)))
    while disk.index.step():
        pass
    disk.log._database.execute("UPDATE entries SET run = 'new'")
    with pytest.raises(TooSlow, match="try again"):
        find("needle")


INDEXING = """
import sys
from pathlib import Path
from securechat.protocol.names import fold
from securechat.records import Reader, Scope, Search
from securechat.storage import search
search.CHUNK = 20
with search.SearchIndex(Path(sys.argv[1]), fold, 10**6, 600) as index:
    sys.stdin.readline()
    print(len(index.search(Search(Reader("alice", (Scope("#x"),), 0), "needle", 10**6)).entries))
"""


def test_several_processes_index_at_once(archive, tmp_path):
    """They make the same file at the same moment, and each line is in it once."""
    archive.append(*(Draft(Kind.PRIVMSG, "#x", "bob", f"needle {number}") for number in range(1000)))
    command = [sys.executable, "-c", INDEXING, str(tmp_path / "chat.db")]
    others = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for other in others:
        other.stdin.write("go\n")
        other.stdin.flush()
    assert [other.communicate()[0] for other in others] == ["1000\n"] * 4
    with closing(sqlite3.connect(tmp_path / "search.db")) as database:
        assert database.execute("SELECT count(*), count(DISTINCT rowid) FROM lines").fetchone() == (1000, 1000)
        database.execute("INSERT INTO lines (lines) VALUES ('integrity-check')")
