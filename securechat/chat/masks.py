"""Masks in ban, exception and invitation lists: "nick!user@host" with wildcards (modern-irc)."""

from __future__ import annotations

import fnmatch
import re

from securechat.protocol.names import fold

MAX_MASK = 128
"""Longest mask in full, in bytes, so that a list entry still fits a line."""


def normalise(mask: str) -> str | None:
    """Return a mask in full and casefolded: "Bob" means the account bob; None where it is no mask.

    Nick, user and host of everybody here name the account and nothing else, so whatever shape a client
    makes of a ban, it says which accounts it means. A mask in full is its own full form.
    """
    mask = fold(mask)  # first: it turns wide forms of "," and ":" into these
    if not mask or any(char in " ,:\x07" for char in mask):
        return None
    nick, bang, rest = mask.partition("!")
    if not bang and "@" in mask:
        nick, rest = "*", mask
    user, _, host = rest.partition("@")
    full = f"{nick or '*'}!{user or '*'}@{host or '*'}"
    return full if len(full.encode()) <= MAX_MASK and fold(full) == full else None


def wildcard(pattern: str) -> re.Pattern[str]:
    """Return a pattern with "*" and "?" compiled, to be matched against casefolded names.

    fnmatch's translation does not backtrack over several "*", so no pattern takes for ever; its brackets mean
    nothing on IRC.
    """
    return re.compile(fnmatch.translate(pattern.lower().replace("[", "[[]")))
