"""Where to and as whom: what `connect`, `send` and `tail` share. Flags over environment over the profile."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from securechat import config
from securechat.cli import CommandError
from securechat.cli.options import option
from securechat.cli.passwords import ask_password
from securechat.client.words import _

if TYPE_CHECKING:
    from securechat.client.devices import Device
    from securechat.client.errors import LoginError
    from securechat.client.profiles import Profile
    from securechat.client.settings import Endpoint

VARIABLE: Final = "SECURECHAT_PASSWORD"
DEFAULT_HOST: Final = "localhost"  # where `serve` listens unless told otherwise, by its name in the certificate
_MAX_LINE: Final = 16 * 1024

User = Annotated[
    str | None, option("--user", metavar="NAME", show_default=False, help="The account to log in as.")
]
Host = Annotated[
    str | None,
    option("--host", metavar="NAME", show_default=False, help="Name or address of the server (localhost)."),
]
Port = Annotated[
    int | None,
    option("--port", metavar="N", min=1, max=65535, show_default=False, help="Port of the server (6697)."),
]
Authority = Annotated[
    Path | None,
    option(
        "--ca",
        metavar="FILE",
        show_default=False,
        help="The server's ca.pem, by which it is known (default: the profile's, or HOME/certs/ca.pem).",
    ),
]
ProfileName = Annotated[
    str | None,
    option(
        "--profile",
        metavar="NAME",
        show_default=False,
        help="The remembered login to use (default: the last one used); a new name remembers this one by it.",
    ),
]
NoDevice = Annotated[
    bool,
    option("--no-device", help="On a shared computer: leave no key here, and log in by password each time."),
]
NoKeyring = Annotated[bool, option("--no-keyring", help="Leave the keyring alone: the password is asked for.")]


TRIES: Final = 3
"""How often somebody at a terminal may type a password."""


@dataclass(slots=True)
class Login:
    """One login of this run. `recalled` says that its password came from the keyring, `forgotten` that it did.

    `asked` counts how often somebody was asked for it, `given` is a password that is known already.
    """

    profile: Profile
    keyring: bool
    given: str = field(default="", repr=False)
    recalled: bool = False
    asked: int = 0
    forgotten: bool = False
    _typed: str = field(default="", repr=False)

    @property
    def endpoint(self) -> Endpoint:
        """Where the server is."""
        from securechat.client.settings import Endpoint

        return Endpoint(self.profile.host, self.profile.port)

    def device(self, *, new: bool) -> Device:
        """Return this machine as a device of the account; `new` allows to get it a certificate."""
        from securechat.client.devices import Device

        return Device(self.profile.user.partition("@")[0], self.endpoint, self.profile.ca, new=new)

    def proof(self, device: Device | None, from_stdin: bool) -> tuple[str, bytes]:
        """Return the password, as `password` does; empty where the device has a certificate that is good."""
        if device is not None:
            if device.good:
                return "", b""
            if device.expired():
                told = _("The certificate of this device has expired; log in by password.")
                print(f"securechat: {told}", file=sys.stderr)
        return self.password(from_stdin)

    def again(self, failure: LoginError) -> bool:
        """Whether somebody is there who can be asked for a password, after this one or this device was refused."""
        from securechat.client.errors import DeviceError

        wrong = failure.wrong and (self.recalled or 0 < self.asked < TRIES)
        other = isinstance(failure, DeviceError) or wrong
        return other and sys.stdin is not None and sys.stdin.isatty()

    def password(self, from_stdin: bool) -> tuple[str, bytes]:
        """Return the password, and what was read of standard input behind it. Raises CommandError, EOFError."""
        if self.given:
            return self.given, b""
        if not from_stdin:
            given = os.environ.get(VARIABLE)
            if given:
                return given, b""
            if self.keyring and not self.forgotten and (found := self._recall()):
                self.recalled = True
                return found, b""
            if sys.stdin is None or not sys.stdin.isatty():
                text = _(
                    "There is no terminal to ask for the password: set {}, or pass --password-stdin"
                    " to take it from the first line of standard input."
                )
                raise CommandError(text.format(VARIABLE))
        if sys.stdin is not None and not sys.stdin.isatty():
            return _first_line()
        self.asked += 1
        password = ask_password(_("Password for {}: ").format(self.profile.user))
        self._offer(password)
        return password, b""

    def _recall(self) -> str:
        from securechat.client.profiles import recall

        return recall(self.profile)

    def _offer(self, password: str) -> None:
        """Ask, once for each profile, whether the keyring may have this password."""
        from securechat.client.profiles import has_keyring

        if not self.keyring or self.profile.keyring == "no" or not has_keyring():
            return
        if not self.profile.keyring:
            answer = input(_("Remember it in the keyring of this desktop? [y/N] ")).strip().lower()
            choice = "yes" if answer in ("y", "yes", "д", "да") else "no"
            self.profile = replace(self.profile, keyring=choice)
        self._typed = password if self.profile.keyring == "yes" else ""

    def remember(self) -> None:
        """Note that we are in: next time this login is the one to use.

        Only where somebody is at a terminal: a script does not change what a person comes back to. A folder that
        cannot be written keeps nobody from talking.
        """
        from securechat.client.profiles import ProfileError, Profiles, store

        typed, self._typed = self._typed, ""
        if sys.stdin is None or not sys.stdin.isatty():
            return
        with contextlib.suppress(ProfileError):
            self.profile = Profiles().remember(self.profile)
            if typed:
                store(self.profile, typed)

    def refused(self, failure: LoginError) -> str:
        """Return what a person is told. A password of the keyring that is wrong is taken out of it."""
        from securechat.client.profiles import forget

        if not (failure.wrong and self.recalled):
            return str(failure)
        forget(self.profile)
        self.recalled, self.forgotten = False, True
        return _("{}; it is out of the keyring now.").format(str(failure).removesuffix("."))


def find(
    user: str | None,
    host: str | None,
    port: int | None,
    ca: Path | None,
    name: str | None,
    home: Path,
    *,
    keyring: bool = True,
) -> Login:
    """Return the login that these options mean. Raises CommandError, and ProfileError for one that is not known.

    A profile that is not named counts only where it agrees with all that is given.
    """
    from securechat.client.profiles import Profile, Profiles, check

    host = host.removeprefix("[").removesuffix("]") if host else None
    profiles = Profiles()
    here = config.Home(home).certs / "ca.pem"
    base = profiles.known.get(name or profiles.last)
    given = [(user, "user"), (host, "host"), (port, "port")]
    agrees = base is not None and all(value in (None, getattr(base, part)) for value, part in given)
    if base is None or (name is None and not agrees):
        if user is None:
            profiles.get(name)  # says why there is none
            raise CommandError(_("Say as whom: --user NAME."))
        where = host or DEFAULT_HOST, port or config.DEFAULT_PORT
        known = profiles.find(*where, user) if name is None else None
        base = known or Profile(name or f"{user}@{where[0]}:{where[1]}", *where, user, ca or here)
    else:
        base = replace(base, user=user or base.user, host=host or base.host, port=port or base.port)
    if ca is None and base.host == DEFAULT_HOST and here.exists():
        ca = here  # the server of this folder may have another authority than the one of then
    if ca is not None:
        return Login(replace(base, ca=ca, fingerprint=""), keyring)
    check(base)
    return Login(base, keyring)


def _first_line() -> tuple[str, bytes]:
    from securechat.client.pipe import first_line

    line, leftover = first_line(sys.stdin.fileno(), _MAX_LINE)
    if not line:
        raise CommandError(_("The first line of standard input is empty; the password belongs there."))
    # "surrogateescape" raises nothing: an exception would carry the password (law 7). credentials() refuses it.
    return line.decode(errors="surrogateescape"), leftover
