"""Sockets, TLS and worker threads. Knows lines, not chat."""
