"""What many tests need: a home folder with certificates and users, and a server that runs in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from helpers.homes import PASSWORDS, make_home
from helpers.wire import Wire
from hypothesis import HealthCheck, settings

from securechat.client import words
from securechat.config import Home, Limits, ServerConfig
from securechat.server.app import Server

# English, whatever the machine speaks: for this process, and for those that tests start.
os.environ["LANGUAGE"] = "en"
os.environ.pop("SECURECHAT_LANG", None)

# A slow machine is no failure.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def _english():
    """A test that speaks another language leaves English behind."""
    yield
    words.choose("en")


@pytest.fixture(scope="session")
def model_home(tmp_path_factory):
    """A home folder made once; tests work on copies."""
    return make_home(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path_factory, request, monkeypatch):
    """No test sees or changes what whoever runs it has in their configuration folder."""
    folder = tmp_path_factory.getbasetemp() / "config" / f"{hash(request.node.nodeid) & 0xFFFFFFFFFFFF:x}"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))


@pytest.fixture
def home(model_home, tmp_path):
    """A fresh home: certificates, and the users of `helpers.homes.PASSWORDS` (alice is admin)."""
    shutil.copytree(model_home.path, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def serve(home):
    """Start servers in `home`: serve(lines_per_second=0, lobby=None, ...) takes limits and settings."""
    running = []

    def start(*, lobby="#lobby", tls12=False, **limits):
        server = Server(
            ServerConfig(
                home=home, port=0, lobby=lobby, tls12=tls12, limits=Limits(**({"linger_seconds": 0.5} | limits))
            )
        )
        server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def server(serve):
    """A server with default limits."""
    return serve()


@pytest.fixture
def dial(home):
    """Connect to a server: dial(server) says nothing yet, dial(server, "alice", *caps) logs in."""
    wires = []

    def connect(server: Server, name: str | None = None, *caps: str, device: Path | None = None) -> Wire:
        wire = Wire(server.port, Path(home.certs) / "ca.pem", device=device)
        wires.append(wire)
        return wire if name is None else wire.login(name, PASSWORDS[name], *caps)

    yield connect
    for wire in wires:
        wire.close()
