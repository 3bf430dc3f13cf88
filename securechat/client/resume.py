"""Going on where we were: each line of each conversation once and in order, over any number of connections. Pure.

After a login the server is asked for what came since the last line that we have (IRCv3 chathistory); what comes
meanwhile waits. The numbers that it puts on the lines (`securechat/order`) prove that nothing is missing, or tell
what is. What we said and saw no echo of is said again with its key, by which the server knows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from securechat.client.places import BEGINNING, Gap, Place, Stage, Told, before, conversation, told
from securechat.client.unacknowledged import Kept, Refused, Unacknowledged
from securechat.protocol.capabilities import ORDER_TAG
from securechat.protocol.message import Message, build, parse_tags
from securechat.protocol.names import fold

NEEDED: Final = frozenset(
    {
        ORDER_TAG,
        "batch",
        "draft/message-redaction",
        "echo-message",
        "labeled-response",
        "message-tags",
        "server-time",
    }
)
"""Capabilities without which there is no going on: without redaction, numbers would seem to be missing.

CHATHISTORY can be had for the asking. Who asks for its capability as well is sent nothing unasked at the first
login (draft/chathistory), and has no other way to what was said before that.
"""
PAGE: Final = 200
MAX_PLACES: Final = 20_000
MAX_BATCHES: Final = 16
MAX_TRIES: Final = 5
_FAR: Final = "9999-12-31T23:59:59.999Z"
_WELCOMED: Final = "securechat-welcomed"


@dataclass(frozen=True, slots=True)
class Resumed:
    """All that was missed is here, and what we said meanwhile is on its way."""


Given: TypeAlias = Message | Gap | Kept | Refused | Resumed


class Step(NamedTuple):
    """What a message leads to: `lines` to send and what to give to whoever reads, both in order."""

    lines: list[bytes]
    given: list[Given]


@dataclass(slots=True)
class _Request:
    """A question to the server. `place` is None where it is about all conversations."""

    place: Place | None
    verb: str
    point: str
    count: int = PAGE
    tries: int = 1
    got: int = 0
    names: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    kind: str
    label: str
    end: bool


class Resume:
    """One person's conversations, over all connections. Owned by whoever feeds it.

    `token` is unlike that of any other program of this account. A conversation that it does not know yet begins
    with its next line; with `whole` at its beginning.
    """

    def __init__(self, token: str, *, whole: bool = False) -> None:
        self.ready = False
        self.places: dict[str, Place] = {}
        self.unacknowledged = Unacknowledged(token)
        self._whole = whole
        self._nick = ""
        self._able = False
        self._since = BEGINNING if whole else ""
        self._number = 0
        self._requests: dict[str, _Request] = {}
        self._batches: dict[str, _Batch] = {}
        self._listing = False
        self._listed: set[str] = set()
        self._welcomed = False
        self._out: list[bytes] = []
        self._given: list[Given] = []

    @property
    def able(self) -> bool:
        """Whether the server of the last login has what it takes."""
        return self._able

    def connected(self, nick: str, capabilities: frozenset[str]) -> list[bytes]:
        """Begin a connection that is logged in; give the lines to send first."""
        self.lost()
        self._nick, self._able = nick, capabilities >= NEEDED
        if not self._able:
            self.ready = True
            return []
        self._listing = bool(self._since)  # else this is the first login: nothing was missed
        self._listed.clear()
        if self._listing:
            self._ask(None, "TARGETS", self._since)
        # Answered behind the channels that we are joined to.
        self._out.append(build("PING", _WELCOMED))
        return self._step().lines

    def lost(self) -> None:
        """End the connection: what was asked will not be answered."""
        self.ready = self._listing = self._welcomed = False
        self._requests.clear()
        self._batches.clear()
        for place in self.places.values():
            place.stage, place.again = Stage.NOTHING, False
            place.waiting.clear()

    def say(self, target: str, text: str, tags: str = "", room: int = 0, key: str = "") -> list[bytes]:
        """Say something now or, while not `ready`, once we are; give the lines to send (see Engine.say).

        Raises ValueError where it fits no line, and OverflowError where too much waits already.
        """
        if self.unacknowledged.full:
            raise OverflowError
        line = self.unacknowledged.add(target, text, tags, room, key)
        return self.unacknowledged.leaving(line) if self.ready and self._able else []

    def feed(self, message: Message) -> Step:
        """Take what the server sent."""
        tags = parse_tags(message.tags) if message.tags else {}
        batch = self._batches.get(tags.get("batch", ""))
        label = tags.get("label", "") or (batch.label if batch is not None else "")
        request = self._requests.get(label)
        if not self._able:
            self._given.append(message)
        elif message.command == "BATCH" and message.params and self._batch(message, tags, batch):
            pass
        elif request is not None:
            self._answer(label, request, message, tags)
        else:
            self._given += self.unacknowledged.answered(label, message) if label else []
            self._live(message, tags)
        return self._step()

    def _step(self) -> Step:
        if self._able and self._welcomed and not self._requests and not self.ready:
            self.ready = True
            self._out += self.unacknowledged.again()
            self._given.append(Resumed())
        step = Step(self._out, self._given)
        self._out, self._given = [], []
        return step

    # --- what comes by itself ---

    def _live(self, message: Message, tags: dict[str, str]) -> None:
        line = told(message, tags)
        if line is not None:
            self._numbered(line)
            return
        if message.command == "PONG" and _WELCOMED in message.params:
            self._welcomed = True
            return
        self._given.append(message)
        if not self._since and "time" in tags:
            self._since = before(tags["time"])  # by the server's clock: conversations may begin from here on
        self._moved(message)

    def _numbered(self, line: Told) -> None:
        name = conversation(line.message, self._nick)
        place = self._place(name)
        if place is None:
            self._given.append(line.message)
            return
        direct = not name.startswith("#")
        if place.stage is not Stage.NOTHING or (self._listing and direct):
            place.wait(line)
            return
        given = place.take(line, asked=False)
        if given is None:
            place.wait(line)
            self._catch_up(place)
            return
        self._given += given
        if self.ready and not self._requests and line.time:
            self._since = before(line.time)

    def _place(self, name: str) -> Place | None:
        key = fold(name)
        if key not in self.places:
            if len(self.places) >= MAX_PLACES:
                return None
            self.places[key] = Place(name, 0 if self._whole else None)
        return self.places[key]

    def _moved(self, message: Message) -> None:
        """Catch up with a channel that we are joined to; forget one that we leave."""
        who = (message.source or "").partition("!")[0]
        if message.command == "KICK" and len(message.params) > 1:
            who = message.params[1]
        if not message.params or fold(who) != fold(self._nick):
            return
        if message.command == "JOIN":
            place = self._place(message.params[0])
            if place is not None and place.stage is Stage.NOTHING:
                self._catch_up(place)
        elif message.command in ("PART", "KICK"):
            self.places.pop(fold(message.params[0]), None)

    # --- what we ask for ---

    def _catch_up(self, place: Place) -> None:
        if place.msgid:
            place.stage = Stage.AFTER
            self._ask(place, "AFTER", f"msgid={place.msgid}")
        elif place.number is not None or not place.name.startswith("#"):
            # Whole, or a conversation of two that began while we were away.
            place.stage = Stage.AFTER
            self._ask(place, "AFTER", f"timestamp={BEGINNING if self._whole else self._since or BEGINNING}")
        else:
            place.stage = Stage.BASE
            self._ask(place, "LATEST", "*", 1)

    def _ask(self, place: Place | None, verb: str, point: str, count: int = PAGE, tries: int = 1) -> None:
        self._number += 1
        label = f"ask-{self._number}"
        self._requests[label] = _Request(place, verb, point, count, tries)
        words = [place.name, point] if place is not None else [f"timestamp={point}", f"timestamp={_FAR}"]
        self._out.append(build("CHATHISTORY", verb, *words, str(count), tags=f"label={label}"))

    def _batch(self, message: Message, tags: dict[str, str], outer: _Batch | None) -> bool:
        """Open or close a batch. Say whether it is ours: an answer, and nobody else's business."""
        sign, reference = message.params[0][:1], message.params[0][1:]
        if sign == "+":
            label = tags.get("label", "") or (outer.label if outer is not None else "")
            if not label or len(self._batches) >= MAX_BATCHES:
                return False
            self._batches[reference] = _Batch("".join(message.params[1:2]), label, "draft/chathistory-end" in tags)
            return True
        batch = self._batches.pop(reference, None)
        if batch is None:
            return False
        request = self._requests.get(batch.label)
        if request is not None and outer is None:
            del self._requests[batch.label]
            if request.place is None:
                self._listed_page(request)
            else:
                self._page(request, request.place, end=batch.end)
        return True

    def _answer(self, label: str, request: _Request, message: Message, tags: dict[str, str]) -> None:
        """Take one line of an answer, or that there is none."""
        if message.command in ("FAIL", "ACK"):
            del self._requests[label]
            self._failed(request, "".join(message.params[1:2]))
            return
        if request.place is None:
            if message.command == "CHATHISTORY" and len(message.params) > 2:
                request.names.append((message.params[1], message.params[2]))
            return
        line = told(message, tags)
        if line is None:
            return
        request.got += 1
        place = request.place
        if place.stage is Stage.BASE:
            # What waits already was said later than this, or is this.
            place.number = min([line.number, *(waiting.number - 1 for waiting in place.waiting)])
            if place.number == line.number:
                place.msgid, place.time = line.msgid, line.time
            return
        if place.stage is Stage.LATEST:
            self._given += place.restart(line.number)
            place.msgid, place.time = line.msgid, line.time
            return
        self._given += place.take(line, asked=True) or []

    def _failed(self, request: _Request, code: str) -> None:
        place = request.place
        if code not in {"INVALID_PARAMS", "INVALID_TARGET"} and request.tries < MAX_TRIES:
            self._ask(place, request.verb, request.point, request.count, request.tries + 1)
        elif place is None:
            self._listing = False
            self._release_direct()
        elif code == "INVALID_PARAMS" and place.stage is Stage.AFTER and place.msgid:
            place.stage = Stage.SINCE
            self._ask(place, "AFTER", f"timestamp={before(place.time)}")
        else:
            # What waits says what is missing.
            self._release(place)

    def _page(self, request: _Request, place: Place, *, end: bool) -> None:
        """Go on behind a page, unless it was the last."""
        if place.stage is Stage.SINCE and not request.got and not place.waiting:
            place.stage = Stage.LATEST
            self._ask(place, "LATEST", "*", 1)
            return
        if place.stage is Stage.LATEST and not request.got:
            self._given += place.restart(0)
        asking = place.stage in (Stage.AFTER, Stage.SINCE)
        if place.msgid and asking and ((request.got and not end) or place.again):
            place.again = False
            place.stage = Stage.AFTER
            self._ask(place, "AFTER", f"msgid={place.msgid}")
        else:
            self._release(place)

    def _release(self, place: Place) -> None:
        """Give what waited. A server that goes back is believed where it did not know our last line."""
        if place.stage is Stage.BASE and place.number is None and not place.waiting:
            place.number = 0  # nothing was said there yet
        while place.waiting:
            self._given += place.take(place.waiting.popleft(), asked=True) or []
        place.stage = Stage.NOTHING
        if place.again:
            place.again = False
            self._catch_up(place)

    def _listed_page(self, request: _Request) -> None:
        """Catch up with the conversations of two in this list; ask for more of it while it brings new ones."""
        new = [(name, time) for name, time in request.names if fold(name) not in self._listed]
        self._listed.update(fold(name) for name, _ in new)
        for name, _ in new:
            place = None if name.startswith("#") else self._place(name)
            if place is not None and place.stage is Stage.NOTHING:
                self._catch_up(place)
        if new:
            self._ask(None, "TARGETS", before(new[-1][1]))
            return
        self._listing = False
        self._release_direct()

    def _release_direct(self) -> None:
        for place in self.places.values():
            if place.stage is Stage.NOTHING and (place.waiting or place.again):
                self._release(place)
