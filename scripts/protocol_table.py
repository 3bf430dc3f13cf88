"""Write docs/protocol.md: what this server speaks, from the tables that its code goes by.

Run after a change to one of them: `python scripts/protocol_table.py`. A test fails where the file is out of date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from securechat.certs import DEVICE_DAYS
from securechat.certs.devices import KEYS
from securechat.chat import modes, welcome
from securechat.chat.commands import TABLE, Command
from securechat.chat.devices import MAX_REQUEST
from securechat.chat.retry import MAX_KEY
from securechat.chat.rules import Rules
from securechat.chat.sending import KEPT_TAGS
from securechat.config import DEFAULT_LOBBY, DEFAULT_SERVER_NAME, Limits
from securechat.protocol.capabilities import CAPABILITIES, KEY_TAG, ORDER_TAG
from securechat.protocol.sasl import CHUNK
from securechat.server.devices import MAX_NAME_BYTES, OVERLAP_MS

PAGE = Path(__file__).parents[1] / "docs" / "protocol.md"
OVERLAP_DAYS = OVERLAP_MS // 86_400_000
INTRODUCTION = """\
# What the server speaks

IRCv3 over TLS. This page is made by `python scripts/protocol_table.py` from the tables that the server goes by: do
not edit it. How to set up a client is in [clients.md](clients.md).
"""
OWN = f"""\
## Tags of our own

- `{KEY_TAG}=<key>` on a PRIVMSG, NOTICE or TAGMSG, or on the BATCH of a multiline message: an idempotency
  key, at most {MAX_KEY} bytes, chosen by the client (a random one for each message), for one target. Sent
  again by the same account, on whatever connection and after whatever restart, it is no second message: it
  is answered with the line of the first, msgid included, and nobody else hears of it. Others never see the
  key. It holds for as long as the message is kept, a day at the least.
- `{ORDER_TAG}` is a capability and a tag. With it, each message has its number in its conversation, live
  and in history. Together with `draft/message-redaction` no number is ever left out: where a message was
  taken back, history has a REDACT in its place. So a client that has number 41 and next gets 43 knows that
  something is missing.

## Devices

The name of a login may have the name of a device after an `@`, in SASL and in PASS: `alice@laptop`. A
client that does not ask for `draft/chathistory` is sent at its login what its device has missed: messages
of its channels and direct messages, as ordinary lines with their time, at most {Limits().replay};
{Limits().first_replay} to a device that was never here. How far a device has got is what its answers to the
server's PING say. Clients that share the name of a device, or have none, share its place.

## Logging in by certificate

TLS asks clients for a certificate of the server's own authority and goes on without one. One of anybody else,
or one that has expired or is not for clients, ends the handshake (with TLS 1.3 the client hears of it in its
first read): whoever logs in by password must show none at all, and whose certificate has expired must leave it
out. `AUTHENTICATE EXTERNAL`, then `+` or the account's name in base64, logs in by a certificate that the
server's users file has as one of the account's devices. Everything else is a 904 in the same words. A device
that is revoked or whose account is disabled is disconnected at once.

A client gets its certificate over a connection that is logged in. `C` is the client, `S` the server:

    C: ENROL laptop MIHoMIGQAgEAMC4x...     a certificate request (RFC 2986, DER, base64) in pieces of {CHUNK}
    C: ENROL laptop Ym9keSBlbHNl            ends with the first that is shorter, or with "+"
    S: :server ENROL laptop :MIIBxDCCAWqg...   the certificate (DER, base64) in the same way
    S: :server ENROL laptop :AAECAw==
    S: :server NOTE ENROL CERTIFICATE laptop <end> <fingerprint> :...

