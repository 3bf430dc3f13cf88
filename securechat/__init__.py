"""Secure group chat you run yourself: IRCv3 over TLS, login first, every line kept."""

__version__ = "0.1.0"
