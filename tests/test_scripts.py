"""What people run from a checkout: scripts/start, its environment, and what all scripts have in common."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tomllib
from importlib import metadata

import pexpect
import pytest
from helpers.scripts import ROOT, SECONDS, environment, run

PASSWORD = "correct horse"


def normal(name):
    """Return a distribution's name as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement(text):
    """Return the name in a requirement, and whether it counts here: not for an extra, not for another system."""
    name = normal(re.match(r"[\w.-]+", text)[0])
    marker = text.partition(";")[2]
    return name, "extra" not in marker and "indows" not in marker and "win32" not in marker


def needed(names):
    """Return these and all that they need, as far as it is installed."""
    found, left = set(), list(names)
    while left:
        name = left.pop()
        if name in found:
            continue
        try:
            requirements = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # needed by another version of Python only
        found.add(name)
        left += [name for name, counts in map(requirement, requirements) if counts]
    return found


def pins():
    """Return what constraints.txt says, comments and empty lines left out."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_constraints_are_exact_versions_and_nothing_else():
    """No index addresses, no ranges, no files: one name and one version a line."""
    assert [pin for pin in pins() if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", pin)] == []


def test_constraints_have_every_dependency():
    """What the project and its tools need is pinned, and what they need in turn."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    direct = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    pinned = {pin.partition("==")[0] for pin in pins()}
    assert needed(requirement(text)[0] for text in direct) - pinned == set()


def test_scripts_name_the_dev_tools():
    """An old pip knows no dependency groups, so env.sh names the tools; they are those of pyproject.toml."""
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    assert f'tools="{" ".join(sorted(group))}"' in (ROOT / "scripts/env.sh").read_text()


def test_demo(tmp_path):
    """Without a terminal: three people talk over TLS, everything is as it has to be, and nothing stays behind."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    done = run(ROOT / "scripts/start", SECURECHAT_HOME=home, TMPDIR=temporary)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "What anna saw:" in done.stdout
    assert done.stdout.count("<мария> Привет! Я тоже здесь.") == 3
    assert "NOT" not in done.stdout
    assert not is_listening(done.stdout)
    assert [*home.iterdir(), *temporary.iterdir()] == []


def is_listening(said):
    """Whether the server whose ready line is in this text accepts connections."""
    port = int(re.search(r"listening on 127\.0\.0\.1:(\d+)", said)[1])
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_demo_ends_in_order_when_it_is_told_to(tmp_path):
    """SIGTERM in the middle ends the server and the clients, and removes the home."""
    command = [ROOT / "scripts/start", "--demo"]
    said = ""
    with subprocess.Popen(command, env=environment(TMPDIR=tmp_path), stdout=subprocess.PIPE, text=True) as demo:
        while "connect --user anna" not in said:
            said += demo.stdout.readline()
        demo.send_signal(signal.SIGSTOP)  # however slow this test is, the demo waits in its middle
        assert is_listening(said)
        demo.terminate()
        demo.send_signal(signal.SIGCONT)
        demo.stdout.read()
    assert demo.returncode == 128 + signal.SIGTERM
    assert not is_listening(said)
    assert list(tmp_path.iterdir()) == []


def test_demo_fails_if_something_differs(tmp_path):
    """A demonstration that cannot fail shows nothing: here it expects fewer lines."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    demo = tmp_path / "scripts/demo.py"
    demo.write_text(demo.read_text().replace("sorted(TALK + AT_ONCE)", "sorted(TALK)"))
    done = run(tmp_path / "scripts/start", "--demo")
    assert done.returncode == 1
    assert "NOT  everybody saw every line once" in done.stdout


