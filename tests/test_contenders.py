"""The servers that scripts/bench measures, as far as it can be said without running them."""

from pathlib import Path

import pytest
from benchmark.contenders import known, with_capabilities
from benchmark.contenders.ergo import Ergo
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
