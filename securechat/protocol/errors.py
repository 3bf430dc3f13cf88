"""The one exception of this room, and the faults that a peer's bytes can have."""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    """What was wrong with a line. Each is answered with a sentence (`chat.faults`), never guessed around."""

    TOO_LONG = "line too long"
    ENDLESS = "line without end"
    BAD_UTF8 = "not UTF-8"
    BAD_BYTES = "NUL or CR inside a line"
    BAD_SHAPE = "not a message"


class ProtocolError(ValueError):
    """A line breaks the protocol. `fault` says how. The text never repeats the line: it may hold a password."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault
