"""A person's own machine: a password once, none from then on, and what happens when the server minds."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.commands import at_terminal, finish, in_process, refused, securechat
from helpers.devices import forge, revoke
from helpers.homes import PASSWORDS

from securechat.client.devices import Device
from securechat.client.settings import Endpoint
from securechat.storage.users import UserFile

SECRET = PASSWORDS["alice"]
ASKED = "Password for alice: "
REFUSED = "The server does not take this device's certificate any more"


class Machine:
    """A configuration folder of one person, and `connect` in it."""

    def __init__(self, folder: Path, home, server, monkeypatch):
        self.config, self.home, self.port = folder / "config", home, server.port
        monkeypatch.setenv("SECURECHAT_CONFIG", str(self.config))
        self.variables = {"SECURECHAT_CONFIG": str(self.config), "TERM": "xterm", "NO_COLOR": "1"}
        self.login = ("--user", "alice", "--port", str(self.port), "--ca", home.certs / "ca.pem")

    @property
    def device(self):
        return Device("alice", Endpoint("localhost", self.port), self.home.certs / "ca.pem")

    def connect(self, *words, **variables):
        return at_terminal("connect", "--plain", *words, cwd=self.config.parent, **self.variables | variables)

    def enter(self, client, *, asked):
        """Log in, by password or without; return what was shown until the prompt."""
        shown = ""
        if asked:
            client.expect_exact(ASKED)
            shown += client.before
            client.sendline(SECRET)
        client.expect_exact("#lobby>")
        assert asked or ASKED not in client.before
        return shown + client.before

    def leave(self, client):
        client.send("/quit\r")
        assert finish(client)[0] == 0

    def once(self):
        """Come by password, and leave with a device."""
        client = self.connect(*self.login)
        self.enter(client, asked=True)
        # The certificate comes behind the login; what is asked now is answered behind it.
        client.send("/devices\r")
        client.expect_exact("Those are all the devices of alice; /revoke DEVICE locks one out.")
        if "needs no password from now on" not in client.before:
            client.send("/devices\r")
            client.expect_exact("Those are all the devices of alice")
        self.leave(client)
        assert self.device.good

    def piped(self, *words, **variables):
        variables = {"SECURECHAT_CONFIG": str(self.config), **variables}
        return securechat(*words, cwd=self.config.parent, **variables)

    def refused(self, *words, **variables):
        variables = {"SECURECHAT_CONFIG": str(self.config), **variables}
        return refused(*words, start=securechat, cwd=self.config.parent, **variables)


@pytest.fixture
def machine(tmp_path, home, server, monkeypatch):
    return Machine(tmp_path, home, server, monkeypatch)


class TestNoPassword:
    def test_the_second_time_nobody_is_asked(self, machine):
        machine.once()
        client = machine.connect()
        shown = machine.enter(client, asked=False)
        assert "as alice" in shown
        assert "needs no password" not in shown, "that was told once"
        machine.leave(client)

    def test_in_pipes_and_scripts_as_well(self, machine):
        machine.once()
        done = machine.piped("send", "#lobby", "hello")
        assert (done.returncode, done.stderr) == (0, "")
        done = machine.piped("connect", text="a line from a pipe\n")
        assert (done.returncode, done.stderr) == (0, "")
        done = machine.piped("tail", "#lobby")
        assert "<alice> hello" in done.stdout
        assert "<alice> a line from a pipe" in done.stdout

    def test_a_script_makes_no_device(self, machine):
        for words in (("connect",), ("send", "#lobby", "hello")):
            done = machine.piped(*words, *machine.login, SECURECHAT_PASSWORD=SECRET)
            assert done.returncode == 0
        assert UserFile(machine.home.users).load()["alice"].devices == ()
        assert not machine.config.exists()

    def test_on_a_shared_computer_none_is_made_and_none_is_used(self, machine):
        for _ in range(2):
            client = machine.connect(*machine.login, "--no-device")
            machine.enter(client, asked=True)
            machine.leave(client)
            assert not machine.device.path.exists()
        machine.once()
        client = machine.connect("--no-device")
        machine.enter(client, asked=True)
        machine.leave(client)
        assert machine.device.good

    def test_a_password_on_standard_input_is_what_counts(self, machine):
        machine.once()
        said = machine.refused("send", "#lobby", "hello", "--password-stdin", text="wrong\n")
        assert said == "Login refused: the name or the password is wrong."
        assert machine.device.good


class TestRevoked:
    def test_while_connected(self, machine):
        machine.once()
        client = machine.connect()
        machine.enter(client, asked=False)
        revoke(machine.home, "alice")
        code, said = finish(client)
        assert code == 1
        assert "This device's certificate was revoked: log in by password." in said
        client = machine.connect()
        assert REFUSED in machine.enter(client, asked=True), "it is told, and the password asked for"
        machine.leave(client)

    def test_in_a_pipe_it_fails_and_says_why(self, machine):
        machine.once()
        revoke(machine.home, "alice")
        assert machine.refused("connect").startswith(REFUSED)
        assert not machine.device.path.exists()
        assert machine.refused("send", "#lobby", "hello").startswith(
            "There is no terminal to ask for the password"
        )
        done = machine.piped("send", "#lobby", "hello", SECURECHAT_PASSWORD=SECRET)
        assert done.returncode == 0

    def test_send_at_a_terminal_asks_then(self, machine):
        machine.once()
        revoke(machine.home, "alice")
        client = at_terminal("send", "#lobby", "hello", cwd=machine.config.parent, **machine.variables)
        client.expect_exact(REFUSED)
        client.expect_exact(ASKED)
        client.sendline(SECRET)
        assert finish(client)[0] == 0

    def test_on_the_full_screen(self, machine):
        machine.once()
        revoke(machine.home, "alice")
        client = at_terminal("connect", cwd=machine.config.parent, dimensions=(40, 150), **machine.variables)
        client.expect_exact(REFUSED)
        client.expect_exact(ASKED)
        client.sendline(SECRET)
        client.expect(r"\d ms")  # the lag is measured as soon as there is nothing more to catch up with
        client.send("/devices\r")
        client.expect_exact("Those are all the devices of alice")
        client.send("/quit\r")
        assert finish(client)[0] == 0
        assert machine.device.good

    def test_by_its_owner(self, machine):
        machine.once()
        name = machine.device.held().name
        client = machine.connect("--no-device")
        machine.enter(client, asked=True)
        client.send("/revoke nonsense\r")
        client.expect_exact("There is no device nonsense: /devices lists yours.")
        client.send(f"/revoke {name}\r")
        client.expect_exact(f"{name} is revoked: it needs the password from now on.")
        client.send("/devices\r")
        client.expect_exact("alice has no device that needs no password.")
        machine.leave(client)
        assert machine.refused("connect").startswith(REFUSED)

    def test_a_disabled_account(self, machine):
        machine.once()
        in_process("disable", "alice", "--home", machine.home.path)
        assert machine.refused("connect").startswith(REFUSED)

    def test_one_that_has_expired_is_told_and_replaced(self, machine, tmp_path):
        machine.once()
        path = machine.device.path
        path.write_bytes(forge(machine.home.certs, tmp_path / "old.pem", end=0).read_bytes())
        client = machine.connect()
        shown = machine.enter(client, asked=True)
        assert "The certificate of this device has expired; log in by password." in shown
        machine.leave(client)
        assert machine.device.good
