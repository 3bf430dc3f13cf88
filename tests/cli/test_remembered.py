"""What `connect` remembers of a login, and passwords in the keyring: at a real terminal, against a real server."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from dataclasses import replace

import pytest
from helpers.commands import at_terminal, finish, in_process, refused
from helpers.homes import PASSWORDS

from securechat import Client
from securechat.client.profiles import Profile, ProfileError, Profiles, forget, has_keyring, recall, store

SECRET = PASSWORDS["alice"]
KEYRING = """
    import json, os
    from pathlib import Path
    class _Backend: pass
    FILE = Path(os.environ["FAKE_KEYRING"])
    def get_keyring():
        if os.environ.get("FAKE_KEYRING_IS") == "broken": raise RuntimeError("no bus")
        from keyring.backends import fail
        return fail.Keyring() if os.environ.get("FAKE_KEYRING_IS") == "none" else _Backend()
    def _read():
        if os.environ.get("FAKE_KEYRING_IS") == "locked": raise RuntimeError("locked")
        return json.loads(FILE.read_text()) if FILE.exists() else {}
    def get_password(service, name): return _read().get(f"{service} {name}")
    def set_password(service, name, password):
        FILE.write_text(json.dumps(_read() | {f"{service} {name}": password}))
    def delete_password(service, name):
        FILE.write_text(json.dumps({key: value for key, value in _read().items() if key != f"{service} {name}"}))
