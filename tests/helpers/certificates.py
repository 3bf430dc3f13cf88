"""Certificates under test: what a folder holds, and a real TLS handshake with them without sockets or threads."""

from __future__ import annotations

import ssl

from securechat.net.tls import client_context, server_context


def contents(folder):
    """Return what is in each file of a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def connect(folder, name, *, ca=None):
    """Shake hands for `name` with the certificates in `folder`, trusting `ca` (by default theirs)."""
    client = client_context(ca or folder / "ca.pem")
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # what Python 3.13 does by itself
    return handshake(server_context(folder / "server.pem", folder / "server.key"), client, name)


def handshake(server_context, client_context, name):
    """Let two SSLObjects hand each other their bytes; return the client's. Raises what it raises."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    pending = [client, server]
    for _ in range(10):
        for side in list(pending):
            try:
                side.do_handshake()
                pending.remove(side)
            except ssl.SSLWantReadError:
                pass
        if not pending:
            return client
    raise AssertionError("the handshake does not end")
