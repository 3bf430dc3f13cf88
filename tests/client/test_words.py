"""Which language is spoken, and that something always is."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime

import pytest

from securechat.client import words
from securechat.client.commands import COMMANDS, interpret
from securechat.client.days import named_day
from securechat.client.items import Item, What
from securechat.client.model import Model
from securechat.client.places import Gap
from securechat.client.render import Renderer
from securechat.client.session import _missing
from securechat.client.words import _, ngettext

VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
MAGIC = b"\xde\x12\x04\x95"
TEXT, RUSSIAN = "Nothing new.", "Ничего нового."


@pytest.fixture
def locale(monkeypatch):
    """Set the environment's locale, and nothing else of it: locale(LANG="ru_RU.UTF-8")."""

    def put(**variables):
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        words.choose()

    return put


@pytest.mark.parametrize(
    "variables",
    [
        {"LANG": "ru_RU.UTF-8"},
        {"LANG": "ru"},
        {"LANG": "ru_UA.KOI8-U"},
        {"LC_MESSAGES": "ru_RU.UTF-8", "LANG": "en_US.UTF-8"},
        {"LC_ALL": "ru_RU.UTF-8", "LC_MESSAGES": "en_US.UTF-8", "LANG": "de_DE"},
        {"LANGUAGE": "ru:en", "LANG": "de_DE.UTF-8"},
        {"LANGUAGE": "de:ru", "LANG": "de_DE.UTF-8"},
        {"LANGUAGE": "ru"},
    ],
)
def test_russian(locale, variables):
    """By the environment alone: the system need not have that locale."""
    locale(**variables)
    assert _(TEXT) == RUSSIAN


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"LANG": "C.UTF-8"},
        {"LANG": "xx_YY.UTF-8"},
        {"LANG": "../../etc"},
        {"LANG": "en_GB.UTF-8"},
        {"LC_ALL": "C", "LANG": "ru_RU.UTF-8"},
        {"LC_ALL": "C", "LANGUAGE": "ru", "LANG": "ru_RU.UTF-8"},
        {"LANGUAGE": "en:ru", "LANG": "ru_RU.UTF-8"},
        {"LANGUAGE": "en", "LC_ALL": "ru_RU.UTF-8"},
        {"LANG": "рус"},
    ],
)
def test_english(locale, variables):
    locale(**variables)
    assert _(TEXT) == TEXT
    assert ngettext("{} person", "{} people", 1) == "{} person"
    assert ngettext("{} person", "{} people", 2) == "{} people"


@pytest.mark.parametrize("content", [b"", MAGIC, MAGIC + b"\xff" * 40, b"no catalogue"])
def test_a_broken_catalogue_is_english(locale, monkeypatch, tmp_path, content):
    folder = tmp_path / "ru" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "securechat.mo").write_bytes(content)
    monkeypatch.setattr(words, "FOLDER", tmp_path)
    words.choose("ru")
    assert _(TEXT) == TEXT


def test_no_catalogues_at_all(monkeypatch, tmp_path):
    monkeypatch.setattr(words, "FOLDER", tmp_path / "nowhere")
    words.choose("ru")
    assert _(TEXT) == TEXT


def test_the_empty_text_is_not_the_head_of_the_catalogue():
    words.choose("ru")
    assert _("") == ""


def test_tables_are_translated_when_they_are_shown():
    help_ = {language: [] for language in words.LANGUAGES}
    for language, texts in help_.items():
        words.choose(language)
        texts += [item.text for item in interpret(Model("anna"), "/help", 0).items]
    assert len(help_["en"]) == len(help_["ru"])
    assert not set(help_["en"]) & set(help_["ru"])
    assert help_["ru"][0].startswith("/join #КАНАЛ")
    assert "Войти в канал" in help_["ru"][0]


@pytest.mark.parametrize("language", words.LANGUAGES)
@pytest.mark.parametrize("typed", ["выход", "/выход", "Выход", "/quit"])
def test_leaving_is_said_the_same_in_every_language(language, typed):
    words.choose(language)
    assert interpret(Model("anna"), typed, 0).quit


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_commands_have_the_same_names_in_every_language(language):
    words.choose(language)
    for name, row in COMMANDS.items():
        assert _(row.usage).split()[0] == f"/{name}"


def test_counting():
    words.choose("ru")
    assert _missing(Gap("#dev", 3, 3, back=False)) == "Не хватает 1 строки из #dev."
    assert _missing(Gap("#dev", 1, 21, back=False)) == "Не хватает 21 строки из #dev."
    assert _missing(Gap("#dev", 1, 5, back=True)).startswith("Сервер потерял последние 5 строк из #dev")


def test_events():
    words.choose("ru")

    def line(what, **how):
        return Renderer().line(Item(what, 0, **how), 0).partition("] ")[2]

    assert line(What.JOINED, sender="anna", channel="#dev") == "-- anna теперь в #dev"
    assert line(What.REMOVED, sender="op", recipient="bob", channel="#dev", text="шум") == (
        "-- op исключает bob из #dev (шум)"
    )
    assert line(What.NAMES, channel="#dev", names=("a", "b", "c")) == "-- #dev: 3 участника: a, b, c"
    assert line(What.MESSAGE, sender="anna", recipient="bob", text="привет", own=True) == "вы -> bob: привет"


def test_days():
    day = datetime(2026, 5, 28, 9, 30)  # noqa: DTZ001
    assert named_day(day) == "Thursday, 28 May 2026"
    words.choose("ru")
    assert named_day(day) == "четверг, 28 мая 2026"


def test_importing_it_reads_no_catalogue():
    code = "import sys, securechat.client.words as words; sys.exit(words._Speaker.catalogue is not None)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0
