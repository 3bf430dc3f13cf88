"""docs/api.md says what the code says."""

from __future__ import annotations

import api_page
import pytest

from securechat import Client
from securechat.client import errors


def test_the_page_is_up_to_date():
    written = api_page.PAGE.read_text("utf-8") if api_page.PAGE.exists() else ""
    assert written == api_page.page(), "docs/api.md is out of date: run `python scripts/api_page.py`"


def test_everything_is_in_it():
    page = api_page.page()
    for name in dir(Client):
        assert name.startswith("_") or f"### {name}\n" in page, name
    for kind in api_page.events():
        assert f"**{kind.__name__}**" in page
    for name in (name for name in vars(errors) if name.endswith("Error")):
        assert f"**{name}**" in page


def test_what_says_nothing_of_itself_is_not_let_through():
    with pytest.raises(SystemExit, match="no docstring"):
        api_page._words(lambda: None)
