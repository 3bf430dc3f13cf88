"""Read commands, do them, answer."""

from __future__ import annotations

import gc
import json
import resource
import sys
from typing import Any

from running import cpu_seconds

from benchmark.driver.clients import Crowd
from benchmark.driver.job import Job
from benchmark.driver.pace import Pace, Schedule
from benchmark.driver.rooms import Rooms, join
from benchmark.driver.talk import Load, Talk
from benchmark.remote import Obedient


class Driver(Obedient):
    """The crowd, and where it is."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.crowd = Crowd(job)
        self.rooms = Rooms()

    def connect(self, until: int, flight: int = 8) -> dict[str, Any]:
        """Have so many clients logged in; return the seconds, and the CPU seconds of the server."""
        cpu = cpu_seconds(self.crowd.job.pid)
        seconds = self.crowd.connect(until, flight)
        return {"seconds": seconds, "cpu": cpu_seconds(self.crowd.job.pid) - cpu}

    def settle(self) -> None:
        """Have nothing on its way to anybody."""
        self.crowd.settle()

    def join(self, channels: int = 1, each: int = 1) -> None:
        """Have everybody in so many channels."""
        self.rooms = Rooms(channels, each)
        join(self.crowd, self.rooms)

    def talk(self, **load: Any) -> dict[str, Any]:
        """Measure what a delivered line costs."""
        return Talk(self.crowd, self.rooms, Load(**load)).go()

    def pace(self, **schedule: Any) -> dict[str, Any]:
        """Measure how long messages take."""
        return Pace(self.crowd, Schedule(**schedule)).go()

    def drain(self, size: int, nap: float) -> None:
        """Read and drop so many bytes."""
        self.crowd.drain(size, nap)

    def follow(self, size: int, turns: int) -> None:
        """Read so many bytes on each connection in each turn."""
        self.crowd.follow(size, turns)


def main() -> None:
    """Do what standard input says, until it ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.disable()  # nothing here makes cycles, and a collection in the middle would be measured
    job = json.loads(sys.stdin.readline())
    driver = Driver(Job(**(job | {"caps": tuple(job["caps"])})))
    for line in sys.stdin:
        driver.obey(line)


if __name__ == "__main__":
    main()
