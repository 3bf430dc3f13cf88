"""What scripts/profile makes of what py-spy saw: plain calls."""

from types import SimpleNamespace

import profile_run
import pytest
from profile_run import ROOT, read_stacks, told
from running import Failed

OUTER = f"Thread._bootstrap (/usr/lib/python3.11/threading.py:1002);Worker.run ({ROOT}securechat/net/worker.py:84)"
STACKS = f"""\
thread (17): worker-0;{OUTER};send ({ROOT}securechat/net/connection.py:9);write (/usr/lib/libc.so.6) 60
thread (17): worker-0;{OUTER};send ({ROOT}securechat/net/connection.py:8);0x7f00 (/usr/lib/libssl.so.3) 10
thread (17): worker-0;{OUTER};send ({ROOT}securechat/net/connection.py:8);0x7f01 (/usr/lib/libssl.so.3) 10
thread (17): worker-0;{OUTER};again ({ROOT}securechat/a.py:1);again ({ROOT}securechat/a.py:1) 20
thread (17): worker-0;{OUTER};select (/usr/lib/python3.11/selectors.py:468);epoll_wait (/usr/lib/libc.so.6) 300
thread (18): sequencer;commit ({ROOT}securechat/storage/log.py:123);fdatasync (/usr/lib/libc.so.6) 5
"""


def test_running_is_told_from_waiting():
    """Of both threads, by the function of C that a thread is in."""
    threads = read_stacks(STACKS)
    assert {thread.name: (thread.running, dict(thread.waiting)) for thread in threads.values()} == {
        "worker-0": (100, {"the network": 300}),
        "sequencer": (0, {"the disk": 5}),
    }


def test_functions_count_for_themselves_and_for_who_called_them():
    """Once a look, however deep they call themselves; nameless C functions are one for each library."""
    functions = read_stacks(STACKS)[17].functions
    counts = {name.split()[0]: (one.own, one.total) for name, one in functions.items()}
    assert counts == {
        "Thread._bootstrap": (0, 100),
        "Worker.run": (0, 100),
        "send": (0, 80),
        "write": (60, 60),
        "others": (20, 20),
        "again": (20, 20),
    }
    assert functions["send  securechat/net/connection.py"].lines == {"9": 60, "8": 20}


def test_a_thread_is_told_in_shares():
    """Of the CPU time, of what it was seen doing, and of its running time; wrappers of others are left out."""
    threads = read_stacks(STACKS)
    threads[17].cpu, threads[18].cpu = 3, 1
    head, doing, _, *rows = told(threads[17], list(threads.values()), 6, 15).splitlines()[1:]
    assert head == "worker-0: 75% of the CPU time, 50% of a core"
    assert doing == "seen 400 times: running 25%, waiting for the network 75%"
    assert [row.split() for row in rows] == [
        ["0.0%", "100.0%", "84", "Worker.run", "securechat/net/worker.py"],
        ["0.0%", "80.0%", "9", "send", "securechat/net/connection.py"],
        ["60.0%", "60.0%", "write", "lib/libc.so.6"],
        ["20.0%", "20.0%", "1", "again", "securechat/a.py"],
        ["20.0%", "20.0%", "others", "lib/libssl.so.3"],
    ]
    assert told(threads[18], list(threads.values()), 6, 15) == "\nsequencer: 25.0% of the CPU time"


def test_its_help_says_how_to_read_it(capsys, monkeypatch):
    """In three points."""
    monkeypatch.setattr("sys.argv", ["scripts/profile", "--help"])
    with pytest.raises(SystemExit):
        profile_run.arguments()
    assert capsys.readouterr().out.count("\n  * ") == 3


def test_a_python_that_py_spy_does_not_know_is_told(tmp_path, monkeypatch):
    """As those without the interpreter's lock: the way out is another one."""
    spy = tmp_path / "py-spy"
    spy.write_text(
        "#!/bin/sh\necho 'Error: Failed to find a python interpreter in the .data section' >&2\nexit 1\n"
    )
    spy.chmod(0o700)
    monkeypatch.setattr(profile_run, "SPY", str(spy))
    server = SimpleNamespace(process=SimpleNamespace(pid=1))
    with pytest.raises(Failed, match=r"cannot look into this Python .* name another one: PYTHON="):
        profile_run.record(SimpleNamespace(seconds=1, rate=1), server, "raw", tmp_path / "out")
