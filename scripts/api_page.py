"""Writes docs/api.md from the docstrings of the Python API: `python scripts/api_page.py`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import is_dataclass
from pathlib import Path
from typing import Final, get_args

from securechat import Client
from securechat.cli import sending
from securechat.client import errors, happenings, settings
from securechat.client.receipts import Answer, Receipt

PAGE: Final = Path(__file__).parent.parent / "docs" / "api.md"
HEAD: Final = """# Programs that talk

This page is made by `python scripts/api_page.py` from the code's own words: do not edit it. A bot in 15 lines is
in the [README](../README.md#from-scripts-and-programs).

- **A message is kept or it is not.** `say` returns when it is on the server's disk. `say_soon` returns at once
  with a receipt; said while there is no connection, it waits for one. It is said again, with its key, until the
  server has it, and is one message however often that takes.
- **A lost connection is made again** for `ClientLimits.reconnect_seconds`: Interrupted tells of it, then Connected
  with `again`, what was missed, and Resumed. Each event comes once and in its conversation's order; where lines
  are not to be had there is a Gap. What was asked (`history`, `search`, `join`, ...) is asked again; `request`,
  `part` and `redact` are not, and end with a LostError where nobody knows whether they were done.
- **Time that is up** is a TimedOutError. The message stays on its way: wait for `error.pending`, or `withdraw` it.
  To say it again would make it two.
- **Leaving** the `with` waits a moment for what was said; `unsaid` has what the server did not confirm.
- **Texts are as they were sent.** `securechat.client.text.clean` makes them harmless for a terminal.
"""
EVENTS: Final = "What iteration and `poll` give, from `securechat.client.happenings`.\n"
ERRORS: Final = "From `securechat.client.errors`; the text is one sentence for a person.\n"
JSON: Final = """`tail --json` prints one object a line: `type` is `message`, `reaction`, `redaction` or `gap`, the
rest are the fields of Message, Reaction, Redaction and Gap above; moments are in ISO 8601, in UTC.
"""
_LIMIT: Final = re.compile(r'^    (\w+): \w+ = .*\n    """(.*)"""$', re.MULTILINE)


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, "## Client\n", _made(Client), *_calls(), "## Receipt and Answer\n", *_pending()]
    parts += ["## Events\n", EVENTS, *_events(), "## Errors\n", ERRORS, *_errors()]
    parts += ["## Limits\n", *_limits(), "## From the shell\n", *_shell()]
    return "\n".join(parts)


def _words(thing: object) -> str:
    """Return a docstring as Markdown."""
    text = inspect.getdoc(thing) or ""
    if not text.strip():
        raise SystemExit(f"{thing} has no docstring.")
    return f"{text}\n"


def _signature(name: str, call: object) -> str:
    signature = str(inspect.signature(call))  # type: ignore[arg-type]  # methods and classes
    signature = re.sub(r"\((self|cls)(, )?", "(", signature)
    signature = re.sub(r"<function .*?>", "...", signature)
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", signature)
    return f"`{name}{signature.removesuffix(' -> None')}`\n"


def _made(made: type) -> str:
    return f"{_signature(made.__name__, made.__init__)}\n{_words(made)}"  # type: ignore[misc]  # of this class


def _public(kind: type) -> Iterable[tuple[str, object]]:
    """Give what a class has for others, in the order of the source, its own before what it inherits."""
    for one in (kind, *(base for base in kind.__mro__[1:] if base.__module__.startswith("securechat."))):
        for name, value in vars(one).items():
            if not name.startswith("_"):
                yield name, value


def _calls() -> Iterable[str]:
    for name, value in _public(Client):
        if isinstance(value, property):
            yield f"### {name}\n\n{_words(value)}"
        else:
            call = value.__func__ if isinstance(value, classmethod) else value
            yield f"### {name}\n\n{_signature(name, call)}\n{_words(call)}"


def _pending() -> Iterable[str]:
    for kind in (Receipt, Answer):
        yield f"**{kind.__name__}**: {_words(kind)}"
        for name, value in _public(kind):
            if callable(value) and name == "wait":
                yield f"{_signature(f'{kind.__name__}.{name}', value)}\n{_words(value)}"


def events() -> list[type]:
    """Return the kinds of events."""
    return list(get_args(happenings.Event))


def _events() -> Iterable[str]:
    yield f"**Said**: {', '.join(f'`{name}`' for name in _fields(happenings.Said))}\n\n{_words(happenings.Said)}"
    for kind in events():
        base = issubclass(kind, happenings.Said)
        own = [name for name in _fields(kind) if not (base and name in _fields(happenings.Said))]
        fields = ", ".join(f"`{name}`" for name in own)
        more = " and those of Said" if base else ""
        head = f"**{kind.__name__}**" + (f": {fields}{more}" if fields else "")
        yield f"{head}\n\n{_words(kind)}"


def _fields(kind: type) -> list[str]:
    return list(kind.__dataclass_fields__ if is_dataclass(kind) else getattr(kind, "_fields", ()))


def _errors() -> Iterable[str]:
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.ClientError):
            base = "" if kind is errors.ClientError else f" ({kind.__base__.__name__})"  # type: ignore[union-attr]
            yield f"**{name}**{base}: {_words(kind)}"


def _limits() -> Iterable[str]:
    yield f"**ClientLimits**, from `securechat.client.settings`: {_words(settings.ClientLimits)}"
    for name, told in _LIMIT.findall(inspect.getsource(settings)):
        yield f"- `{name}` = {getattr(settings.ClientLimits(), name)}: {told}"
    yield ""


def _shell() -> Iterable[str]:
    for command in (sending.send, sending.tail):
        yield f"**securechat {command.__name__}**: {_words(command)}"
    yield JSON
    yield "Exit codes: 0, done; 1, not done, one sentence says why; 2, wrong options; 130, Ctrl-C;"
    yield f"{sending.UNKNOWN}, `send` only: the message had left, and nobody knows whether it was kept.\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"{PAGE} is up to date.")
