"""`join`: from a link to an account, against the real server, old ones, and somebody in between."""

from __future__ import annotations

import base64
import ssl
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.between import Between
from helpers.commands import COMMAND, at_terminal, environment, finish, in_process, refused, securechat
from helpers.devices import SERVER, forge
from helpers.homes import PASSWORDS
from helpers.leaves import Authority, Leaf
from helpers.links import digest, link, token
from helpers.peer import Listener, deserted

from securechat.certs import issue
from securechat.client.profiles import Profile, Profiles
from securechat.storage.users import UserFile

WORD = "a password of my own"
USED = "This invite was used, has expired or was taken back: ask whoever invited you for another."
DAMAGED = "This is no whole invite"
STRANGE = "is not the server of this invite: somebody may be in between, so ask whoever invited you."
OLD = "The server is too old for invites: it has to be updated before anybody can join by one."


@pytest.fixture
def config(tmp_path):
    return tmp_path / "config"


@pytest.fixture
def join(config):
    """Run `join` in a pipe: join(link, start=refused)."""

    def run(*words, start=in_process, text=f"{WORD}\n"):
        return start("join", *words, "--password-stdin", text=text, SECURECHAT_CONFIG=str(config))

    return run


@pytest.fixture
def invite(home, server):
    return link(home, server.port)


def known(home):
    return UserFile(home.users).load()


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


class TestWholeWay:
    def test_in_a_pipe_it_says_what_to_do_next(self, join, invite, home, config, server):
        done = join(invite)
        assert (done.returncode, done.stderr) == (0, "")
        first, second, third = done.stdout.splitlines()
        assert (first, third) == ("The account olga is yours.", "To talk: securechat connect")
        assert second.endswith("needs no password from now on: /devices lists yours.")
        assert token(invite).encode() not in everything(config)
        assert WORD.encode() not in everything(config)
        done = in_process("send", "#lobby", "hello", SECURECHAT_CONFIG=str(config))
        assert (done.returncode, done.stderr) == (0, "")
        assert [one.name for one in known(home)["olga"].devices] != []

    def test_what_it_keeps_is_for_its_owner_only(self, join, invite, config):
        join(invite)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [config, *config.rglob("*")]}
        assert {modes.pop("config"), modes.pop("devices")} == {0o700}
        assert len(modes) == 3
        assert set(modes.values()) == {0o600}

    def test_at_a_terminal_it_opens_the_client(self, invite, config):
        client = at_terminal("join", "--plain", SECURECHAT_CONFIG=str(config), TERM="xterm", NO_COLOR="1")
        client.expect_exact("Invite: ")
        client.sendline(invite)
        tries = [
            ("short", "short", "A password has at least 8 characters."),
            (WORD, "another one", "The two differ."),
            (WORD, WORD, "The account olga is yours."),
        ]
        for word, again, told in tries:
            client.expect_exact("Choose a password for olga: ")
            client.sendline(word)
            client.expect_exact("The same again: ")
            client.sendline(again)
            client.expect_exact(told)
        client.expect_exact("as olga. Try /help.")
        client.expect_exact("#lobby>")
        client.send("/quit\r")
        assert finish(client)[0] == 0

    def test_without_a_device_the_password_is_what_logs_in(self, invite, config, home):
        words = ("join", invite, "--plain", "--no-device")
        client = at_terminal(*words, SECURECHAT_CONFIG=str(config), TERM="xterm", NO_COLOR="1")
        for prompt in ("Choose a password for olga: ", "The same again: "):
            client.expect_exact(prompt)
            client.sendline(WORD)
        client.expect_exact("as olga. Try /help.")
        client.expect_exact("#lobby>")
        client.send("/quit\r")
        assert finish(client)[0] == 0
        assert not (config / "devices").exists()
        assert known(home)["olga"].devices == ()

    @pytest.mark.parametrize("words", [(), ("-",)])
    def test_the_link_may_come_in_on_standard_input(self, join, invite, words):
        done = join(*words, text=f"{invite}\n{WORD}\n")
        assert done.stdout.startswith("The account olga is yours.")

    def test_a_server_of_a_public_authority(self, home, server, config):
        """The invite says that the system knows the authority; here the system's is the server's own."""
        invite = link(home, server.port).replace(digest(home.certs / "ca.pem"), "system")
        how = {"text": f"{WORD}\n", "SECURECHAT_CONFIG": str(config)}
        said = refused("join", invite, "--password-stdin", start=securechat, **how)
        assert said.endswith(STRANGE)
        how["SSL_CERT_FILE"] = str(home.certs / "ca.pem")
        done = securechat("join", invite, "--password-stdin", **how)
        assert done.stdout.startswith("The account olga is yours."), done.stderr
        assert 'ca = "system"' in (config / "profiles.toml").read_text()
        del how["text"]
        assert securechat("send", "#lobby", "hello", **how).returncode == 0
        del how["SSL_CERT_FILE"]
        assert "not from the authority" in refused("send", "#lobby", "hello", start=securechat, **how)

    def test_where_nothing_can_be_kept_the_invite_stays_good(self, join, invite, config):
        config.mkdir()
        (config / "profiles.toml").write_text("not = = toml")
        assert "is not a list of profiles" in join(invite, start=refused)
        (config / "profiles.toml").unlink()
        assert join(invite).returncode == 0


