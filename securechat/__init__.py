"""Secure group chat you run yourself: IRCv3 over TLS, login first, every line kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from securechat.client.api import Client
    from securechat.client.errors import ClientError

__version__ = "0.1.0"

__all__ = ["Client", "ClientError", "__version__"]


def __getattr__(name: str) -> object:
    """Load what programs import from here when they do: `import securechat` stays quick."""
    if name == "Client":
        from securechat.client.api import Client  # noqa: PLC0415

        return Client
    if name == "ClientError":
        from securechat.client.errors import ClientError  # noqa: PLC0415

        return ClientError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
