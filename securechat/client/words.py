"""The person's language: where every sentence of the client goes through on its way to whoever reads it.

The texts in the code are English; `securechat/locale` has them in other languages (GNU gettext), made by
`scripts/catalogues`. Whatever is wrong with a catalogue, there is always English.
"""

from __future__ import annotations

import gettext
import os
from pathlib import Path
from typing import Final

DOMAIN: Final = "securechat"
FOLDER: Final = Path(__file__).resolve().parents[1] / "locale"
LANGUAGES: Final = ("en", "ru")
"""What `--lang` takes. English has no catalogue: it is what the texts are written in."""
_WRITTEN_IN: Final = frozenset({"en", "c", "posix"})


class _Speaker:
    """The catalogue in use. Chosen once, before anything is shown; whoever asks first gets the locale's."""

    catalogue: gettext.NullTranslations | None = None


def choose(language: str | None = None) -> None:
    """Speak this language from now on; without one, what the locale of the environment says."""
    _Speaker.catalogue = _load([language] if language else wished())


def wished() -> list[str]:
    """Return the languages that the environment asks for, best first, up to the first that needs no catalogue.

    As gettext does it: LC_ALL, LC_MESSAGES or LANG, the first that is set, say the locale; LANGUAGE counts more,
    except in the locale C, by which scripts ask for English.
    """
    environ = os.environ
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    names = [locale] if locale in ("C", "POSIX") else (environ.get("LANGUAGE") or locale).split(":")
    wanted: list[str] = []
    for name in names:
        language = name.partition(".")[0].partition("@")[0].partition("_")[0].lower()
        if language in _WRITTEN_IN:
            break
        wanted.append(name)
    return [name for name in wanted if name]


def _load(languages: list[str]) -> gettext.NullTranslations:
    try:
        return gettext.translation(DOMAIN, FOLDER, languages, fallback=True)
    except Exception:  # a broken catalogue keeps nobody from talking
        return gettext.NullTranslations()


def _current() -> gettext.NullTranslations:
    if _Speaker.catalogue is None:
        choose()
    assert _Speaker.catalogue is not None
    return _Speaker.catalogue


def _(text: str) -> str:
    """Return `text` in the person's language."""
    return _current().gettext(text) if text else text  # what stands for the empty text is the catalogue's head


def ngettext(one: str, many: str, count: int) -> str:
    """Return the text for `count` things in the person's language, which may have more than two forms of it."""
    return _current().ngettext(one, many, count)


def N_(text: str) -> str:  # noqa: N802  # the name that gettext's tools know
    """Mark a text of a table for the catalogue. `_` translates it where it is shown."""
    return text
