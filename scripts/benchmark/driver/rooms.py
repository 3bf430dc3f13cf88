"""Who is in which channel: each client in as many as each other, each channel with as many members."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.driver.clients import Client, Crowd


@dataclass(frozen=True, slots=True)
class Rooms:
    """`channels` channels, every client in `each` of them."""

    channels: int = 1
    each: int = 1

    def of(self, number: int) -> list[int]:
        """Return the channels of a client."""
        step = self.channels // self.each
        return [(number + step * turn) % self.channels for turn in range(self.each)]

    def home(self, channel: int, clients: list[Client]) -> list[Client]:
        """Return the clients whose first channel this is: those who speak and those who are asked about it."""
        return clients[channel :: self.channels]


def channel_name(number: int) -> str:
    """Return the name of a channel."""
    return f"#b{number}"


def join(crowd: Crowd, rooms: Rooms) -> None:
    """Let everybody join at once, so that the server can put the news of many into one record."""
    names = {
        client.nick: [channel_name(channel) for channel in rooms.of(number)]
        for number, client in enumerate(crowd.clients)
    }
    crowd.ask(
        lambda client: "".join(f"JOIN {name}\r\n" for name in names[client.nick]),
        lambda client: f" 366 {client.nick} {names[client.nick][-1]} ",
    )
    crowd.settle()
