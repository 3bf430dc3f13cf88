"""`export` and `import`: a log that leaves as lines comes back as it was."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess

import pytest
from helpers.commands import COMMAND, environment, in_process, refused, securechat
from helpers.homes import PASSWORDS
from helpers.logs import DAY, NOON, fill, said
from helpers.process import Serving

from securechat.records import Draft, Kind


@pytest.fixture
def kept(tmp_path):
    """A home with a log of every sort of thing."""
    home = tmp_path / "kept"
    home.mkdir()
    fill(
        home / "chat.db",
        Draft(Kind.CREATE, "#чат", "Иван", "#Чат"),
        said("#чат", "Иван", 'привет\n"мир"\r\x1b[0m \u202e\U0001f600'),
        said("bob", "alice", "hi"),
        said("#чат", "Иван", "gone"),
        Draft(Kind.REDACT, "#чат", "Иван", "id-4 why"),
        Draft(Kind.PRIVMSG, "#чат", "bob", "x", "+draft/reply=id-2", "a key"),
        Draft(Kind.FORGET, "bob", ""),
        said("carol", "alice", "hi"),
        said("*", "alice", "all", Kind.NOTICE),
        Draft(Kind.MARK, "#чат", "alice", str(NOON)),
        Draft(Kind.SEEN, "phone", "alice", "7"),
    )
    return home


def _content(home):
    database = sqlite3.connect(home / "chat.db")
    tables = {
        name: database.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
        for name in ("entries", "latest", "correspondence")
    }
    database.close()
    return tables


def _run(*arguments):
    done = in_process(*arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def _export(home, target):
    _run("export", target, "--home", home)
    return target


def test_there_and_back(kept, tmp_path):
    """All tables are the same, and importing twice changes nothing."""
    new = tmp_path / "new"
    new.mkdir()
    file = _export(kept, tmp_path / "log.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert _run("import", file, "--home", new) == "9 entries imported.\n"
    assert _content(new) == _content(kept)
    assert _run("import", file, "--home", new) == "0 entries imported.\n"
    assert _content(new) == _content(kept)
    assert _export(new, tmp_path / "again.jsonl").read_bytes() == file.read_bytes()


def test_the_lines(kept):
    """The shape that other programs rely on."""
    lines = [json.loads(line) for line in _run("export", "--home", kept).splitlines()]
    assert lines[0] == {"format": "securechat-log", "version": 1}
    assert lines[6] == {
        "type": "entry",
        "seq": 6,
        "msgid": "id-6",
        "time": NOON + 300_000,
        "kind": "PRIVMSG",
        "target": "#чат",
        "sender": "bob",
        "text": "x",
        "tags": "+draft/reply=id-2",
        "key": "a key",
        "conversation": "#чат",
        "number": 4,
    }
    assert lines[-3] == {"type": "latest", "kind": "MARK", "sender": "alice", "target": "#чат", "text": str(NOON)}
    assert lines[-1] == {"type": "end", "entries": 9, "latest": 2}


def test_text(kept):
    """To read, as `history` prints it."""
    assert _run("export", "--format", "text", "--home", kept) == _run("history", "--limit", "0", "--home", kept)


def test_newer_entries_are_appended(kept, tmp_path):
    """A log that went on elsewhere; one that has others is left alone."""
    new = tmp_path / "new"
    new.mkdir()
    _run("import", _export(kept, tmp_path / "one.jsonl"), "--home", new)
    fill(kept / "chat.db", said("#чат", "Иван", "further"), start=NOON + DAY)
    more = _export(kept, tmp_path / "two.jsonl")
    assert _run("import", more, "--home", new) == "1 entries imported.\n"
    assert _content(new) == _content(kept)
    other = tmp_path / "other"
    other.mkdir()
    fill(other / "chat.db", *[said("#x", "a", "b")] * 20, start=NOON + DAY)
    with sqlite3.connect(other / "chat.db") as database:
        database.execute("UPDATE entries SET run = 'other'")
    database.close()
    before = _content(other)
    assert "does not come after the newest entry" in refused("import", more, "--home", other)
    assert _content(other) == before


BAD = {
    "no JSON": (3, "{", "Line 3 is no JSON object"),
    "a list": (3, "[]", "Line 3 is no JSON object"),
    "deep": (3, "[" * 100_000, "Line 3 is no JSON object"),
    "other format": (1, '{"format":"x","version":1}', "Line 1 is not"),
    "newer": (1, '{"format":"securechat-log","version":2}', "newer securechat"),
    "end too early": (3, '{"type":"end","entries":1,"latest":0}', "Line 4 comes after the end"),
    "wrong end": (13, '{"type":"end","entries":1,"latest":0}', "Line 13 is neither"),
    "unknown type": (3, '{"type":"x"}', "Line 3 is neither"),
}
CHANGED = {
    "kind": ("NONSENSE", "no kind that an entry can have"),
    "seq": ("3", "seq is no number"),
    "time": (True, "time is no number"),
    "number": (-1, "number is no number"),
    "text": (None, "text is no text"),
    "sender": ("\ud800", "sender is no text"),
    "msgid": ("", "no seq or no msgid"),
    "more": (1, "does not have just the fields"),
}


def _refuses(tmp_path, lines, words):
    new = tmp_path / "new"
    new.mkdir()
    (tmp_path / "bad.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    assert words in refused("import", tmp_path / "bad.jsonl", "--home", new)
    assert not any(_content(new).values())


@pytest.mark.parametrize("name", BAD)
def test_bad_lines(kept, tmp_path, name):
    """One sentence that names the line, and nothing is imported."""
    lines = _run("export", "--home", kept).splitlines()
    place, line, words = BAD[name]
    lines[place - 1] = line
    _refuses(tmp_path, lines, words)


@pytest.mark.parametrize("field", CHANGED)
def test_bad_fields(kept, tmp_path, field):
    """The same for one field of a line."""
    lines = _run("export", "--home", kept).splitlines()
    value, words = CHANGED[field]
    lines[4] = json.dumps(json.loads(lines[4]) | {field: value})
    _refuses(tmp_path, lines, words)


def test_out_of_order_or_cut_off(kept, tmp_path):
    """Every line counts, and where it stands."""
    lines = _run("export", "--home", kept).splitlines()
    _refuses(tmp_path, [*lines[:3], lines[4], lines[3], *lines[5:]], "Line 5 is out of order")
    (tmp_path / "new").rename(tmp_path / "first")
    _refuses(tmp_path, lines[:-1], "ends after line 12")


def test_a_running_server(home, tmp_path):
    """Exports from it; imports only once it is stopped."""
    server = Serving(home.path)
    try:
        wire = server.dial().login("alice", PASSWORDS["alice"], "echo-message")
        wire.send("PRIVMSG #lobby :hello there")
        wire.expect("hello there")
        done = securechat("export", tmp_path / "log.jsonl", "--home", home.path)
        assert done.returncode == 0, done.stderr
        assert "stop it first" in refused("import", tmp_path / "log.jsonl", "--home", home.path)
        wire.close()
    finally:
        assert server.stop() == 0
    assert "hello there" in (tmp_path / "log.jsonl").read_text()
    assert securechat("import", tmp_path / "log.jsonl", cwd=home.path).stdout == "0 entries imported.\n"


def test_files_that_cannot_be_used(kept, tmp_path):
    """One sentence each; a full disk leaves nothing behind."""
    assert "No such file" in refused("import", tmp_path / "none", "--home", kept)
    assert "is no file" in refused("export", tmp_path, "--home", kept)
    assert "cannot be written" in refused("export", tmp_path / "no" / "x", "--home", kept)


def test_a_full_disk(kept, tmp_path):
    """One sentence, nothing of the file is left, and a file that was there before stays."""
    file = tmp_path / "log.jsonl"
    file.write_text("older")
    fill(kept / "chat.db", said("#x", "bob", "x" * 200_000), start=NOON + DAY)
    full = "import resource, sys; from securechat.cli import main"
    full += "; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); main()"
    done = subprocess.run(
        [COMMAND[0], "-c", full, "export", str(file), "--home", str(kept)],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"securechat: {file} cannot be written: File too large.\n"
    assert file.read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "log.jsonl"]
