"""Typer commands, one file per family: read the arguments, call, print."""
