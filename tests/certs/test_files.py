"""Certificates as files: no accident loses a key, exposes one, or leaves two files that do not match."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from helpers.certificates import connect, contents

from securechat import certs
from securechat.certs import CertificateError, files

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    """A folder that does not exist yet, in a home that does not either."""
    return tmp_path / "home" / "certs"


def test_modes_from_the_first_moment(folder, monkeypatch):
    """Nobody else can open a key at any time, not even where the umask allows everything."""
    seen = {}
    real = os.open

    def watched(path, flags, mode=0o777, **rest):
        descriptor = real(path, flags, mode, **rest)
        if flags & os.O_CREAT:
            seen[Path(path).name] = stat.S_IMODE(os.fstat(descriptor).st_mode)
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    old = os.umask(0)
    try:
        certs.issue(folder)
    finally:
        os.umask(old)
    assert seen == {"ca.key.new": 0o600, "ca.pem.new": 0o644, "server.key.new": 0o600, "server.pem.new": 0o644}
    assert sorted(contents(folder)) == ["ca.key", "ca.pem", "server.key", "server.pem"]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent, *folder.iterdir())}
    public = {"ca.pem": 0o644, "server.pem": 0o644}
    assert modes == {"home": 0o700, "certs": 0o700, "ca.key": 0o600, "server.key": 0o600} | public


def test_renewal(folder):
    """Run again: the same CA, a new key, the old names and the new ones."""
    first = certs.issue(folder, ["a.example", "10.1.1.1"])
    before = contents(folder)
    second = certs.issue(folder, ["b.example"], days=5)
    after = contents(folder)
    assert [name for name in before if before[name] == after[name]] == ["ca.key", "ca.pem"]
    assert second.names == (*first.names, "b.example")
    assert second.ca_fingerprint == first.ca_fingerprint
    assert second == certs.describe(folder)
    keys = [x509.load_pem_x509_certificate(data["server.pem"]).public_key() for data in (before, after)]
    assert keys[0] != keys[1]


def test_leaf_does_not_outlive_authority(folder):
    """The authority's end is the leaf's."""
    made = certs.issue(folder, now=NOW)
    late = certs.issue(folder, now=made.ca_not_after - timedelta(days=20))
    assert late.not_after == late.ca_not_after == made.ca_not_after


def test_authority_key_kept_elsewhere(folder):
    """The server runs without ca.key; only a renewal needs it."""
    certs.issue(folder)
    (folder / "ca.key").unlink()
    assert certs.describe(folder).names[0] == "localhost"


def _remove(name):
    return lambda folder: (folder / name).unlink()


def _write(name, data):
    return lambda folder: (folder / name).write_bytes(data)


def _from_elsewhere(*names):
    def change(folder):
        certs.issue(folder.parent / "elsewhere")
        for name in names:
            (folder / name).write_bytes((folder.parent / "elsewhere" / name).read_bytes())

    return change


def _protect_by_password(folder):
    key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    how = serialization.BestAvailableEncryption(b"secret")
    data = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)
    (folder / "ca.key").write_bytes(data)


def _leaf_as_authority(folder):
    for kind in ("pem", "key"):
        (folder / f"ca.{kind}").write_bytes((folder / f"server.{kind}").read_bytes())


@pytest.mark.parametrize(
    ("change", "named", "way_out"),
    [
        (_remove("ca.key"), "ca.key", "put it back"),
        (_remove("ca.pem"), "ca.pem", "put it back"),
        (_from_elsewhere("ca.pem"), "ca.key", "belong together"),
        (_from_elsewhere("ca.key"), "ca.key", "belong together"),
        (_write("ca.pem", b"nonsense"), "ca.pem", "from a copy"),
        (_write("ca.key", b""), "ca.key", "from a copy"),
        (_protect_by_password, "ca.key", "a command that asks"),
        (_leaf_as_authority, "ca.pem", "put the right ca.pem back"),
        (_write("server.pem", b"-----BEGIN CERTIFICATE-----\n"), "server.pem", "move it away"),
        (_from_elsewhere("server.pem", "server.key"), "server.pem", "move it away"),
        (_from_elsewhere("ca.pem", "ca.key"), "server.pem", "move it away"),
    ],
)
def test_refused_and_untouched(folder, change, named, way_out):
    """What cannot be right is named, with the way out, and nothing is written."""
    certs.issue(folder)
    change(folder)
    before = contents(folder)
    with pytest.raises(CertificateError) as caught:
        certs.issue(folder)
    sentence = str(caught.value)
    assert str(folder / named) in sentence
    assert way_out in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("later", "what"),
    [(timedelta(days=3700), "expired on 2041"), (timedelta(days=-1), "set this machine's clock")],
)
def test_authority_out_of_its_time(folder, later, what):
    """An authority that clients would refuse signs nothing."""
    certs.issue(folder, now=NOW)
    before = contents(folder)
    with pytest.raises(CertificateError, match=what):
        certs.issue(folder, now=NOW + later)
    assert contents(folder) == before


@pytest.mark.parametrize("name", ["ca.pem", "server.pem", "server.key"])
def test_describe_missing(folder, name):
    """The server's operator is told which file and which command."""
    certs.issue(folder)
    (folder / name).unlink()
    with pytest.raises(CertificateError, match="run 'securechat init-certs' first") as caught:
        certs.describe(folder)
    assert str(folder / name) in str(caught.value)


