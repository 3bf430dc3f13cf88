"""The servers that a person uses, remembered in their configuration folder: where, as whom, known by what.

No secret is in it. A password may be in the keyring of the desktop, where the extra `securechat[keyring]` is
installed and its owner said yes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import ssl
import tempfile
import tomllib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from securechat.client.errors import ClientError, reason
from securechat.client.keepsake import make_folder
from securechat.client.words import _

FOLDER: Final = "SECURECHAT_CONFIG"
"""Variable that names the folder, instead of the user's own."""
PASSWORD: Final = "SECURECHAT_PASSWORD"  # noqa: S105  # the variable's name
SYSTEM: Final = "system"
"""In place of the authority's file: those that the system trusts."""
MAX_PROFILES: Final = 1000
MAX_BYTES: Final = 1024 * 1024
_SERVICE: Final = "securechat"
_NAME: Final = re.compile(r"[\w.@:-]{1,200}")


class ProfileError(ClientError):
    """A profile that cannot be used. The text is one sentence for its owner."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One login that was used. `ca` is our own copy of the server's ca.pem, `fingerprint` its SHA-256.

    Without `ca` the system's authorities vouch for the server.
    `keyring`: "yes", "no", or empty where its owner was never asked.
    """

    name: str
    host: str
    port: int
    user: str
    ca: Path | None
    fingerprint: str = ""
    keyring: str = ""


def folder() -> Path:
    """Return the folder of the user's configuration; SECURECHAT_CONFIG names another."""
    given = os.environ.get(FOLDER)
    if given:
        return Path(given)
    import platformdirs  # noqa: PLC0415  # only who has profiles waits for it

    return platformdirs.user_config_path("securechat", appauthor=False)


class Profiles:
    """The profiles in a folder: read when made, written as a whole by `remember`."""

    def __init__(self, where: Path | None = None) -> None:
        self.folder = where or folder()
        self.path = self.folder / "profiles.toml"
        self.last = ""
        self.known: dict[str, Profile] = {}
        self._read()

    def get(self, name: str | None = None) -> Profile:
        """Return the profile of that name, or the last one used. Raises ProfileError where there is none."""
        if name is None and not self.last:
            raise ProfileError(_("No server is remembered yet: connect with --user NAME --host HOST --ca FILE."))
        found = self.known.get(name or self.last)
        if found is None:
            known = ", ".join(self.known) or _("none yet")
            text = _("There is no profile {name!r}; those are: {known}.")
            raise ProfileError(text.format(name=name or self.last, known=known))
        check(found)
        return found

    def find(self, host: str, port: int, user: str) -> Profile | None:
        """Return the profile of that login, if it is remembered."""
        matches = (one for one in self.known.values() if (one.host, one.port, one.user) == (host, port, user))
        return next(matches, None)

    def other_authority(self, host: str, port: int, der: bytes) -> Profile | None:
        """Return a profile that knows this server by another authority than this one, if there is one."""
        for one in self.known.values():
            if (one.host, one.port) == (host, port) and one.ca is not None and _der(one.ca) not in (None, der):
                return one
        return None

    def remember(self, profile: Profile) -> Profile:
        """Note a login that worked as the last one used, with a copy of its authority; return it as it is now.

        Raises ProfileError where it cannot be written.
        """
        if not _NAME.fullmatch(profile.name):
            raise ProfileError(
                _("{!r} cannot name a profile: letters, digits and . _ - @ : can.").format(profile.name)
            )
        try:
            make_folder(self.folder)
            kept = self._copy_authority(profile)
            self.known[kept.name] = kept
            while len(self.known) > MAX_PROFILES:
                del self.known[next(iter(self.known))]
            self.last = kept.name
            _replace(self.path, self._text().encode())
        except OSError as failure:
            text = _("{path} cannot be written: {reason}; nothing is remembered.")
            raise ProfileError(text.format(path=self.path, reason=reason(failure))) from None
        return kept

    def _copy_authority(self, profile: Profile) -> Profile:
        if profile.ca is None:
            return replace(profile, fingerprint="")
        data = profile.ca.read_bytes()
        return replace(profile, ca=self._keep(data), fingerprint=hashlib.sha256(data).hexdigest())

    def _keep(self, authority: bytes) -> Path:
        # By content: servers of one authority share it.
        copy = self.folder / f"ca-{hashlib.sha256(authority).hexdigest()[:16]}.pem"
        if not copy.exists() or copy.read_bytes() != authority:
            _replace(copy, authority)
        return copy

    def keep_authority(self, pem: bytes) -> Path:
        """Keep an authority for a profile to come; return its file. Raises ProfileError."""
        try:
            make_folder(self.folder)
            return self._keep(pem)
        except OSError as failure:
            text = _("{path} cannot be written: {reason}; nothing is remembered.")
            raise ProfileError(text.format(path=self.folder, reason=reason(failure))) from None

    def _read(self) -> None:
        try:
            if self.path.stat().st_size > MAX_BYTES:
                raise ProfileError(_("{} is too large to be ours; move it away.").format(self.path))
            document = tomllib.loads(self.path.read_text("utf-8"))
            self.last = "" + document.get("last", "")  # a TypeError where it is no text
            tables = document.get("profiles", {})
            self.known = {name: _profile(name, table, self.folder) for name, table in tables.items()}
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as failure:
            text = _("{path} cannot be read: {reason}; check who owns it.")
            raise ProfileError(text.format(path=self.path, reason=reason(failure))) from None
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, KeyError, ValueError, AttributeError):
            raise ProfileError(
                _("{} is not a list of profiles; correct it or move it away.").format(self.path)
            ) from None

    def _text(self) -> str:
        import tomli_w  # noqa: PLC0415  # only who changes profiles waits for it

        tables = {}
        for name, profile in self.known.items():
            table = {key: value for key, value in asdict(profile).items() if key != "name" and value != ""}
            tables[name] = table | {"ca": self._place(profile.ca)}
        return tomli_w.dumps({"last": self.last, "profiles": tables})

    def _place(self, authority: Path | None) -> str:
        if authority is None:
            return SYSTEM
        return authority.name if authority.parent == self.folder else str(authority)