class TestRefused:
    def test_used_twice(self, join, invite):
        assert join(invite).returncode == 0
        assert join(invite, start=refused) == USED

    def test_expired_or_taken_back(self, join, home, server):
        invite = link(home, server.port)
        with UserFile(home.users).edit_book() as book:
            book.invites["olga"] = replace(book.invites["olga"], expires=1)
        assert join(invite, start=refused) == USED
        invite = link(home, server.port)
        in_process("uninvite", "olga", "--home", home.path)
        assert join(invite, start=refused) == USED

    def test_an_altered_token_or_name(self, join, invite, home):
        wrong = invite[:-1] + ("A" if invite[-1] != "A" else "B")
        assert join(wrong, start=refused) == USED
        assert join(invite.replace("/olga?", "/oleg?"), start=refused) == USED
        assert join(invite.replace("/olga?", "/alice?"), start=refused) == USED
        assert set(known(home)) == {name.lower() for name in PASSWORDS}
        assert join(invite).returncode == 0

    def test_an_altered_fingerprint(self, join, invite, home, config):
        good = digest(home.certs / "ca.pem")
        wrong = ("A" if good[0] != "A" else "B") + good[1:]
        assert join(invite.replace(good, wrong), start=refused).endswith(STRANGE)
        assert not config.exists(), "nothing is kept of a stranger"

    def test_no_link_changes_the_authority_that_is_known(self, join, invite, home, config, tmp_path):
        """Else a link from a stranger who is on the way to the server would."""
        issue(tmp_path / "other", (), 30)
        known_by = Profile(
            "x", "localhost", int(invite.split(":")[2].split("/")[0]), "x", tmp_path / "other/ca.pem"
        )
        Profiles(config).remember(known_by)
        assert "by another authority than the one in the invite" in join(invite, start=refused)
        assert "olga" not in known(home)

    def test_a_refused_one_changes_nothing_that_was_here(self, join, invite, config):
        join(invite)
        before = everything(config)
        assert join(invite, start=refused) == USED
        assert everything(config) == before

    def test_a_damaged_one(self, join):
        assert join("securechat://nowhere", start=refused).startswith(DAMAGED)
        assert join("-", start=refused, text="").startswith(DAMAGED)

    def test_a_weak_password_in_a_pipe_leaves_the_invite_good(self, join, invite):
        assert join(invite, start=refused, text="short\n") == "A password has at least 8 characters."
        assert join(invite, start=refused, text="x" * 500).startswith("The password is too long for an invite")
        assert join(invite).returncode == 0

    def test_without_a_terminal_there_is_nobody_to_ask(self, invite, config):
        said = refused("join", invite, SECURECHAT_CONFIG=str(config))
        assert said == "There is no terminal to ask for the password; pipe it in with --password-stdin."

    def test_nobody_listens(self, join, home):
        with deserted() as port:
            said = join(link(home, port), start=refused)
        assert said.startswith("Nobody is listening at localhost:")


