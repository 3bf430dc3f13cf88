"""What a person can type: text, and the table of slash commands. Typed line in, lines to send out. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from securechat.client.items import Item, What
from securechat.client.model import ACTION, Model
from securechat.client.text import clean, sendable, split
from securechat.client.words import N_, _
from securechat.protocol.message import build
from securechat.protocol.names import fold

LEAVE: Final = "выход"
"""The word that quits, alone on a line, with or without a slash."""
MAX_REASON_BYTES: Final = 300
_NOWHERE: Final = N_("You are in no channel: /join #name first.")


class Outcome(NamedTuple):
    """What a typed line leads to: `lines` to send, in order, `items` to show at once, and whether to quit.

    `moves` says that the server's answer may change where typed text goes: the next line has to wait for it.
    `said` has (target, text) of what the server will echo once it is kept. `action` is (name, rest) of a command
    that each front end carries out in its own way.
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
    name, _space, rest = line[1:].partition(" ")
    command = COMMANDS.get(name.lower())
    if command is None:
        return _problem(now, _("There is no command /{}: /help lists them, // sends a slash.").format(clean(name)))
    try:
        return command.handler(Request(model, rest.strip(), now, where))
    except _UsageError:
        return _problem(now, _("Type {usage}: {help}").format(usage=_(command.usage), help=_(command.help)))
    except _NowhereError:
        return _problem(now, _(_NOWHERE))
    except ValueError:  # from build(): what was typed does not fit a line of the protocol
        return _problem(now, _("That is too long or malformed for /{}; nothing was sent.").format(name.lower()))


def say(model: Model, text: str, now: int) -> Outcome:
    """Return what says `text`, whatever it looks like, in the current channel, in as many messages as it takes."""
    target = model.target_name
    if not target:
        return _problem(now, _(_NOWHERE))
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


def _devices(_: Request) -> Outcome:
    return Outcome((build("DEVICES"),))


def _revoke(request: Request) -> Outcome:
    return Outcome((build("DEVICES", "REVOKE", _person(request.rest)),))


def _quit(request: Request) -> Outcome:
    reason = split(request.rest, MAX_REASON_BYTES)[0] if request.rest else ""
    return Outcome((build("QUIT", reason) if reason else build("QUIT"),), quit=True)


def _help(request: Request) -> Outcome:
    wanted = request.rest.removeprefix("/").lower()
    if wanted and wanted not in COMMANDS:
        return _problem(request.now, _("There is no command /{}: /help lists them.").format(clean(wanted)))
    rows = [COMMANDS[wanted]] if wanted else list(COMMANDS.values())
    width = max(len(_(row.usage)) for row in rows)
    texts = [f"{_(row.usage):<{width}}  {_(row.help)}" for row in rows]
    return Outcome(items=tuple(Item(What.INFO, request.now, text) for text in texts))


def _act(name: str) -> Callable[[Request], Outcome]:
    """Return the handler of a command that each front end carries out in its own way."""
    return lambda request: Outcome(action=(name, request.rest))


COMMANDS: Final[dict[str, Command]] = {
    "join": Command(_join, N_("/join #CHANNEL"), N_("Enter a channel, or talk in it again.")),
    "part": Command(_part, N_("/part [#CHANNEL] [REASON]"), N_("Leave this channel, or that one.")),
    "msg": Command(_msg, N_("/msg NAME TEXT"), N_("Say something to one person.")),
    "me": Command(_me, N_("/me TEXT"), N_("Say what you do, such as /me waves.")),
    "names": Command(_names, N_("/names [#CHANNEL]"), N_("Show who is here.")),
    "topic": Command(_topic, N_("/topic [TEXT | -clear]"), N_("Show, set or clear the channel's topic.")),
    "list": Command(_list, N_("/list"), N_("Show the channels that there are.")),
    "whois": Command(_whois, N_("/whois NAME"), N_("Show who that is.")),
    "away": Command(_away, N_("/away [REASON]"), N_("Be marked as away; alone, be back.")),
    "invite": Command(_invite, N_("/invite NAME"), N_("Let somebody into this channel.")),
    "kick": Command(_kick, N_("/kick NAME [REASON]"), N_("Remove somebody from this channel.")),
    "open": Command(_act("open"), N_("/open NAME"), N_("Talk in a channel or with one person.")),
    "close": Command(_act("close"), N_("/close"), N_("Take this conversation off the list.")),
    "unread": Command(_act("unread"), N_("/unread"), N_("Go to what is new.")),
    "date": Command(_act("date"), N_("/date YYYY-MM-DD"), N_("Go to a day.")),
    "search": Command(_act("search"), N_("/search [WORDS]"), N_("Find what was said.")),
    "reply": Command(_act("reply"), N_("/reply TEXT"), N_("Answer the picked message, or the last.")),
    "react": Command(_act("react"), N_("/react EMOJI"), N_("React to the picked message, or the last.")),
    "redact": Command(_act("redact"), N_("/redact"), N_("Take back the picked or your last message.")),
    "link": Command(_act("link"), N_("/link"), N_("Open a link of the picked message.")),
    "mute": Command(_act("mute"), N_("/mute"), N_("Hear nothing from here; again: everything.")),
    "theme": Command(_act("theme"), N_("/theme [light | dark]"), N_("Change the colours.")),
    "devices": Command(_devices, N_("/devices"), N_("Show your devices that need no password.")),
    "revoke": Command(_revoke, N_("/revoke DEVICE"), N_("Lock a device of yours out, at once.")),
    "help": Command(_help, N_("/help [COMMAND]"), N_("Show what you can type.")),
    "quit": Command(_quit, N_("/quit [REASON]"), N_("Leave. So does the word выход, or Ctrl-D.")),
}
"""Every command by its name, in the order in which /help shows them."""
