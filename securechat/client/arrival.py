"""From an invite to an account of one's own, step by step (docs/protocol.md, "Invites")."""

from __future__ import annotations

import ssl
from pathlib import Path

from securechat.client import inquiry
from securechat.client.connection import Connection
from securechat.client.devices import Device
from securechat.client.dial import trust
from securechat.client.errors import ClientError, StrangerError
from securechat.client.events import Closed, Enrolled, LoggedIn
from securechat.client.handshake import credentials
from securechat.client.invitation import Invitation
from securechat.client.profiles import Profile, Profiles
from securechat.client.settings import ClientLimits
from securechat.client.words import _
from securechat.protocol.message import build

_LIMITS = ClientLimits(reconnect_seconds=0)
_ENROL_SECONDS = 30.0


class Arrival:
    """One person's way in. Owned by the thread that makes it; each step raises ClientError.

    `meet` comes first and says nothing that is secret; `enter` uses the token, and may be tried again with another
    password where the server did not like the first.
    """

    def __init__(self, invitation: Invitation) -> None:
        self._invitation = invitation
        self._authority: Path | None = None
        self._context: ssl.SSLContext | None = None

    def meet(self) -> None:
        """Find out by what the server is known, and verify from then on that it is the one of the invite."""
        place, digest = self._invitation.endpoint, self._invitation.authority
        if digest:
            der = inquiry.authority(place, digest, _LIMITS)
            self._authority = self._keep(der)
        self._context = trust(self._authority)
        try:
            inquiry.check_invites(place, self._context, _LIMITS)
        except StrangerError:
            raise self._strange() from None

    def _keep(self, der: bytes) -> Path:
        """Keep the authority, unless this machine knows the server by another: a link must not change that."""
        place, profiles = self._invitation.endpoint, Profiles()
        other = profiles.other_authority(place.host, place.port, der)
        if other is not None:
            text = _(
                "This machine knows {server} by another authority than the one in the invite: ask its"
                " administrator; if it was set up anew, take {name} out of {path} and join again."
            )
            raise ClientError(text.format(server=place, name=other.name, path=profiles.path))
        return profiles.keep_authority(ssl.DER_cert_to_PEM_cert(der).encode())

    def _strange(self) -> ClientError:
        # Not the advice to fetch another ca.pem, as at a login: whoever is in between would like that.
        return inquiry.strange(self._invitation.endpoint)

    def enter(self, password: str, *, device: bool) -> tuple[Profile, Enrolled]:
        """Make the account, and remember it as a profile; with `device`, get this device a certificate.

        What comes back may be no certificate: then the password is what logs in.
        """
        assert self._context is not None
        place, name = self._invitation.endpoint, self._invitation.name
        here = Device(name, place, self._authority, new=True)
        connection = Connection(
            place,
            self._context,
            credentials(name, password),
            limits=_LIMITS,
            device=here if device else None,
            token=self._invitation.token,
        )
        connection.start()
        try:
            profile = self._remember(_first(connection))
            enrolled = _enrolled(connection) if device else Enrolled()
        except StrangerError:
            raise self._strange() from None
        finally:
            connection.close([build("QUIT")])
            connection.join()
        if not enrolled.name:
            here.forget()  # of an account of this name that was here before
        return profile, enrolled

    def _remember(self, login: LoggedIn) -> Profile:
        place = login.endpoint
        name = f"{login.nick}@{place.host}:{place.port}"
        made = Profile(name, place.host, place.port, login.nick, self._authority)
        try:
            return Profiles().remember(made)
        except ClientError as failure:
            text = _("The account {name} is yours, but this machine does not remember it: {reason}")
            raise ClientError(text.format(name=login.nick, reason=failure)) from None


def _first(connection: Connection) -> LoggedIn:
    while not isinstance(event := connection.next_event(), LoggedIn):
        if isinstance(event, Closed):
            raise event.error or ClientError(_("The connection was closed before the server answered."))
    return event


def _enrolled(connection: Connection) -> Enrolled:
    """Wait for the certificate; without one the password is good enough."""
    while (event := connection.next_event(_ENROL_SECONDS)) is not None and not isinstance(event, Closed):
        if isinstance(event, Enrolled):
            return event
    return Enrolled()
