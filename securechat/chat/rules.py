"""What the hub is told about the server it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class ChatLimits(Protocol):
    """The part of `config.Limits` that this room reads; see there for what each means."""

    @property
    def devices_per_account(self) -> int: ...
    @property
    def login_tries(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def channels_per_account(self) -> int: ...
    @property
    def targets(self) -> int: ...
    @property
    def history_page(self) -> int: ...
    @property
    def search_results(self) -> int: ...
    @property
    def replay(self) -> int: ...
    @property
    def first_replay(self) -> int: ...
    @property
    def recent(self) -> int: ...
    @property
    def keys(self) -> int: ...
    @property
    def devices_known(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """Facts that change with REHASH at most. `lobby` is a channel's name or None."""

    server: str
    limits: ChatLimits
    lobby: str | None
    version: str = "0"
    network: str = "securechat"
    started: str = ""
    motd: tuple[str, ...] = ()
    authority: str = ""
    """The certificate of the server's own authority (DER, base64), or empty."""
