"""The catalogues of languages agree with the code, and are complete; `scripts/catalogues` renews them."""

from __future__ import annotations

import ast
import gettext
import importlib.machinery
import importlib.util
import io
import re
from pathlib import Path

import pytest
from babel.messages.plurals import get_plural

from securechat.client.words import DOMAIN, FOLDER, LANGUAGES

ROOT = Path(__file__).parents[1]
FIELD = re.compile(r"\{[^{}]*\}")
FILES = sorted((ROOT / "securechat").rglob("*.py"))


def load_script():
    loader = importlib.machinery.SourceFileLoader("catalogues", str(ROOT / "scripts" / "catalogues"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("catalogues", loader))
    loader.exec_module(module)
    return module


script = load_script()


@pytest.fixture(scope="session")
def marked():
    """What the code marks."""
    return {message.id: message for message in script.collected() if message.id}


@pytest.fixture(params=[language for language in LANGUAGES if language != "en"])
def language(request):
    return request.param


@pytest.fixture
def path(language):
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@pytest.fixture
def catalogue(path):
    return script.read(path)


def test_every_language_can_be_chosen_and_every_catalogue_is_one_of_them():
    assert [path.parts[-3] for path in script.catalogues()] == [name for name in LANGUAGES if name != "en"]


def test_the_template_is_what_the_code_marks(marked):
    assert script.TEMPLATE.read_bytes() == script.text_of(script.collected())


def test_every_text_has_an_entry_and_every_entry_a_text(marked, catalogue):
    entries = {message.id for message in catalogue if message.id}
    assert marked.keys() - entries == set(), "run scripts/catalogues and translate"
    assert entries - marked.keys() == set(), "run scripts/catalogues"
    assert not catalogue.obsolete


def test_every_entry_is_translated(catalogue, language):
    plurals = get_plural(language).num_plurals  # as the Unicode consortium has it (CLDR)
    for message in catalogue:
        forms = [message.string] if isinstance(message.id, str) else list(message.string)
        assert all(forms), f"not translated: {message.id}"
        if message.id:
            assert not message.fuzzy, message.id
        if not isinstance(message.id, str):
            assert len(forms) == plurals, message.id
    assert catalogue.num_plurals == plurals


def fields(text):
    """Give the fields of a format, numbered or named, with how they are shown."""
    return sorted(FIELD.findall(text))


def test_fields_are_the_same(catalogue):
    for message in catalogue:
        if not message.id:
            continue
        if isinstance(message.id, str):
            assert fields(message.string) == fields(message.id), message.id
        else:
            for form in message.string:
                assert fields(form) == fields(message.id[-1]), message.id


def test_spaces_around_are_the_same(catalogue):
    """What is put together from pieces has its spaces in the pieces."""
    for message in catalogue:
        if message.id and isinstance(message.id, str):
            for strip in (str.lstrip, str.rstrip):
                assert len(message.string) - len(strip(message.string)) == len(message.id) - len(strip(message.id))


def test_what_is_compiled_agrees(path, catalogue):
    """All but the head, in which Babel says its version."""
    kept, fresh = path.with_suffix(".mo").read_bytes(), script.compiled(catalogue)
    kept, fresh = (gettext.GNUTranslations(io.BytesIO(data))._catalog for data in (kept, fresh))
    assert len(kept) > 300
    assert {**kept, "": ""} == {**fresh, "": ""}


def test_the_catalogue_is_as_the_script_writes_it(path, catalogue):
    assert path.read_bytes() == script.text_of(catalogue)


def test_russian_counts_as_russians_do(path):
    with path.with_suffix(".mo").open("rb") as file:
        russian = gettext.GNUTranslations(file)
    people = [
        russian.ngettext("{} person", "{} people", count).format(count) for count in (1, 2, 5, 11, 21, 22, 25)
    ]
    assert people == [
        *("1 участник", "2 участника", "5 участников", "11 участников"),
        *("21 участник", "22 участника", "25 участников"),
    ]


# --- how the code marks ---


def calls(tree, name):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "securechat")))
def test_what_is_marked_can_be_collected(path):
    """A text is one literal: what is put together at run time is in no catalogue."""
    tree = ast.parse(path.read_text())
    for name in ("_", "N_", "ngettext"):
        for call in calls(tree, name):
            for argument in call.args[:2]:
                assert not isinstance(argument, ast.JoinedStr | ast.BinOp), f"{path}:{call.lineno}"
    for text in ast.walk(tree):
        for name in ("_", "ngettext") if isinstance(text, ast.JoinedStr) else ():
            for call in calls(text, name):  # which Babel sees or not, by the version of Python
                assert not isinstance(call.args[0], ast.Constant), f"{path}:{call.lineno}"
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.Lambda) and calls(function, "_"):
            stored = {
                node.id
                for node in ast.walk(function)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
            arguments = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
            assert "_" not in stored | arguments, f"{path}:{function.lineno}: _ is not the translator there"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "securechat")))
def test_nothing_is_translated_while_modules_are_imported(path):
    """The language is chosen afterwards: tables have N_, and _ where they are shown."""
    tree = ast.parse(path.read_text())
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    assert not [call.lineno for name in ("_", "ngettext") for call in calls(tree, name) if id(call) not in inside]


CLIENT = [path for path in FILES if path.relative_to(ROOT / "securechat").parts[0] == "client"]
SENTENCE = re.compile(r"[A-Za-z][a-z]+ [a-z]+.*[.!?]$", re.DOTALL)


@pytest.mark.parametrize("path", CLIENT, ids=lambda path: str(path.relative_to(ROOT / "securechat" / "client")))
def test_every_sentence_of_the_client_is_marked(path):
    """What looks like a sentence, is no docstring and goes through no `_`, would come out in English."""
    tree = ast.parse(path.read_text())
    known = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            known.add(id(node.value))
    for name in ("_", "N_", "ngettext"):
        known |= {id(part) for call in calls(tree, name) for part in ast.walk(call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in known:
            assert not SENTENCE.search(node.value), f"{path}:{node.lineno}: {node.value}"
        if isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
            assert not SENTENCE.search(text), f"{path}:{node.lineno}: {text}"