class TestOldServer:
    @pytest.fixture
    def old(self, tmp_path):
        """A scripted server, and the invite that somebody made up for it."""
        authority = Authority(tmp_path / "pki")
        listener = Listener(authority.leaf())
        link = (
            f"securechat://localhost:{listener.port}/olga?ca={digest(authority.pem)}&token=abcdefghijklmnopqrstuv"
        )
        yield listener, link, authority
        listener.close()

    def run(self, invite, config):
        return subprocess.Popen(
            [*COMMAND, "join", invite, "--password-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(SECURECHAT_CONFIG=str(config)),
        )

    def test_that_does_not_know_the_question(self, old, config):
        listener, invite, _ = old
        process = self.run(invite, config)
        peer = listener.accept()
        peer.expect("CA")
        peer.send(":irc.test 451 * :You have not registered")
        peer.expect_end()
        assert process.communicate()[1].decode() == f"securechat: {OLD}\n"

    def test_that_knows_no_invites(self, old, config):
        listener, invite, authority = old
        process = self.run(invite, config)
        peer = listener.accept()
        peer.expect("CA")
        der = base64.b64encode(ssl.PEM_cert_to_DER_cert(authority.pem.read_text())).decode()
        pieces = [der[at : at + 400] for at in range(0, len(der), 400)]
        peer.send(*(f":irc.test CA :{piece}" for piece in pieces))
        peer.expect_end()
        peer = listener.accept()
        peer.expect("CAP LS :302")
        peer.send(":irc.test CAP * LS * :sasl=PLAIN", ":irc.test CAP * LS :batch")
        peer.expect_end()
        assert process.communicate()[1].decode() == f"securechat: {OLD}\n"


class TestInBetween:
    """A real TLS proxy: what it can read of a join is no secret, and it gets nobody's token."""

    @pytest.fixture
    def theirs(self, tmp_path):
        return Authority(tmp_path / "theirs")

    @pytest.fixture
    def pose(self, server):
        made = []

        def start(leaf: Leaf, own: str = "") -> Between:
            made.append(Between(server.port, leaf, own))
            return made[-1]

        yield start
        for one in made:
            one.stop()

    def nothing_secret(self, between, invite):
        heard = b"".join(between.heard)
        assert token(invite).encode() not in heard
        assert WORD.encode() not in heard
        assert b"olga" not in heard

    def test_with_an_authority_of_its_own(self, pose, theirs, join, home):
        own = base64.b64encode(ssl.PEM_cert_to_DER_cert(theirs.pem.read_text())).decode()
        own = own if len(own) < 400 else own[:399]
        between = pose(theirs.leaf(), own)
        invite = link(home, between.port)
        assert join(invite, start=refused).endswith(STRANGE)
        assert between.heard == [b"CA\r\n"], "that is all that was said, on one connection"
        self.nothing_secret(between, invite)

    def test_who_passes_on_the_right_authority_and_poses_then(self, pose, theirs, join, home, config):
        between = pose(theirs.leaf())
        invite = link(home, between.port)
        assert join(invite, start=refused).endswith(STRANGE)
        between.stop()
        assert between.heard == [b"CA\r\n"]
        assert len(between.broken) == 1, "the second connection ended in its handshake"
        self.nothing_secret(between, invite)
        assert "olga" not in known(home)

    def test_with_a_certificate_of_the_right_authority_for_another_name(self, pose, join, home, tmp_path):
        made = forge(home.certs, tmp_path / "forged.pem", use=SERVER, name="elsewhere")
        between = pose(Leaf(made, made))
        invite = link(home, between.port)
        assert "is made out to another name" in join(invite, start=refused)
        between.stop()
        assert between.heard == [b"CA\r\n"]
        self.nothing_secret(between, invite)

    def test_the_same_invite_is_still_good_at_the_real_server(self, pose, theirs, join, home, server):
        between = pose(theirs.leaf())
        invite = link(home, between.port)
        join(invite, start=refused)
        assert join(invite.replace(str(between.port), str(server.port))).returncode == 0
