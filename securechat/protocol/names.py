"""Account and channel names: which are allowed, and which are the same (RFC 8265, UTS #39)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from confusable_homoglyphs import categories, confusables
from precis_i18n import get_profile

MAX_NICK: Final = 32
MAX_CHANNEL: Final = 64
"""Longest names, in characters (ISUPPORT NICKLEN, CHANNELLEN)."""
MAX_NICK_BYTES: Final = 64
MAX_CHANNEL_BYTES: Final = 128
"""Longest names in UTF-8: sources and replies have up to four of them, in a line of 512 bytes."""

MAX_MARKS: Final = 3
"""Most combining marks in a row: languages need two or three, a pile of them covers other lines."""

_STACKED: Final = re.compile("M" * (MAX_MARKS + 1))
_PRECIS: Final = get_profile("UsernameCaseMapped")
_PUNCTUATION: Final = "-_"
_CHANNEL_FORBIDDEN: Final = frozenset(" ,:\x07*?!@")
# Scripts that people do write together (UTS #39, "Highly Restrictive", without Latin in the mix).
_WRITTEN_TOGETHER: Final = (
    frozenset({"HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"HAN", "BOPOMOFO"}),
    frozenset({"HAN", "HANGUL"}),
)


class NameRefused(ValueError):  # noqa: N818  # it is an answer to somebody, not a failure of ours
    """A name that may not be used. The text is one sentence for the person who chose it."""


@lru_cache(maxsize=8192)
def fold(name: str) -> str:
    """Return the form under which names are compared: PRECIS UsernameCaseMapped (RFC 8265, 3.3).

    A name that PRECIS does not allow gives its lower case, which no valid name equals: looking up nonsense
    finds nothing and raises nothing. A channel keeps its '#'.
    """
    if name.isascii():
        return name.lower()
    prefix, rest = ("#", name[1:]) if name.startswith("#") else ("", name)
    try:
        return prefix + str(_PRECIS.enforce(rest))
    except UnicodeError:
        return name.lower()


def check_nick(name: str) -> str:
    """Return the casefolded form of an account name that may be created; raise NameRefused otherwise.

    Letters and digits of one script, '-' and '_': what every client shows, completes and highlights.
    The ASCII characters on whose letter case IRC casemappings disagree ([]{}|~^) are not among them.
    """
    if not name:
        raise NameRefused("A name has at least one character.")
    if any("\ud800" <= char <= "\udfff" for char in name):  # bytes of a command line that were no UTF-8
        raise NameRefused("The name is not valid UTF-8.")
    for char in name[: MAX_NICK + 1]:
        if not (char in _PUNCTUATION or (char.isascii() and char.isalnum()) or _letter(char)):
            raise NameRefused(f"A name has letters, digits, '-' and '_' only; {char!a} is none of them.")
    if len(name) > MAX_NICK or len(name.encode()) > MAX_NICK_BYTES:
        raise NameRefused(f"A name has at most {MAX_NICK} characters ({MAX_NICK_BYTES} bytes in UTF-8).")
    if unicodedata.category(name[0])[0] not in "LN":
        raise NameRefused("A name begins with a letter or a digit.")
    if _STACKED.search("".join(unicodedata.category(char)[0] for char in unicodedata.normalize("NFD", name))):
        raise NameRefused(f"A name has at most {MAX_MARKS} marks on one letter.")
    key = _enforce(name)
    if len(key.encode()) > MAX_NICK_BYTES:
        raise NameRefused(f"The name has more than {MAX_NICK_BYTES} bytes in UTF-8 once it is in lower case.")
    scripts = categories.unique_aliases(key) - {"COMMON", "INHERITED"}
    if len(scripts) > 1 and not any(scripts <= together for together in _WRITTEN_TOGETHER):
        mixed = " and ".join(sorted(script.title() for script in scripts))
        raise NameRefused(f"The name mixes letters of {mixed}, which can imitate another name; use one script.")
    return key


def check_channel(name: str) -> str:
    """Return the casefolded form of a channel name that may be created; raise NameRefused otherwise."""
    if not name.startswith("#") or len(name) < 2:
        raise NameRefused("A channel's name begins with '#' and has at least one character after it.")
    if len(name) > MAX_CHANNEL or len(name.encode()) > MAX_CHANNEL_BYTES:
        raise NameRefused(f"A channel's name has at most {MAX_CHANNEL} characters ({MAX_CHANNEL_BYTES} bytes).")
    if not _CHANNEL_FORBIDDEN.isdisjoint(name):
        raise NameRefused("A channel's name has no space, comma, colon, '*', '?', '!' or '@'.")
    return "#" + _enforce(name[1:])


def looks_like(name: str, other: str) -> bool:
    """Whether two account names can be taken for one another (UTS #39, section 4, "skeleton")."""
    return not _skeletons(name).isdisjoint(_skeletons(other))


def _letter(char: str) -> bool:
    return not char.isascii() and unicodedata.category(char)[0] in "LMN"


def _enforce(name: str) -> str:
    try:
        return str(_PRECIS.enforce(name))
    except UnicodeError:
        raise NameRefused("The name has characters that do not belong in a name (RFC 8265).") from None


@lru_cache(maxsize=8192)
def _skeletons(name: str) -> frozenset[str]:
    # As written and folded: "Iris" and "lris" look alike though their lower case does not.
    return frozenset({_skeleton(name), _skeleton(fold(name))})


def _skeleton(name: str) -> str:
    return "".join(_prototype(char) for char in unicodedata.normalize("NFD", name)).lower()


@lru_cache(maxsize=8192)
def _prototype(char: str) -> str:
    """Return the one character (or few) that stands for all that look like `char`.

    The library's table names for a prototype all that look like it, and for all those the prototype alone.
    """
    alike = _alike(char)
    if len(alike) != 1:
        return char
    (only,) = alike
    return only if len(_alike(only)) > 1 else min(char, only)


def _alike(text: str) -> list[str]:
    found = confusables.confusables_data.get(text, [])
    return [pair["c"].strip("\u200e\u200f") for pair in found]
