"""What other threads want of a worker, and the bell that wakes it."""

from __future__ import annotations

import socket
from collections import deque

from securechat.net.jobs import Job


class Inbox:
    """Jobs in order. Any thread may `post`; the rest is for the worker that owns it, `bell` for its selector."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._rung = False
        self.bell, self._rope = socket.socketpair()
        self.bell.setblocking(False)
        self._rope.setblocking(False)

    def post(self, job: Job) -> None:
        """Hand over work. Rings once per run of posts.

        The append comes before the look at the flag, and the worker clears the flag before it takes: a post is
        never missed, with or without a GIL; at worst the worker wakes once for nothing.
        """
        self._jobs.append(job)
        if not self._rung:
            self._rung = True
            try:
                self._rope.send(b"\0")
            except OSError:
                pass  # the buffer is full of rings already, or the worker has ended and needs none

    def silence(self) -> None:
        """Stop the bell once it has rung."""
        self.bell.recv(4096)

    def begin(self) -> None:
        """Say that taking begins: who posts from here on rings again."""
        self._rung = False

    def take(self) -> Job | None:
        """Return the next job; None when there is none."""
        # Asked of the deque, not of its length: its own lock puts this behind `begin` where there is no GIL.
        try:
            return self._jobs.popleft()
        except IndexError:
            return None

    def close(self) -> None:
        """Let go of the bell."""
        self.bell.close()
        self._rope.close()