Of the request only the key counts: {KEYS}; the request has at most {MAX_REQUEST} characters. The name of a
device has 1 to {MAX_NAME_BYTES} bytes; the device logs in as if by `<account>@<device>`. ENROL for a device
that has a certificate renews it, and the one before is good for another {OVERLAP_DAYS} days at most: whoever
lost the answer asks again. So whoever is new looks at DEVICES first and takes a
name that is free. Certificates are valid for {DEVICE_DAYS} days; renew when a third of that is left.
`ENROL <device> *` drops what was sent of a request. Refusals are `FAIL ENROL <code> <device> :<why>` with the
codes `INVALID_REQUEST`, `REFUSED` (name, or too many devices: {Limits().enrolled_devices}), `PASSWORD_REQUIRED`
(a login by certificate renews that device's and adds no other), `RATE_LIMITED` ({Limits().enrolments_per_hour}
an hour), `CANNOT_SIGN` (the authority's key is kept elsewhere: only `securechat issue-cert` helps), `BUSY` and
`INTERNAL_ERROR`.

`DEVICES` answers `NOTE DEVICES DEVICE <account> <device> <since> <end> <fingerprint> :...` for each certificate
and `NOTE DEVICES END <account> :...`; `DEVICES REVOKE <device>` answers `NOTE DEVICES REVOKED <account>
<device> :...` or `FAIL DEVICES NO_SUCH_DEVICE`. Moments are as in server-time, fingerprints the SHA-256 of the
DER in hex.

## Invites

`securechat invite` prints a link:

    securechat://<host>:<port>/<account>?ca=<fingerprint>&token=<token>

with the account percent-encoded, and the SHA-256 of the authority's certificate (DER) in base64url without
padding; `ca=system` says that the server's certificate is one that the system's authorities vouch for. What a
client does:

1. Unless it is `ca=system`: connect without verifying, send `CA`, read lines `:server CA :<piece>` (base64, in
   pieces of {CHUNK}, the last shorter or "+"), and close. Go no further unless the SHA-256 of what came is the
   one in the link. Nothing else is said on that connection.
2. Connect again, verifying by that certificate and the host's name. Without `draft/account-registration` in CAP
   LS the server is too old: go no further.
3. `REGISTER <account> * :<password>`, answered by `REGISTER VERIFICATION_REQUIRED <account> :...`, and `VERIFY
   <account> <token>`, before `CAP END`. `VERIFY SUCCESS <account> :...` and 900 follow, and the connection is
   logged in as if by SASL.

`FAIL VERIFY INVALID_CODE <account> :...` is the answer to a token that is wrong, used, expired or for another
name, and to nothing else one can tell from it; `WEAK_PASSWORD` and `ACCOUNT_EXISTS` are told to whoever has the
token, and leave it as it is. After either, REGISTER comes first again. Each counts as a try at logging in.
REGISTER itself promises nothing: it is answered alike whether there is such an account or invite.

## Who may read what

Members of a channel read it from its beginning; with mode `+H` from their joining on. `+H` comes by itself
with `+i`, `+k` and `+s`; `MODE #x -H` opens what was said before to all members. Direct messages are for
their two sides, from the making of the account on. Messages that were taken back are gone, from search too.
"""
SORTS = {
    modes.Sort.LIST: "a mask; without one, shows the list",
    modes.Sort.KEY: "a key",
    modes.Sort.LIMIT: "a number, to set it",
    modes.Sort.FLAG: "",
    modes.Sort.RANK: "a member",
}


def page() -> str:
    """Return the whole page."""
    sections = [INTRODUCTION, *_commands(), *_capabilities(), *_tags(), OWN, *_modes(), *_isupport()]
    return "\n".join(sections)


def _commands() -> Iterable[str]:
    yield "## Commands\n"
    yield "The number is the least of parameters. HELP COMMAND says the same in a client.\n"
    rows = [(*_described(name, row), str(row.minimum), _who(row)) for name, row in sorted(TABLE.items())]
    yield _table(("Command", "What it does", "At least", "Who"), rows)


def _described(name: str, row: Command) -> tuple[str, str]:
    first = (row.handler.__doc__ or "").strip().splitlines()[0]
    usage, colon, told = first.partition(": ")
    if not (colon and usage.startswith(name)):
        raise SystemExit(f"{name}: its handler's first line is not 'USAGE: what it does'.")
    several = f" At most {Limits().targets} targets." if row.listed else ""
    return _code(usage), _text(told + several)


def _who(row: Command) -> str:
    if row.stranger:
        return "everybody, before the login too"
    return "administrators" if row.admin else "everybody"


def _capabilities() -> Iterable[str]:
    yield "## Capabilities\n"
    yield _table(("Name", "Value"), [(_code(name), _code(value)) for name, (_, value) in CAPABILITIES.items()])
    yield "## SASL mechanisms\n"
    yield _table(("Name",), [(_code(name),) for name in CAPABILITIES["sasl"][1].split(",")])


def _tags() -> Iterable[str]:
    yield "## Client-only tags\n"
    yield "Whatever begins with `+` goes to all clients that read tags: `+typing`, `+draft/reply` and any other."
    yield "A TAGMSG is kept if it has one of these, and otherwise never.\n"
    yield _table(("Name",), [(_code(name),) for name in KEPT_TAGS])


def _modes() -> Iterable[str]:
    yield "## Channel modes\n"
    yield "A channel begins with `+nt`. Its owner has no mode: whoever makes a channel owns it, for good.\n"
    rows = [(_code(f"+{letter}"), _text(mode.meaning), SORTS[mode.sort]) for letter, mode in modes.TABLE.items()]
    yield _table(("Mode", "Meaning", "Parameter"), rows)
    yield "## User modes\n"
    yield _table(("Mode", "Meaning"), [(_code(f"+{letter}"), _text(told)) for letter, told in modes.USER.items()])


def _isupport() -> Iterable[str]:
    yield "## ISUPPORT\n"
    yield "With the limits that `serve` has by default.\n"
    rules = Rules(server=DEFAULT_SERVER_NAME, limits=Limits(), lobby=DEFAULT_LOBBY)
    words = welcome.isupport(rules, (name for name, row in TABLE.items() if row.listed))
    rows = [tuple(map(_code, word.partition("=")[::2])) for word in words]
    yield _table(("Token", "Value"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`" if text else ""


def _text(text: str) -> str:
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", text)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"{PAGE} is up to date.")
