"""Opens a conversation on this machine, and makes first what is missing for it. Run by `scripts/start`."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from running import READY, SECURECHAT, Failed, Program

from securechat.storage.users import UserFile, UsersError

HOST = "127.0.0.1"


def securechat(home: Path, *words: str) -> int:
    """Run a command on this terminal, and return its exit code."""
    return subprocess.call([SECURECHAT, "--home", str(home), *words])


def prepare(home: Path, *words: str) -> bool:
    """Run a command that may ask on this terminal, and show what it says but for the next step: that is ours.

    Return whether it did what it should.
    """
    done = subprocess.run(
        [SECURECHAT, "--home", str(home), *words], check=False, stdout=subprocess.PIPE, text=True
    )
    if done.stdout:
        print(done.stdout.partition("\nNext:")[0].rstrip())
    return done.returncode == 0


def users(home: Path) -> list[str]:
    """Return the names in the users file, administrators first."""
    accounts = UserFile(home / "users.json").load().values()
    return [account.name for account in sorted(accounts, key=lambda account: not account.admin)]


def first_user(home: Path) -> str:
    """Ask for a name until there is a user of that name."""
    print("There is no user yet. The first one runs the server.")
    while True:
        name = input("Your name: ").strip()
        if name and prepare(home, "adduser", "--admin", "--", name):
            return name


def which_user(names: list[str]) -> str:
    """Return who wants to come in."""
    if len(names) == 1:
        return names[0]
    return input(f"Your name [{names[0]}]: ").strip() or names[0]


def listening(port: int) -> bool:
    """Whether somebody listens where our server would. Asked by binding: a connection would be in its log."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE  # any other fault is the server's to explain
        return False


def start_server(home: Path, port: int) -> str:
    """Start the server in the background, and return how to stop it once it accepts connections."""
    words = ("serve", "--host", HOST, "--port", str(port))
    server = Program("The server", [SECURECHAT, "--home", str(home), *words], home / "server.log")
    try:
        ready = server.wait_for(READY)
    except BaseException:
        server.stop()
        raise
    print(ready[0])
    return (
        f"The server runs in the background and writes to {server.output}. To stop it: kill {server.process.pid}"
    )


def open_client(home: Path, port: int) -> int:
    """Make what is missing, and return the client's exit code."""
    if not (home / "certs" / "server.pem").exists() and not prepare(home, "init-certs"):
        return 1
    names = users(home)
    name = which_user(names) if names else first_user(home)
    if listening(port):
        how_to_stop = ""
        print(f"A server is listening on {HOST}:{port} already.")
    else:
        how_to_stop = start_server(home, port)
        print(how_to_stop)
    # Ctrl-C belongs to the client now. Not SIG_IGN, which the client would inherit.
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    code = securechat(home, "connect", f"--user={name}", "--host", HOST, "--port", str(port))
    if how_to_stop and listening(port):
        print(how_to_stop)
    return code


def main() -> int:
    """Return 0 after a conversation that ended in order."""
    home = Path(os.environ.get("SECURECHAT_HOME") or Path(__file__).resolve().parent.parent).absolute()
    try:
        return open_client(home, int(sys.argv[1]))
    except (Failed, UsersError) as problem:
        print(problem, file=sys.stderr)
    except (KeyboardInterrupt, EOFError):
        print()
    return 1


if __name__ == "__main__":
    sys.exit(main())
