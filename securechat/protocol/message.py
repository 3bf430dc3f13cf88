"""One message: its parts, from bytes and to bytes (modern-irc "Message Format", IRCv3 message-tags)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from securechat.protocol.errors import Fault, ProtocolError
from securechat.protocol.framing import MAX_BODY, MAX_CLIENT_TAGS, MAX_SERVER_TAGS

_ESCAPES: Final = {":": ";", "s": " ", "r": "\r", "n": "\n", "\\": "\\"}
_ESCAPED: Final = {raw: "\\" + letter for letter, raw in _ESCAPES.items()}


class Message:
    """A parsed line. `command` is upper case, `tags` the raw tag section without '@' ("" where there is none).

    `source` is None where the line had none. Parameters hold no CR, LF or NUL.
    """

    __slots__ = ("command", "params", "source", "tags")

    def __init__(self, command: str, params: list[str], source: str | None = None, tags: str = "") -> None:
        self.command = command
        self.params = params
        self.source = source
        self.tags = tags

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return all(getattr(self, part) == getattr(other, part) for part in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        # Parameters may hold a password: a repr ends up in logs (law 7).
        return f"<Message {self.command} with {len(self.params)} parameters>"


def parse(line: bytes, max_tags: int = MAX_CLIENT_TAGS) -> Message:
    """Return the message in `line` (bytes without line end).

    Raises ProtocolError, and nothing else, for whatever is not a message within the limits: UTF-8 is checked
    and never guessed (IRCv3 utf8-only).
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise ProtocolError(Fault.BAD_UTF8) from None
    if "\0" in text or "\r" in text or "\n" in text:
        raise ProtocolError(Fault.BAD_BYTES)
    tags, source = "", None
    body = len(line)
    if text.startswith("@"):
        tags, _, text = text[1:].partition(" ")
        size = len(tags.encode()) + 2
        if size > max_tags:
            raise ProtocolError(Fault.TOO_LONG)
        body -= size
        text = text.lstrip(" ")
    if body + 2 > MAX_BODY:
        raise ProtocolError(Fault.TOO_LONG)
    if text.startswith(":"):
        source, _, text = text[1:].partition(" ")
    head, colon, trailing = text.partition(" :")
    params = head.split(" ")
    if "" in params:
        params = [param for param in params if param]
    if colon:
        params.append(trailing)
    if not params or not (head and params[0].isascii() and params[0].isalnum()):
        raise ProtocolError(Fault.BAD_SHAPE)
    return Message(params.pop(0).upper(), params, source, tags)


def build(command: str, *params: str, source: str = "", tags: str = "") -> bytes:
    """Return the line for these parts, CR LF included. The last parameter may hold spaces or be empty.

    Raises ValueError where a part would change the meaning of the line or not fit: that is our own mistake,
    whoever passes on a peer's text has checked it before.
    """
    middle, last = params[:-1], params[-1:]
    if any(not part or " " in part or part.startswith(":") for part in middle):
        raise ValueError(f"{command}: a middle parameter is empty, has a space or begins with a colon")
    pieces = [f":{source}"] if source else []
    pieces += [command, *middle, *(":" + part for part in last)]
    body = " ".join(pieces).encode()
    if any(byte in body for byte in b"\r\n\0") or any(char in tags for char in "\r\n\0 "):
        raise ValueError(f"{command}: CR, LF or NUL inside a line")
    head = b"@" + tags.encode() + b" " if tags else b""
    if len(body) + 2 > MAX_BODY or len(head) > MAX_SERVER_TAGS:
        raise ValueError(f"{command}: {len(body)} bytes do not fit a line")
    return head + body + b"\r\n"


def fill(words: Iterable[str], room: int) -> list[str]:
    """Join words with spaces into as few texts as fit `room` bytes each; none gives one empty text."""
    texts: list[str] = []
    line: list[str] = []
    used = 0
    for word in words:
        width = len(word.encode()) + 1
        if line and used + width > room:
            texts.append(" ".join(line))
            line, used = [], 0
        line.append(word)
        used += width
    texts.append(" ".join(line))
    return texts


def clip(text: str, room: int) -> str:
    """Return as much of the beginning of `text` as fits `room` bytes of UTF-8, in whole characters."""
    return text if len(text) * 4 <= room else text.encode()[: max(room, 0)].decode(errors="ignore")


def unescape_tag(value: str) -> str:
    """Return what an escaped tag value means (message-tags, "Escaping values")."""
    if "\\" not in value:
        return value
    pieces, rest = [], iter(value)
    for char in rest:
        if char == "\\":
            letter = next(rest, "")
            pieces.append(_ESCAPES.get(letter, letter))
        else:
            pieces.append(char)
    return "".join(pieces)


def escape_tag(value: str) -> str:
    """Return `value` as it may stand in a tag section (message-tags, "Escaping values")."""
    return "".join(_ESCAPED.get(char, char) for char in value)


def parse_tags(section: str) -> dict[str, str]:
    """Return name to unescaped value for a raw tag section; a tag without value gives "", the last one wins."""
    tags = {}
    for tag in section.split(";"):
        name, _, value = tag.partition("=")
        if name:
            tags[name] = unescape_tag(value)
    return tags
