"""Pairs of a certificate and its private key on disk: read, replaced so that the two stay a pair, locked."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

LOCK_SECONDS: Final = 10.0
"""How long a second run waits for the first."""
_WAYS_OUT: Final = {
    errno.EACCES: "run this as the user who owns it",
    errno.EPERM: "run this as the user who owns it",
    errno.ENOSPC: "free some space and try again",
    errno.EDQUOT: "free some space and try again",
}


class CertificateError(Exception):
    """Certificates that cannot be made or used. The text is one sentence that names the file and the way out."""


class KeyAwayError(CertificateError):
    """The authority's key cannot be used here: it is kept elsewhere, or protected by a passphrase."""


def belongs(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bool:
    """Whether a certificate and a private key are a pair."""
    return certificate.public_key() == key.public_key()


def match(pem: Path, private: Path) -> bool:
    """Whether two files hold a pair; one that is missing or unreadable is none."""
    try:
        return belongs(read_certificate(pem), read_key(private))
    except (CertificateError, OSError):
        return False


def read_certificate(path: Path) -> x509.Certificate:
    """Return the first certificate of a PEM file. Raises CertificateError and OSError."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        raise CertificateError(
            f"{path} holds no certificate that can be read; put it back from a copy, or move it away "
            f"and run 'securechat init-certs'."
        ) from None


def read_key(path: Path, passphrase: Callable[[Path], bytes] | None = None) -> ec.EllipticCurvePrivateKey:
    """Return the private key in a PEM file. Raises CertificateError and OSError; see KeyPlace for `passphrase`."""
    data, password = path.read_bytes(), None
    if is_encrypted(data):
        if passphrase is None:
            raise KeyAwayError(
                f"{path} is protected by a passphrase, which cannot be asked for here; "
                f"use a command that asks, like 'securechat init-certs'."
            )
        password = passphrase(path)
    try:
        key = serialization.load_pem_private_key(data, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if key is None and password is not None:
        raise CertificateError(f"{path} is not opened by that passphrase; try again with the right one.")
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError(
            f"{path} holds no EC private key that can be read; put it back from a copy, or move it away "
            f"and run 'securechat init-certs'."
        )
    return key


def is_encrypted(pem: bytes) -> bool:
    """Whether a PEM file holds an encrypted private key (RFC 7468, 11)."""
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in pem


def publish(
    folder: Path,
    stem: str,
    certificate: bytes,
    key: ec.EllipticCurvePrivateKey,
    *,
    private: Path | None = None,
    passphrase: bytes | None = None,
) -> None:
    """Put `stem`.key and `stem`.pem into `folder`, which is locked. Raises OSError; a new authority replaces none.

    Two files cannot be replaced in one step. So both are written and synced under other names, then the key takes
    its place, then the certificate. Killed in between, the certificate of the new key lies ready as *.pem.new,
    and the next run or the next start of the server moves it (`finish`). `private` is another path for the key,
    `passphrase` what it is encrypted with.
    """
    pem, private = folder / f"{stem}.pem", private or folder / f"{stem}.key"
    try:
        _create(pending(pem), certificate, 0o644)
        _create(pending(private), key_bytes(key, passphrase), 0o600)
    except OSError:
        pending(pem).unlink(missing_ok=True)
        raise
    _place(private)
    _place(pem)


def key_bytes(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    """Return a private key as PEM (PKCS #8), encrypted where there is a passphrase."""
    how = serialization.NoEncryption() if passphrase is None else serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def replace_key(path: Path, key: ec.EllipticCurvePrivateKey, passphrase: bytes) -> None:
    """Write a private key anew, encrypted. Raises OSError."""
    _create(pending(path), key_bytes(key, passphrase), 0o600)
    pending(path).replace(path)
    _sync(path.parent)


def move(source: Path, target: Path) -> None:
    """Move a key to another folder, perhaps of another disk; it is there before it is gone here. Raises OSError.

    Raises CertificateError where another key is there.
    """
    data = source.read_bytes()
    if not os.path.lexists(target):
        _create(target, data, 0o600)
        _sync(target.parent)
    elif target.read_bytes() != data:  # the same key: a move that was killed half-way
        raise CertificateError(f"{target} is there already and another key than {source}; name another folder.")
    source.unlink()
    _sync(source.parent)


@contextmanager
def secret_file(path: Path, *, force: bool = False) -> Iterator[BinaryIO]:
    """Give a new file that only its owner can read; it becomes `path` when the block is done, and only then.

    That it can be written there is known before the block does anything. Raises CertificateError and OSError.
    """
    if path.is_dir():
        raise CertificateError(f"{path} is a folder; name a file in it.")
    if not force and os.path.lexists(path):
        raise CertificateError(f"{path} is there already; name another file, or replace it with --force.")
    new = pending(path)
    new.unlink(missing_ok=True)
    try:
        with _created(new, 0o600) as file:
            yield file
        if force:
            new.replace(path)
        else:
            os.link(new, path)  # unlike a rename it never replaces anything
    finally:
        new.unlink(missing_ok=True)
    _sync(path.parent)


def finish(folder: Path, stem: str) -> None:
    """Do the rest of a `publish` that was killed: complete the pair if its key is in place, clear up otherwise."""
    pem, private = folder / f"{stem}.pem", folder / f"{stem}.key"
    replaceable = stem != "ca" or not os.path.lexists(pem)
    if replaceable and not match(pem, private) and match(pending(pem), private):
        _place(pem)
    pending(private).unlink(missing_ok=True)
    pending(pem).unlink(missing_ok=True)


def pending(path: Path) -> Path:
    """Return the name under which a file waits for its place."""
    return path.with_name(f"{path.name}.new")


def _create(path: Path, data: bytes, mode: int) -> None:
    """Write a new file that has its mode from the first moment and is on disk at return."""
    with _created(path, mode) as file:
        file.write(data)


@contextmanager
def _created(path: Path, mode: int) -> Iterator[BinaryIO]:
    """Give a new file to write to; it is on disk after the block, or gone where it cannot be written."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        path.unlink(missing_ok=True)
        error.filename = error.filename or str(path)
        raise


def _place(path: Path) -> None:
    if path.name.startswith("ca."):
        os.link(pending(path), path)  # unlike a rename it never replaces anything
        pending(path).unlink()
    else:
        pending(path).replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and what is missing above it, closed to everybody else."""
    if not folder.is_dir():
        if not folder.parent.is_dir():
            make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder against a second run (flock on the folder itself: nothing is left behind)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise CertificateError(f"{folder} is in use by another init-certs; try again later.") from None
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def one_sentence(path: Path) -> Iterator[None]:
    """Turn an OSError into a CertificateError that names the file (or `path`, where it names none)."""
    try:
        yield
    except OSError as error:
        way_out = _WAYS_OUT.get(error.errno or 0, "check that path and try again")
        raise CertificateError(
            f"Cannot use {error.filename or path} ({error.strerror or error}); {way_out}."
        ) from error
