"""What outlives the program, and the file that it is in."""

from __future__ import annotations

import json

import pytest

from securechat.client import keepsake
from securechat.client.desk import keeping
from securechat.client.settings import Endpoint


def test_drafts_waiting_lines_and_mutes_come_back(scene, fresh):
    scene.lose()
    scene.talk.submit("said offline", "m1")
    scene.desk.here.draft = "half a sent"
    scene.desk.open("bob").muted = True
    state = json.loads(json.dumps(keeping.kept(scene.talk)))
    keeping.restore(fresh.talk, state)
    fresh.log_in()
    lobby = fresh.desk.open("#lobby")
    assert lobby.draft == "half a sent"
    assert fresh.desk.open("bob").muted
    assert [(one.key, one.text, one.reply) for one in lobby.pending] == [("key-1", "said offline", "m1")]
    assert [one.key for one in fresh.talk.waiting.values()] == ["key-1"]


def test_what_waited_is_sent_with_its_key_at_the_login(scene, fresh):
    scene.lose()
    scene.talk.submit("said offline")
    keeping.restore(fresh.talk, keeping.kept(scene.talk))
    said = []
    post = fresh.sender.post
    fresh.sender.post = lambda lines: said.extend(lines) or post(lines)
    fresh.log_in()
    (line,) = [one for one in said if b"PRIVMSG" in one]
    assert line == b"@label=key-1;+securechat/key=key-1 PRIVMSG #lobby :said offline\r\n"


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"version": 9, "drafts": {"#x": "y"}},
        {"version": 1, "drafts": ["#x"], "muted": {"a": 1}, "waiting": "no"},
        {"version": 1, "drafts": {"#x": 5, "": "y"}, "muted": [None], "waiting": [{"key": 1}, 7, {"evil": "x"}]},
        {"version": 1, "waiting": [{"key": "", "target": "#x", "text": "y", "time": 1}]},
    ],
)
def test_a_file_that_is_not_ours_to_understand_does_no_harm(fresh, state):
    keeping.restore(fresh.talk, state)
    assert list(fresh.desk.conversations) == [""]
    assert len(fresh.talk.waiting) == 0


def test_the_file_is_its_owners_and_whole_or_not_there(tmp_path):
    path = tmp_path / "deep" / "state.json"
    assert keepsake.load(path) == {}
    keepsake.save(path, {"a": "привет \ud800"})
    keepsake.save(path, {"a": "привет"})
    assert keepsake.load(path) == {"a": "привет"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    path.write_bytes(b"\xff{")
    assert keepsake.load(path) == {}
    path.write_text("[" * 100_000)
    assert keepsake.load(path) == {}


def test_each_account_on_each_server_has_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    one = keepsake.place("alice", Endpoint("a", 1))
    assert one.is_relative_to(tmp_path)
    assert len({one, keepsake.place("bob", Endpoint("a", 1)), keepsake.place("alice", Endpoint("a", 2))}) == 3
    assert one == keepsake.place("Alice", Endpoint("a", 1))
