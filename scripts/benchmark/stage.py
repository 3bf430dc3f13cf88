"""Where a measurement happens: servers with their drivers, started together and ended together."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from running import READY, SECURECHAT, Failed, program

from benchmark.contenders import Contender, Place, Running
from benchmark.remote import Remote

NO_CAPS = ("",)


@dataclass(frozen=True, slots=True)
class Pair:
    """A contender's server, and the process that loads it."""

    contender: Contender
    place: Place
    server: Running
    driver: Remote
    label: str

    @property
    def name(self) -> str:
        """What it is called in the progress of a run."""
        return f"{self.contender.name}, {self.label}" if self.label else self.contender.name


@dataclass(frozen=True, slots=True)
class Ground:
    """The floor's process and the one that reads what it sends."""

    server: Running
    floor: Remote
    driver: Remote


class Stage:
    """A folder for a whole run, with the certificates that all servers use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places = itertools.count()
        subprocess.run([SECURECHAT, "--home", str(folder), "init-certs"], check=True, stdout=subprocess.DEVNULL)

    def place(self, name: str) -> Place:
        """Return an empty folder."""
        folder = self.folder / f"{next(self._places)}-{name.replace(' ', '-')}"
        folder.mkdir()
        return Place(folder, self.folder / "certs")

    @contextmanager
    def pairs(
        self, contenders: Sequence[Contender], clients: int, *, caps: tuple[str, ...] = NO_CAPS, label: str = ""
    ) -> Iterator[list[Pair]]:
        """Run all of these at once; only one of them will be busy at a time. `label` is told with their names."""
        with ExitStack() as stack:
            pairs = []
            for contender in contenders:
                try:
                    pairs.append(stack.enter_context(self.pair(contender, clients, caps=caps, label=label)))
                except Failed as problem:
                    left_out(contender, problem)
            yield pairs

    @contextmanager
    def crowds(
        self,
        contenders: Sequence[Contender],
        clients: int,
        *,
        caps: tuple[str, ...] = NO_CAPS,
        label: str = "",
        **rooms: int,
    ) -> Iterator[list[Pair]]:
        """The same with everybody logged in and in the channels."""
        with self.pairs(contenders, clients, caps=caps, label=label) as pairs:
            for pair in list(pairs):
                try:
                    enter(pair, clients, **rooms)
                except Failed as problem:
                    left_out(pair.contender, problem)
                    pairs.remove(pair)
            yield pairs

    @contextmanager
    def pair(
        self, contender: Contender, clients: int, *, caps: tuple[str, ...] = NO_CAPS, label: str = ""
    ) -> Iterator[Pair]:
        """Run one."""
        place = self.place(contender.name)
        asked = tuple(" ".join(cap for cap in one.split() if cap in contender.capabilities) for one in caps)
        with (
            contender.serve(place, clients) as server,
            self.driver(server, place, caps=asked, ordered=contender.ordered) as driver,
        ):
            yield Pair(contender, place, server, driver, label)

    @contextmanager
    def ground(self, clients: int, flight: int = 8) -> Iterator[Ground]:
        """Run the floor with so many connections."""
        place = self.place("floor")
        command = [sys.executable, "-m", "benchmark.floor_server", str(place.certificate), str(place.key)]
        with program("The floor", command, place.folder / "floor.log", typed=True) as process:
            server = Running(process, int(process.wait_for(READY)[1]), place.authority)
            with self.driver(server, place, bare=True) as driver:
                driver.ask("connect", until=clients, flight=flight)
                yield Ground(server, Remote(process), driver)

    def driver(
        self,
        server: Running,
        place: Place,
        *,
        caps: tuple[str, ...] = NO_CAPS,
        bare: bool = False,
        ordered: bool = True,
    ) -> AbstractContextManager[Remote]:
        """Run a process that loads a server. The password goes by its standard input, not by its command line."""
        job = {
            "port": server.port,
            "pid": server.pid,
            "authority": str(server.authority),
            "password": server.password,
            "devices": str(server.devices or ""),
            "caps": caps,
            "bare": bare,
            "ordered": ordered,
        }
        return drive(job, server, place.folder / "driver.log")


@contextmanager
def drive(job: dict[str, object], server: Running, output: Path) -> Iterator[Remote]:
    """Run a driver for the length of a with block."""
    command = [sys.executable, "-m", "benchmark.driver"]
    with program("The driver", command, output, typed=True) as process:
        process.type(json.dumps(job))
        yield Remote(process, server.program)


def enter(pair: Pair, clients: int, **rooms: int) -> None:
    """Log everybody in, and into the channels."""
    seconds = pair.driver.ask("connect", until=clients)["seconds"]
    print(f"  {pair.name}: {clients} clients logged in within {seconds:.1f} s", flush=True)
    pair.driver.ask("join", **rooms)


def left_out(contender: Contender, problem: Failed) -> None:
    """Say that a contender could not do what was asked of it; ours has to."""
    if contender.keeps:
        raise problem
    lines = str(problem).splitlines()
    told = next((line.strip() for line in lines if "driver: " in line), lines[0])
    print(f"  {contender.name} goes no further: {told}", flush=True)