def _profile(name: str, table: dict[str, Any], where: Path) -> Profile:
    texts = {key: table.get(key, "") for key in ("host", "user", "ca", "fingerprint", "keyring")}
    port = table["port"]
    if not all(isinstance(text, str) for text in texts.values()) or not isinstance(port, int):
        raise TypeError
    if not (0 < port < 65536 and texts["host"] and texts["user"] and texts["ca"]):
        raise ValueError
    ca = texts.pop("ca")
    return Profile(name, port=port, ca=None if ca == SYSTEM else where / ca, **texts)  # an absolute path stays one


def check(profile: Profile) -> None:
    """Raise ProfileError where the file of a profile's authority is not the one that was remembered."""
    if profile.ca is not None and profile.fingerprint and _fingerprint(profile.ca) != profile.fingerprint:
        raise ProfileError(
            _(
                "{path} is not the authority that was remembered for {name}: somebody changed it;"
                " get the server's ca.pem again and pass it with --ca FILE."
            ).format(path=profile.ca, name=profile.name)
        )


def _der(path: Path) -> bytes | None:
    try:
        return ssl.PEM_cert_to_DER_cert(path.read_text("ascii").strip())
    except (OSError, ValueError):
        return None


def _fingerprint(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as failure:
        text = _("{path} cannot be read: {reason}; pass the server's ca.pem with --ca.")
        raise ProfileError(text.format(path=path, reason=reason(failure))) from None


def _replace(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600 from the start
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


# --- passwords ---


def password_of(profile: Profile) -> str:
    """Return the password from SECURECHAT_PASSWORD or the keyring. Raises ProfileError where it is in neither."""
    found = os.environ.get(PASSWORD) or recall(profile)
    if not found:
        text = _("There is no password for {name}: set {variable}, or give it as password=.")
        raise ProfileError(text.format(name=profile.name, variable=PASSWORD))
    return found


def _keyring() -> Any:
    """Return the keyring module where it is installed and has a place to keep things, else None."""
    try:
        import keyring  # noqa: PLC0415  # optional
        from keyring.backends import fail, null  # noqa: PLC0415

        backend = keyring.get_keyring()
    except Exception:  # whatever a desktop's keyring does must not keep anybody from talking
        return None
    return None if isinstance(backend, fail.Keyring | null.Keyring) else keyring


def has_keyring() -> bool:
    """Whether passwords can be remembered here."""
    return _keyring() is not None


def _entry(profile: Profile) -> str:
    return f"{profile.user}@{profile.host}:{profile.port}"


def recall(profile: Profile) -> str:
    """Return the password that the keyring has for a profile; empty where it has none or nobody said yes."""
    keyring = _keyring() if profile.keyring == "yes" else None
    try:
        return (keyring.get_password(_SERVICE, _entry(profile)) if keyring is not None else None) or ""
    except Exception:  # locked, or gone: it is asked for then
        return ""


def store(profile: Profile, password: str) -> bool:
    """Put a password into the keyring; say whether that worked."""
    keyring = _keyring()
    try:
        if keyring is not None:
            keyring.set_password(_SERVICE, _entry(profile), password)
            return True
    except Exception:  # the text of it may carry the password (law 7)
        return False
    return False


def forget(profile: Profile) -> None:
    """Take a password that does not work out of the keyring."""
    keyring = _keyring()
    with contextlib.suppress(Exception):
        if keyring is not None:
            keyring.delete_password(_SERVICE, _entry(profile))
