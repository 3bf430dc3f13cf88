"""Client certificates: real ones of a home's authority, and all the others that somebody might show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from helpers.commands import in_process

from securechat.certs import bundle, issue, new_key
from securechat.server import devices
from securechat.storage.users import UserFile

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


def forge(folder: Path, file: Path, *, start=-1, end=30, use=CLIENT, name="alice", own=False) -> Path:
    """Write a certificate signed by hand with the authority in `folder` (or by itself); valid from day to day."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    ca = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    signer = key if own else serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if own else ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=start))
        .not_valid_after(now + timedelta(days=end))
    )
    if use is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    file.write_bytes(_pem(key) + builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return file


def _pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def strange(folder: Path, place: Path) -> dict[str, tuple[Path, str]]:
    """Certificates that TLS itself is to refuse, each with a word of the reason that the server logs."""
    other = place / "other"
    issue(other, (), 30)
    server = place / "server-as-client.pem"
    server.write_bytes((folder / "server.key").read_bytes() + (folder / "server.pem").read_bytes())
    return {
        "another authority": (forge(other, place / "a.pem"), "not of this server's CA"),
        "self-signed": (forge(folder, place / "b.pem", own=True), "not of this server's CA"),
        "expired": (forge(folder, place / "c.pem", end=0), "has expired"),
        "not yet valid": (forge(folder, place / "d.pem", start=1), "not valid yet"),
        "the server's own": (server, "not one for clients"),
        "for servers": (forge(folder, place / "e.pem", use=SERVER), "not one for clients"),
    }


STRANGE = ("another authority", "self-signed", "expired", "not yet valid", "the server's own", "for servers")


def csr(key=None) -> bytes:
    """A certificate request in DER; its subject is of no account."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody else")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def enrol(home, file: Path, name: str = "alice", device: str = "laptop", **how) -> Path:
    """Give an account a device as `issue-cert` does; return the file with its key and certificate."""
    key = new_key()
    _, made = devices.enrol(UserFile(home.users), home.certs, name, device, key.public_key(), **how)
    file.write_bytes(bundle(key, made))
    return file


def prove(wire, *, end: bool = True) -> str:
    """Log in by EXTERNAL; return the numeric that says how it went."""
    wire.send("CAP LS 302", "NICK x", "USER x 0 * :x", "CAP REQ sasl", "AUTHENTICATE EXTERNAL")
    wire.expect(r"^AUTHENTICATE \+$")
    wire.send("AUTHENTICATE +")
    how = wire.expect(" (903|904) ")[1]
    if how == "903" and end:
        wire.send("CAP END")
        wire.expect(" (422|376) ")
        wire.barrier()
    return how


def issued(home, name: str, file: Path) -> Path:
    """The file that `issue-cert` makes, by the command itself."""
    done = in_process("issue-cert", name, "--out", file, "--home", home.path)
    assert done.returncode == 0, done.stderr
    return file


def revoke(home, name: str) -> None:
    """Revoke all devices of an account, by the command itself."""
    done = in_process("revoke", name, "--home", home.path)
    assert done.returncode == 0, done.stderr