def test_describe_mismatch(folder):
    """Two files that do not belong together are named, both."""
    certs.issue(folder)
    _from_elsewhere("server.key")(folder)
    with pytest.raises(CertificateError, match=r"server\.key is not the key of .*server\.pem"):
        certs.describe(folder)


def test_fingerprint_of_nothing(tmp_path):
    """A client without its CA is told which file."""
    with pytest.raises(
        CertificateError, match=r"Cannot use .*ca\.pem \(No such file or directory\); check that path"
    ):
        certs.fingerprint(tmp_path / "ca.pem")


class Killed(BaseException):
    """The process ends here."""


def kill_at(monkeypatch, step):
    """End `publish` at its n-th step: before or between the moves of the files."""
    count = 0
    for name in ("_create", "_place"):
        real = getattr(files, name)

        def stepping(*arguments, real=real):
            nonlocal count
            count += 1
            if count == step:
                raise Killed
            real(*arguments)

        monkeypatch.setattr(files, name, stepping)


@pytest.mark.parametrize("step", range(1, 5))
def test_killed_while_renewing(folder, monkeypatch, step):
    """Killed at any step, the server still has a pair that works, and the next run clears up."""
    certs.issue(folder, ["a.example"])
    with monkeypatch.context() as patched:
        kill_at(patched, step)
        with pytest.raises(Killed):
            certs.issue(folder, ["b.example"])
    names = certs.describe(folder).names
    assert ("b.example" in names) == (step == 4)
    connect(folder, "a.example")
    assert {"a.example", "c.example"} <= set(certs.issue(folder, ["c.example"]).names)
    assert sorted(contents(folder)) == ["ca.key", "ca.pem", "server.key", "server.pem"]


@pytest.mark.parametrize("step", range(1, 9))
def test_killed_while_starting(folder, monkeypatch, step):
    """Killed at any step of the first run, the second one completes it, with the CA that was there if one was."""
    with monkeypatch.context() as patched:
        kill_at(patched, step)
        with pytest.raises(Killed):
            certs.issue(folder)
    key = (folder / "ca.key").read_bytes() if (folder / "ca.key").exists() else None
    certs.issue(folder)
    connect(folder, "localhost")
    assert key in (None, (folder / "ca.key").read_bytes())
    assert sorted(contents(folder)) == ["ca.key", "ca.pem", "server.key", "server.pem"]


def test_authority_never_overwritten(folder, monkeypatch):
    """Even a CA that appears while one is being made stays as it is."""
    real = files._place

    def appears(path):
        if path.name == "ca.key":
            path.write_bytes(b"somebody else's")
        real(path)

    monkeypatch.setattr(files, "_place", appears)
    with pytest.raises(CertificateError, match="File exists"):
        certs.issue(folder)
    assert (folder / "ca.key").read_bytes() == b"somebody else's"


def test_many_at_once(folder):
    """Several first runs at the same time make one authority and one matching pair."""
    program = f"from pathlib import Path; from securechat import certs; certs.issue(Path({str(folder)!r}))"
    runs = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(4)]
    assert [run.wait(30) for run in runs] == [0] * 4
    connect(folder, "localhost")


def test_in_use(folder, monkeypatch):
    """The wait for another run has an end."""
    certs.issue(folder)
    monkeypatch.setattr(files, "LOCK_SECONDS", 0)
    with files.locked(folder), pytest.raises(CertificateError, match="in use by another init-certs"):
        certs.issue(folder)


def test_full_disk(folder):
    """No room for the new files: the old pair stays, and nothing half-written is left."""
    certs.issue(folder)
    before = contents(folder)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(CertificateError, match=r"Cannot use .*server\.pem\.new \(File too large\); "):
            certs.issue(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert contents(folder) == before