"""
"""A keyring module that keeps its passwords in the file FAKE_KEYRING; FAKE_KEYRING_IS says what is wrong."""


class Desktop:
    """A person's configuration folder, and what is in their keyring."""

    def __init__(self, folder, home, server):
        self.config, self.home, self.server = folder / "config", home, server
        self._keyring = folder / "keyring.json"
        package = folder / "python" / "keyring"
        package.joinpath("backends").mkdir(parents=True)
        package.joinpath("__init__.py").write_text(textwrap.dedent(KEYRING))
        for name in ("__init__", "fail", "null"):
            package.joinpath("backends", f"{name}.py").write_text("class Keyring: pass\n")
        self.variables = {
            "PYTHONPATH": str(package.parent),
            "FAKE_KEYRING": str(self._keyring),
            "SECURECHAT_CONFIG": str(self.config),
            "TERM": "xterm",
            "NO_COLOR": "1",
        }

    @property
    def login(self):
        return ("--user", "alice", "--port", self.server.port, "--ca", self.home.certs / "ca.pem")

    @property
    def profiles(self):
        return Profiles(self.config)

    @property
    def passwords(self):
        return json.loads(self._keyring.read_text()) if self._keyring.exists() else {}

    def put(self, password):
        self._keyring.write_text(json.dumps({f"securechat alice@localhost:{self.server.port}": password}))

    def connect(self, *words, **variables):
        return at_terminal("connect", "--plain", *words, cwd=self.config.parent, **self.variables | variables)

    def come_and_go(self, *words, answer=None, **variables):
        """Connect, typing the password and the answer about the keyring where there is one; return the output."""
        client = self.connect(*words, **variables)
        if answer is not None:
            client.expect_exact("Password for alice: ")
            client.sendline(SECRET)
        if answer:
            client.expect_exact("Remember it in the keyring of this desktop? [y/N] ")
            client.sendline(answer)
        client.expect_exact("#lobby>")
        said = client.before
        client.send("/quit\r")
        assert finish(client)[0] == 0
        return said

    def use_here(self, monkeypatch, trouble=""):
        """Use its keyring in this process."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "keyring"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(self.variables["PYTHONPATH"])
        monkeypatch.setenv("FAKE_KEYRING", self.variables["FAKE_KEYRING"])
        monkeypatch.setenv("FAKE_KEYRING_IS", trouble)
        if trouble == "missing":
            monkeypatch.setitem(sys.modules, "keyring", None)

    def remember(self, keyring=""):
        """Have the login remembered, without a terminal."""
        made = Profile("home", "localhost", self.server.port, "alice", self.home.certs / "ca.pem")
        self.profiles.remember(replace(made, keyring=keyring))


@pytest.fixture
def desktop(tmp_path, home, server):
    return Desktop(tmp_path, home, server)


class TestProfile:
    def test_connect_alone_goes_where_it_was(self, desktop):
        desktop.come_and_go(*desktop.login, SECURECHAT_PASSWORD=SECRET)
        assert desktop.profiles.path.stat().st_mode & 0o777 == 0o600
        assert SECRET not in desktop.profiles.path.read_text()
        (desktop.home.certs / "ca.pem").rename(desktop.home.certs / "moved.pem")
        said = desktop.come_and_go(SECURECHAT_PASSWORD=SECRET)
        assert "Password" not in said
        assert "as alice" in said

    def test_scripts_use_it_and_change_nothing(self, desktop):
        desktop.remember()
        before = desktop.profiles.path.read_text()
        ask = {"cwd": desktop.config.parent, "SECURECHAT_CONFIG": str(desktop.config)}
        done = in_process("send", "#lobby", "hello", **ask, SECURECHAT_PASSWORD=SECRET)
        assert (done.returncode, done.stderr) == (0, "")
        words = ("--user", "bob", "--port", str(desktop.server.port), "--ca", desktop.home.certs / "ca.pem")
        done = in_process("tail", *words, **ask, SECURECHAT_PASSWORD=PASSWORDS["bob"])
        assert "<alice> hello" in done.stdout
        assert desktop.profiles.path.read_text() == before
        assert refused("tail", "--profile", "work", **ask) == "There is no profile 'work'; those are: home."
        done = in_process("tail", "--profile", "home", **ask, SECURECHAT_PASSWORD=SECRET)
        assert "<alice> hello" in done.stdout

    @pytest.mark.parametrize(
        "text",
        ["not = = toml", "last = [1]", "profiles = 3", "[profiles.a]\nhost = 'x'", "\x00", "[profiles]\na = 1"],
    )
    def test_a_damaged_file_is_one_sentence(self, desktop, text):
        desktop.config.mkdir()
        desktop.profiles.path.write_text(text)
        ask = {"cwd": desktop.config.parent, "SECURECHAT_CONFIG": str(desktop.config)}
        for words in (("connect",), ("send", "#lobby", "hello"), ("tail",)):
            said = refused(*words, **ask, SECURECHAT_PASSWORD="x")
            assert said.endswith("profiles.toml is not a list of profiles; correct it or move it away.")

    def test_an_authority_that_is_gone(self, desktop):
        desktop.remember()
        desktop.profiles.get().ca.unlink()
        ask = {"cwd": desktop.config.parent, "SECURECHAT_CONFIG": str(desktop.config)}
        said = refused("connect", **ask, SECURECHAT_PASSWORD="x")
        assert re.fullmatch(r"\S+ca-\w+\.pem cannot be read: .*; pass the server's ca\.pem with --ca\.", said)

    def test_programs_use_it(self, desktop, monkeypatch):
        monkeypatch.setenv("SECURECHAT_CONFIG", str(desktop.config))
        monkeypatch.delenv("SECURECHAT_PASSWORD", raising=False)
        with pytest.raises(ProfileError, match="No server is remembered yet"):
            Client.from_profile()
        desktop.remember()
        with pytest.raises(ProfileError, match="There is no password for home: set SECURECHAT_PASSWORD"):
            Client.from_profile()
        with Client.from_profile("home", password=lambda: SECRET) as chat:
            assert chat.nick == "alice"
        monkeypatch.setenv("SECURECHAT_PASSWORD", SECRET)
        with Client.from_profile(timeout=5) as chat:
            assert chat.say("#lobby", "hello").kept


class TestKeyring:
    """Where the server gives no certificates: its authority's key is kept elsewhere."""

    @pytest.fixture(autouse=True)
    def _key_away(self, home):
        (home.certs / "ca.key").unlink()

    def test_with_consent_it_keeps_the_password(self, desktop):
        desktop.come_and_go(*desktop.login, answer="y")
        assert list(desktop.passwords.values()) == [SECRET]
        assert desktop.profiles.get().keyring == "yes"
        assert "Password" not in desktop.come_and_go()

    def test_without_consent_it_does_not_and_does_not_ask_again(self, desktop):
        desktop.come_and_go(*desktop.login, answer="n")
        assert desktop.passwords == {}
        assert "keyring" not in desktop.come_and_go(answer="")

    def test_a_wrong_one_is_forgotten_and_asked_for(self, desktop):
        desktop.remember(keyring="yes")
        desktop.put("an older one")
        client = desktop.connect()
        client.expect_exact("the name or the password is wrong; it is out of the keyring now.")
        assert desktop.passwords == {}
        for _ in range(3):
            client.expect_exact("Password for alice: ")
            client.sendline("wrong again")
        code, said = finish(client)
        assert code == 1
        assert "Login refused: the name or the password is wrong." in said
        assert desktop.passwords == {}
        desktop.come_and_go(answer="")
        assert list(desktop.passwords.values()) == [SECRET]

    def test_where_it_is_locked_the_password_is_asked_for(self, desktop):
        desktop.remember(keyring="yes")
        desktop.put(SECRET)
        said = desktop.come_and_go(answer="", FAKE_KEYRING_IS="locked")
        assert "keyring" not in said
        assert "Traceback" not in said

    @pytest.mark.parametrize("trouble", ["missing", "none", "broken", "locked", ""])
    def test_whatever_is_wrong_with_it_keeps_nobody_out(self, desktop, monkeypatch, trouble):
        desktop.remember(keyring="yes")
        desktop.put(SECRET)
        desktop.use_here(monkeypatch, trouble)
        profile = desktop.profiles.get()
        assert recall(profile) == ("" if trouble else SECRET)
        assert store(profile, "another") is not bool(trouble)
        assert list(desktop.passwords.values()) == [SECRET if trouble else "another"]
        forget(profile)
        assert list(desktop.passwords.values()) == ([SECRET] if trouble else [])
        assert has_keyring() is (trouble in ("locked", ""))
        assert recall(replace(profile, keyring="")) == ""

    def test_it_can_be_left_alone(self, desktop, monkeypatch):
        desktop.remember(keyring="yes")
        desktop.put("an older one")
        desktop.use_here(monkeypatch)
        ask = {"cwd": desktop.config.parent, "SECURECHAT_CONFIG": str(desktop.config)}
        said = refused("send", "#lobby", "hello", "--no-keyring", **ask)
        assert said.startswith("There is no terminal to ask for the password")
        assert list(desktop.passwords.values()) == ["an older one"]

    def test_scripts_forget_a_wrong_one_too(self, desktop, monkeypatch):
        desktop.remember(keyring="yes")
        desktop.put("an older one")
        desktop.use_here(monkeypatch)
        ask = {"cwd": desktop.config.parent, "SECURECHAT_CONFIG": str(desktop.config)}
        assert refused("send", "#lobby", "hello", **ask) == (
            "Login refused: the name or the password is wrong; it is out of the keyring now."
        )
        assert desktop.passwords == {}
        assert refused("send", "#lobby", "hello", **ask).startswith("There is no terminal to ask for the password")
        desktop.put(SECRET)
        assert in_process("send", "#lobby", "hello", **ask).returncode == 0

    def test_a_busy_server_says_nothing_about_the_password(self, desktop):
        from securechat.cli.logins import Login
        from securechat.client.errors import LoginError

        desktop.remember(keyring="yes")
        login = Login(desktop.profiles.get(), keyring=True, recalled=True)
        busy = LoginError("The server refused the login: Too many logins at once: try again in a moment.")
        assert login.refused(busy) == str(busy)
        assert login.recalled