def test_start_from_nothing_and_again(tmp_path):
    """On a terminal: certificates, a first user, a server in the background, the client; then only the client."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    server = 0
    try:
        first = start_on_terminal(tmp_path, port)
        first.expect("Your name: ")
        first.sendline("not a name")
        first.expect("Your name: ")
        first.sendline("anna")
        for prompt in ("Password: ", "again: "):
            first.expect(prompt)
            first.sendline(PASSWORD)
        first.expect(r"To stop it: kill (\d+)")
        server = int(first.match[1])
        first.expect("Password for anna: ")
        first.sendline(PASSWORD)
        talk(first)
        first.expect(f"kill {server}")
        end(first)
        again = start_on_terminal(tmp_path, port)
        again.expect("is listening on")
        talk(again)  # without a password: this machine is a device by now
        end(again)
    finally:
        if server:
            os.kill(server, signal.SIGTERM)
    assert (tmp_path / "server.log").stat().st_mode & 0o777 == 0o600


def start_on_terminal(home, port):
    """Run scripts/start as a person would."""
    return pexpect.spawn(
        str(ROOT / "scripts/start"),
        ["--port", port],
        env=environment(SECURECHAT_HOME=home),
        encoding="utf-8",
        timeout=SECONDS,
    )


def talk(terminal):
    """Be let in, say something and leave."""
    terminal.expect("you are in #lobby")
    terminal.sendline("привет")
    terminal.expect("anna.*> привет")
    terminal.sendline("выход")


def end(terminal):
    """Wait for the script to end in order."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("start", ["--nonsense"]),
        ("start", ["--port", "x"]),
        ("start", ["--port", "99999"]),
        ("bench", ["--only", "nonsense"]),
        ("bench", ["--contenders", "nonsense"]),
        ("figures", ["--nonsense"]),
        ("bench-history", ["--messages", "1"]),
        ("growth", ["--axis", "nonsense"]),
        ("profile", ["--senders", "0"]),
        ("profile", ["--out", "flames.txt"]),
    ],
)
def test_wrong_arguments_are_refused(script, words):
    """One sentence at the end says what is wrong, and nothing is started."""
    done = run(ROOT / "scripts" / script, *words)
    assert done.returncode != 0
    assert words[0] in done.stderr.splitlines()[-1]


@pytest.fixture
def checkout(tmp_path):
    """A checkout that has only what the environment is made from."""
    root = tmp_path / "a checkout"
    shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, root)
    return root


def fake_python(path, *cases):
    """Make a program that behaves as a Python would; `cases` pair its arguments with an answer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    answers = "\n".join(f"{pattern}) {answer} ;;" for pattern, answer in cases)
    path.write_text(f'#!/bin/sh\ncase "$*" in\n{answers}\nesac\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("cases", "sentence"),
    [
        ((("*print*", "echo 3.9.2"), ("*", "exit 1")), r"needs Python 3\.11 or newer, and here is only 3\.9\.2\."),
        ((("*", "exit 1"),), r"needs Python 3\.11 or newer, and .* does not run here\."),
        ((("*print*", "echo 3.12.1"), ("*ensurepip*", "exit 1")), r"3\.12\.1 has no venv module, .*python3-venv"),
    ],
)
def test_unusable_python_is_named(checkout, tmp_path, cases, sentence):
    """One sentence says what is missing and the way out."""
    python = fake_python(tmp_path / "python", *cases)
    done = run(checkout / "scripts/start", SECURECHAT_VENV="", PYTHON=python)
    assert done.returncode == 1
    assert re.search(sentence, done.stderr)
    assert len(done.stderr.splitlines()) == 1
    assert not (checkout / ".venv").exists()


def test_environment_is_installed_only_when_needed(checkout, tmp_path):
    """Once, and again after a change of what decides its content."""
    log = tmp_path / "installs"
    fake_python(checkout / ".venv/bin/python", ("*pip*install*", f'echo "$PIP_CONSTRAINT: $*" >>"{log}"'))

    def installs():
        assert run(checkout / "scripts/start", SECURECHAT_VENV="").returncode == 0
        return len(log.read_text().splitlines())

    assert [installs(), installs()] == [1, 1]
    with (checkout / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    assert [installs(), installs()] == [2, 2]
    assert log.read_text().startswith("constraints.txt: -m pip install ")


def test_failed_install_says_why_and_is_tried_again(checkout):
    """What pip said is shown, and the next run does not believe that all is well."""
    fake_python(checkout / ".venv/bin/python", ("*pip*install*", "echo no such version; exit 1"))
    for _ in range(2):
        done = run(checkout / "scripts/start", SECURECHAT_VENV="")
        assert done.returncode == 1
        assert "no such version" in done.stderr


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
@pytest.mark.parametrize(
    "name",
    [
        *(
            "users.json",
            "users.json.lock",
            "users.json.new",
            "securechat.toml",
            "certs/ca.key",
            "certs/server.key",
        ),
        *("chat.db", "chat.db-wal", "chat.db-shm", "chat.db.lock", "chat.db.v1", "chat.db.before-restore"),
        *("chat.db.restored", "chat.db.before-restore-wal", "search.db", "search.db-wal", "search.db-shm"),
    ],
)
def test_nothing_that_a_server_writes_here_can_be_committed_by_accident(name):
    """The home folder is the checkout by default: what people said must not get into its history."""
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", "-q", name], cwd=ROOT, check=False, timeout=SECONDS
    )
    assert ignored.returncode == 0
