"""docs/protocol.md says what the code says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from securechat.chat import modes
from securechat.chat.commands import TABLE
from securechat.chat.sending import KEPT_TAGS
from securechat.protocol.capabilities import CAPABILITIES

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("protocol_table", ROOT / "scripts" / "protocol_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(script):
    written = script.PAGE.read_text("utf-8") if script.PAGE.exists() else ""
    assert written == script.page(), f"{script.PAGE.name} is out of date: run `python scripts/protocol_table.py`"


def test_everything_is_in_it(script):
    page = script.page()
    for name in TABLE:
        assert re.search(rf"^\| `{name}\b", page, re.MULTILINE), name
    for name, (_, value) in CAPABILITIES.items():
        assert f"| `{name}` | {f'`{value}`' if value else ''} |" in page
    for letter in (*modes.TABLE, *modes.USER):
        assert f"| `+{letter}` |" in page
    for tag in KEPT_TAGS:
        assert f"| `{tag}` |" in page


def test_every_row_has_as_many_cells_as_its_head(script):
    for table in re.findall(r"(?:^\|.*\n)+", script.page(), re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(cells) == 1, table
