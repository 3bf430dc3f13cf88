"""`send` and `tail` against a real server."""

from __future__ import annotations

import json

import pytest
from helpers import commands
from helpers.commands import securechat
from helpers.homes import PASSWORDS


@pytest.fixture
def run(server, home):
    """Run one of the commands as alice."""

    def start(*words, how=securechat, **more):
        options = ("--user", "alice", "--port", str(server.port), "--home", home.path)
        return how(*words, *options, SECURECHAT_PASSWORD=PASSWORDS["alice"], **more)

    return start


def test_what_is_sent_is_kept_and_told(run):
    for said in ("one", "two"):
        done = run("send", "#lobby", said)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert run("send", "#lobby", text="three\nlines\nhere\n").returncode == 0
    told = [json.loads(line) for line in run("tail", "--json").stdout.splitlines()]
    assert [event["text"] for event in told] == ["one", "two", "three\nlines\nhere"]
    assert [event["type"] for event in told] == ["message"] * 3
    assert run("tail", "#lobby", "--lines", "1").stdout.splitlines()[0].endswith("#lobby <alice> three")


def test_what_is_not_kept_is_said(run):
    refused = run("send", "#nowhere", "hello", how=lambda *a, **k: commands.refused(*a, start=securechat, **k))
    assert refused.startswith("The server refused: #nowhere")
    refused = run("send", "#lobby", how=lambda *a, **k: commands.refused(*a, start=securechat, **k))
    assert refused.startswith("There is nothing to say: standard input holds no text")
