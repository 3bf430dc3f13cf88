"""What a person can type: text, and the table of slash commands. Typed line in, lines to send out. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from securechat.client.items import Item, What
from securechat.client.model import ACTION, Model
from securechat.client.text import clean, sendable, split
from securechat.protocol.message import build
from securechat.protocol.names import fold

LEAVE: Final = "выход"
"""The word that quits, alone on a line, with or without a slash."""
MAX_REASON_BYTES: Final = 300
_NOWHERE: Final = "You are in no channel: /join #name first."


class Outcome(NamedTuple):
    """What a typed line leads to: `lines` to send, in order, `items` to show at once, and whether to quit.

    `moves` says that the server's answer may change where typed text goes: the next line has to wait for it.
    `said` has (target, text) of what the server will echo once it is kept. `action` is (name, rest) of a command
    that the front end carries out itself: the full screen does, the line client cannot.
    """

    lines: tuple[bytes, ...] = ()
    items: tuple[Item, ...] = ()
    quit: bool = False
    moves: bool = False
    said: tuple[tuple[str, str], ...] = ()
    action: tuple[str, str] = ("", "")


class Request(NamedTuple):
    """What a command is asked: `rest` is what stands after its name, `now` the time in milliseconds since 1970.

    `where` is the conversation that is shown; without it the channel that typed text goes to.
    """

    model: Model
    rest: str
    now: int
    where: str = ""


class Command(NamedTuple):
    """One row of the table."""

    handler: Callable[[Request], Outcome]
    usage: str
    help: str
    screen: bool = False
    """Whether only the full screen has it."""


class _UsageError(ValueError):
    """A command without what it needs."""


class _NowhereError(ValueError):
    """Something for the current channel, where there is none."""


def interpret(model: Model, typed: str, now: int, where: str = "") -> Outcome:
    """Return what one typed line leads to. `now` is in milliseconds since 1970.

    A line that begins with a slash is a command, with two it is text that begins with one. `where` is the
    conversation that a full screen shows.
    """
    line = sendable(typed).strip()
    if not line:
        return Outcome()
    if line.casefold() in (LEAVE, f"/{LEAVE}"):
        return _quit(Request(model, "", now))
    if line.startswith("//"):
        return say(model, line[1:], now)
    if not line.startswith("/"):
        return say(model, typed, now)
    return _command(model, line, now, where)


def _command(model: Model, line: str, now: int, where: str) -> Outcome:
    name, _, rest = line[1:].partition(" ")
    command = COMMANDS.get(name.lower())
    if command is None:
        return _problem(now, f"There is no command /{clean(name)}: /help lists them, // sends a slash.")
    try:
        return command.handler(Request(model, rest.strip(), now, where))
    except _UsageError:
        return _problem(now, f"Type {command.usage}: {command.help}")
    except _NowhereError:
        return _problem(now, _NOWHERE)
    except ValueError:  # from build(): what was typed does not fit a line of the protocol
        return _problem(now, f"That is too long or malformed for /{name.lower()}; nothing was sent.")


def say(model: Model, text: str, now: int) -> Outcome:
    """Return what says `text`, whatever it looks like, in the current channel, in as many messages as it takes."""
    target = model.target_name
    if not target:
        return _problem(now, _NOWHERE)
    text = sendable(text).rstrip()
    return _message(Request(model, text, now), target, text) if text else Outcome()


def _message(request: Request, target: str, text: str, before: str = "", after: str = "") -> Outcome:
    model = request.model
    room = model.room(target) - len(before) - len(after)
    pieces = split(text, room)
    messages = [f"{before}{piece}{after}" for piece in pieces]
    items = [item for message in messages for item in model.said(target, message, request.now)]
    lines = tuple(build("PRIVMSG", target, message) for message in messages)
    return Outcome(lines, tuple(items), said=() if items else tuple((target, clean(piece)) for piece in pieces))


def _problem(now: int, text: str) -> Outcome:
    return Outcome(items=(Item(What.PROBLEM, now, text),))


def _channel(name: str) -> str:
    """Return the name of a channel as typed, with its '#' if that was left out. Raises _UsageError."""
    if not name or " " in name:
        raise _UsageError
    return name if name.startswith("#") else f"#{name}"


def _person(name: str) -> str:
    """Return a name as typed. Raises _UsageError."""
    if not name or " " in name:
        raise _UsageError
    return name


def _here(request: Request) -> str:
    """Return the current channel. Raises _NowhereError."""
    where = request.where or request.model.target_name
    if not where:
        raise _NowhereError
    return where


def _join(request: Request) -> Outcome:
    name = _channel(request.rest)
    if fold(name) in request.model.channels:
        return Outcome(items=tuple(request.model.talk_in(name, request.now)))
    line = build("JOIN", name)
    request.model.want(name)
    return Outcome((line,), moves=True)


def _part(request: Request) -> Outcome:
    rest = request.rest
    name, _, reason = rest.partition(" ") if rest.startswith("#") else (_here(request), "", rest)
    reasons = [reason.strip()] if reason.strip() else []
    return Outcome((build("PART", name, *reasons),), moves=True)


def _msg(request: Request) -> Outcome:
    name, _, text = request.rest.partition(" ")
    if not text.strip():
        raise _UsageError
    return _message(request, name, text.strip())


def _me(request: Request) -> Outcome:
    if not request.rest:
        raise _UsageError
    return _message(request, _here(request), request.rest, ACTION, "\x01")


def _names(request: Request) -> Outcome:
    return Outcome((build("NAMES", _channel(request.rest or _here(request))),))


def _topic(request: Request) -> Outcome:
    texts = {"": [], "-clear": [""]}.get(request.rest, [request.rest])
    return Outcome((build("TOPIC", _here(request), *texts),))


def _list(_: Request) -> Outcome:
    return Outcome((build("LIST"),))


def _whois(request: Request) -> Outcome:
    return Outcome((build("WHOIS", _person(request.rest)),))


def _away(request: Request) -> Outcome:
    return Outcome((build("AWAY", request.rest) if request.rest else build("AWAY"),))


def _invite(request: Request) -> Outcome:
    return Outcome((build("INVITE", _person(request.rest), _here(request)),))


def _kick(request: Request) -> Outcome:
    name, _, reason = request.rest.partition(" ")
    reasons = [reason.strip()] if reason.strip() else []
    return Outcome((build("KICK", _here(request), _person(name), *reasons),))


def _quit(request: Request) -> Outcome:
    reason = split(request.rest, MAX_REASON_BYTES)[0] if request.rest else ""
    return Outcome((build("QUIT", reason) if reason else build("QUIT"),), quit=True)


def _help(request: Request) -> Outcome:
    wanted = request.rest.removeprefix("/").lower()
    if wanted and wanted not in COMMANDS:
        return _problem(request.now, f"There is no command /{clean(wanted)}: /help lists them.")
    rows = [COMMANDS[wanted]] if wanted else list(COMMANDS.values())
    if not request.where and not wanted:
        rows = [row for row in rows if not row.screen]
    width = max(len(row.usage) for row in rows)
    texts = [f"{row.usage:<{width}}  {row.help}" for row in rows]
    return Outcome(items=tuple(Item(What.INFO, request.now, text) for text in texts))


def _act(name: str) -> Callable[[Request], Outcome]:
    """Return the handler of a command that a full screen carries out itself."""
    return lambda request: Outcome(action=(name, request.rest))


COMMANDS: Final[dict[str, Command]] = {
    "join": Command(_join, "/join #CHANNEL", "Enter a channel, or talk in it again."),
    "part": Command(_part, "/part [#CHANNEL] [REASON]", "Leave this channel, or that one."),
    "msg": Command(_msg, "/msg NAME TEXT", "Say something to one person."),
    "me": Command(_me, "/me TEXT", "Say what you do, such as /me waves."),
    "names": Command(_names, "/names [#CHANNEL]", "Show who is here."),
    "topic": Command(_topic, "/topic [TEXT | -clear]", "Show, set or clear the channel's topic."),
    "list": Command(_list, "/list", "Show the channels that there are."),
    "whois": Command(_whois, "/whois NAME", "Show who that is."),
    "away": Command(_away, "/away [REASON]", "Be marked as away; alone, be back."),
    "invite": Command(_invite, "/invite NAME", "Let somebody into this channel."),
    "kick": Command(_kick, "/kick NAME [REASON]", "Remove somebody from this channel."),
    "open": Command(_act("open"), "/open NAME", "Show a channel or a conversation with somebody.", screen=True),
    "close": Command(_act("close"), "/close", "Take this conversation off the list.", screen=True),
    "unread": Command(_act("unread"), "/unread", "Go to what is new.", screen=True),
    "date": Command(_act("date"), "/date YYYY-MM-DD", "Go to a day.", screen=True),
    "search": Command(_act("search"), "/search [WORDS]", "Find what was said.", screen=True),
    "reply": Command(_act("reply"), "/reply TEXT", "Answer the selected message, or the last one.", screen=True),
    "react": Command(
        _act("react"), "/react EMOJI", "React to the selected message, or the last one.", screen=True
    ),
    "redact": Command(_act("redact"), "/redact", "Take back the selected message, or your last one.", screen=True),
    "link": Command(_act("link"), "/link", "Open a link of the selected message.", screen=True),
    "mute": Command(_act("mute"), "/mute", "Be told of nothing here; again: of everything.", screen=True),
    "theme": Command(_act("theme"), "/theme [light | dark]", "Change the colours.", screen=True),
    "help": Command(_help, "/help [COMMAND]", "Show what you can type."),
    "quit": Command(_quit, "/quit [REASON]", f"Leave. So does the word {LEAVE}, or Ctrl-D."),
}
"""Every command by its name, in the order in which /help shows them."""
