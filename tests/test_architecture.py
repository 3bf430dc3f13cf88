"""The rooms and what they may import, as ../shared/design.md draws them; and how big a room may be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "securechat"
MAY_IMPORT = {
    "cli": {"server", "client", "storage", "certs", "config"},
    "server": {"chat", "storage", "net", "protocol", "records", "config", "certs"},
    "client": {"protocol", "net.tls", "certs", "config", "records"},
    "chat": {"protocol", "records"},
    "storage": {"records"},
    "net": {"protocol"},
    "protocol": set(),
    "records": set(),
    "config": set(),
    "certs": set(),
}
IMPURE = {"socket", "ssl", "threading", "time", "sqlite3", "selectors", "subprocess", "queue"}
PURE = ("protocol", "chat", "records")
CLIENT_CORE = PACKAGE / "client" / "desk"
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Full names of everything that a file imports, wherever in the file; `from a import b` gives "a.b" too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def allowed(room: str, name: str) -> bool:
    parts = name.split(".")[1:]
    if not parts or parts[0] in (room, "__version__"):
        return True
    return any(parts[: len(one.split("."))] == one.split(".") for one in MAY_IMPORT[room])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms_import_only_what_the_map_allows(path):
    room = room_of(path)
    if room in ("__init__", "__main__"):
        return
    ours = {name for name in imports(path) if name.split(".")[0] == "securechat"}
    assert not {name for name in ours if not allowed(room, name)}


@pytest.mark.parametrize("path", [path for path in FILES if room_of(path) in PURE], ids=lambda path: path.stem)
def test_pure_rooms_touch_no_world(path):
    assert not {name.split(".")[0] for name in imports(path)} & IMPURE


@pytest.mark.parametrize("path", sorted(CLIENT_CORE.glob("*.py")), ids=lambda path: path.stem)
def test_the_desk_knows_no_screen_and_no_world(path):
    names = imports(path)
    assert not {name.split(".")[0] for name in names} & (IMPURE | {"textual", "rich", "os", "pathlib"})
    assert not {name for name in names if name.startswith("securechat.client.screen")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms_stay_small(path):
    text = path.read_text()
    assert text.count("\n") <= 350
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 45, f"{node.name} is long"


def test_nobody_imports_scripts():
    for path in FILES:
        assert not {name for name in imports(path) if name.split(".")[0] == "scripts"}
