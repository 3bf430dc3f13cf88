"""The servers that scripts/bench measures, as far as it can be said without running them."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from benchmark.contenders import known, with_capabilities
from benchmark.contenders.ergo import Ergo
from benchmark.driver.rooms import Rooms
from benchmark.driver.talk import Load, Talk
from benchmark.scenarios.mixed import EIGHT


def test_whoever_has_capabilities_is_measured_with_them():
    """And no other: a request for what a server does not know is refused as a whole."""
    able = with_capabilities(known())
    assert [one.name for one in able] == ["securechat", "InspIRCd", "Ergo"]
    assert able[0].capabilities >= {cap for caps in EIGHT for cap in caps.split()}
    assert able[1].modules


def test_who_needs_modules_for_them_is_asked_for_none():
    """InspIRCd is measured as it is quickest wherever tags are not the question."""
    assert [one.name for one in known() if one.capabilities] == ["securechat", "Ergo"]


@pytest.mark.parametrize("says", [None, "Usage: ergo [options]", "ergo-"])
def test_another_program_of_that_name_is_no_server(
    says: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian's package ergo is for chemists."""
    program(tmp_path, says, monkeypatch)
    with pytest.raises(FileNotFoundError):
        Ergo().version()


def test_ergo_tells_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the others do, with its name."""
    program(tmp_path, "ergo-2.19.1", monkeypatch)
    assert Ergo().version() == "Ergo 2.19.1"


def program(folder: Path, says: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing on the PATH but `ergo`, which prints this; not even that where it says nothing."""
    monkeypatch.setenv("PATH", str(folder))
    if says is not None:
        (folder / "ergo").write_text(f"#!/bin/sh\necho '{says}'\n")
        (folder / "ergo").chmod(0o755)


@pytest.mark.parametrize(
    ("ordered", "seen", "complaint"),
    [
        (True, [(0, 0), (1, 0)], None),
        (True, [(1, 0), (0, 0)], "got the same lines in different orders"),
        (False, [(1, 0), (0, 0)], None),
        (False, [(1, 0)], "did not get the same lines"),
        (False, [(1, 0), (1, 0)], "did not get the same lines"),
    ],
)
def test_one_order_is_asked_of_whoever_has_it(
    ordered: bool, seen: list[tuple[int, int]], complaint: str | None
) -> None:
    """Of four clients two talk, a line each; the other two listen, and one of them has them in order."""
    crowd = FakeCrowd(ordered)
    talk = Talk(crowd, Rooms(), Load(senders=2, window=1, lines=2))  # type: ignore[arg-type]  # as much as it asks
    for client, heard in zip(crowd.clients[2:], (seen, [(0, 0), (1, 0)]), strict=True):
        lines = [f":x PRIVMSG #b0 :{sender:04} {number:07} x\r\n" for sender, number in heard]
        client.kept = ["".join(lines).encode()]
    if complaint is None:
        talk.check()
    else:
        with pytest.raises(SystemExit, match=complaint):
            talk.check()


class FakeCrowd:
    """Four clients who have nothing on their way."""

    def __init__(self, ordered: bool) -> None:
        self.job = SimpleNamespace(ordered=ordered)
        self.clients: list[Any] = [FakeClient(f"user{number}") for number in range(4)]

    def settle(self) -> None:
        """Do nothing: all is here."""


@dataclass(eq=False)
class FakeClient:
    """What a talk asks of a client."""

    nick: str
    echo: bool = False
    extra: int = 1
    kept: list[bytes] | None = None
