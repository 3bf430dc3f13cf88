"""Certificates for devices: who gets one, what it is good for, and what TLS makes of it."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from securechat import certs
from securechat.certs import CertificateError, KeyAwayError, KeyPlace, RequestRefused, files

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
SECRET = b"correct horse battery"


@pytest.fixture
def folder(tmp_path):
    certs.issue(tmp_path / "certs", now=NOW)
    return tmp_path / "certs"


def csr(key, name="whoever", sign=True):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256()
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, digest)
    return made.public_bytes(serialization.Encoding.DER)


SOUND = csr(ec.derive_private_key(7, ec.SECP256R1()))


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-256", "P-384", "Ed25519", "RSA 2048"],
)
def test_a_request_gives_its_key_and_nothing_else(folder, key):
    made = certs.certify(folder, certs.key_of(csr(key, "somebody else")), "Иван", "laptop", now=NOW)
    certificate = x509.load_der_x509_certificate(made.der)
    ca = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    certificate.verify_directly_issued_by(ca)
    assert certificate.public_key() == key.public_key()
    names = [(name.oid, name.value) for name in certificate.subject]
    assert names == [(NameOID.USER_ID, "Иван"), (NameOID.COMMON_NAME, "laptop")]
    use = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(use) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert made.not_after == certificate.not_valid_after_utc == NOW + timedelta(days=90)
    assert made.fingerprint == certificate.fingerprint(hashes.SHA256()).hex()


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (b"", "not a certificate request"),
        (b"\x30\x82\x01", "not a certificate request"),
        (csr(ec.generate_private_key(ec.SECP256R1()))[:-1] + b"\0", "not signed by the key in it"),
        (csr(rsa.generate_private_key(65537, 1024)), "RSA of 2048"),
        (csr(ec.generate_private_key(ec.SECP521R1())), "P-256 or P-384"),
        (csr(ec.generate_private_key(ec.SECP256K1())), "P-256 or P-384"),
        (csr(dsa.generate_private_key(2048)), "P-256 or P-384"),
        (csr(ed448.Ed448PrivateKey.generate()), "P-256 or P-384"),
    ],
    ids=["empty", "cut", "altered", "RSA 1024", "P-521", "secp256k1", "DSA", "Ed448"],
)
def test_a_request_that_is_not_signed(request_, why):
    with pytest.raises(RequestRefused, match=why):
        certs.key_of(request_)


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else(noise):
    with pytest.raises(RequestRefused):
        certs.key_of(noise)


@given(st.integers(0, len(SOUND) - 1), st.integers(1, 255))
def test_no_altered_request_is_taken(place, change):
    """What is taken is the same: of zeroes at the signature's end DER may say that they are not used."""
    altered = bytearray(SOUND)
    altered[place] ^= change
    try:
        key = certs.key_of(bytes(altered))
    except RequestRefused:
        return
    one, other = x509.load_der_x509_csr(SOUND), x509.load_der_x509_csr(bytes(altered))
    assert key == one.public_key()
    assert (one.tbs_certrequest_bytes, one.signature) == (other.tbs_certrequest_bytes, other.signature)


def test_a_certificate_does_not_outlive_its_authority(folder):
    late = certs.describe(folder).ca_not_after - timedelta(days=20)
    made = certs.certify(folder, certs.new_key().public_key(), "a", "b", now=late)
    assert made.not_after == late + timedelta(days=20)


def write(path, data, **how):
    with certs.secret_file(path, **how) as file:
        file.write(data)


def test_the_bundle_is_what_openssl_loads(folder, tmp_path):
    key = certs.new_key()
    made = certs.certify(folder, key.public_key(), "a", "b", now=NOW)
    write(tmp_path / "a.pem", certs.bundle(key, made))
    assert stat.S_IMODE((tmp_path / "a.pem").stat().st_mode) == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(tmp_path / "a.pem")


def test_a_secret_replaces_a_file_only_when_told(tmp_path):
    write(tmp_path / "a.pem", b"one")
    with pytest.raises(CertificateError, match="--force"):
        write(tmp_path / "a.pem", b"two")
    assert (tmp_path / "a.pem").read_bytes() == b"one"
    write(tmp_path / "a.pem", b"two", force=True)
    assert (tmp_path / "a.pem").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["a.pem"]


def test_a_secret_that_comes_to_nothing_leaves_all_as_it_was(tmp_path):
    write(tmp_path / "a.pem", b"one")

    def interrupted(file):
        file.write(b"two")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), certs.secret_file(tmp_path / "a.pem", force=True) as file:
        interrupted(file)
    assert (tmp_path / "a.pem").read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["a.pem"]


# Where the authority's key is


def test_a_protected_key_needs_its_passphrase(tmp_path):
    folder = tmp_path / "certs"
    certs.issue(folder, place=KeyPlace(protect=SECRET))
    assert b"ENCRYPTED" in (folder / "ca.key").read_bytes()
    assert b"ENCRYPTED" not in (folder / "server.key").read_bytes(), "the server starts by itself"
    with pytest.raises(KeyAwayError, match="protected by a passphrase"):
        certs.renew(folder, datetime.now(UTC))
    with pytest.raises(CertificateError, match="not opened by that passphrase") as caught:
        certs.issue(folder, place=KeyPlace(passphrase=lambda _: b"guess"))
    assert "guess" not in repr(caught.value.__context__)
    certs.issue(folder, place=KeyPlace(passphrase=lambda _: SECRET))


def test_a_key_is_protected_later(folder):
    certs.issue(folder, now=NOW, place=KeyPlace(protect=SECRET))
    assert b"ENCRYPTED" in (folder / "ca.key").read_bytes()
    assert stat.S_IMODE((folder / "ca.key").stat().st_mode) == 0o600
    certs.certify(
        folder, certs.new_key().public_key(), "a", "b", now=NOW, place=KeyPlace(passphrase=lambda _: SECRET)
    )


def test_a_key_is_made_elsewhere_and_never_here(tmp_path):
    folder, stick = tmp_path / "certs", tmp_path / "stick"
    stick.mkdir()
    certs.issue(folder, place=KeyPlace(offline=stick))
    assert sorted(path.name for path in folder.iterdir()) == ["ca.pem", "server.key", "server.pem"]
    assert stat.S_IMODE((stick / "ca.key").stat().st_mode) == 0o600
    with pytest.raises(KeyAwayError, match="--ca-offline"):
        certs.renew(folder, datetime.now(UTC))
    certs.issue(folder, place=KeyPlace(offline=stick))


def test_a_key_is_moved_elsewhere(folder, tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    key = (folder / "ca.key").read_bytes()
    certs.issue(folder, now=NOW, place=KeyPlace(offline=stick))
    assert not (folder / "ca.key").exists()
    assert (stick / "ca.key").read_bytes() == key


def test_a_key_that_is_to_be_protected_never_leaves_in_the_clear(folder, tmp_path, monkeypatch):
    stick, seen = tmp_path / "stick", []
    stick.mkdir()
    real = files._sync

    def watched(where):
        seen.extend(path.read_bytes() for path in stick.iterdir())
        real(where)

    monkeypatch.setattr(files, "_sync", watched)
    certs.issue(folder, now=NOW, place=KeyPlace(offline=stick, protect=SECRET))
    assert seen
    assert all(b"ENCRYPTED" in data for data in seen)
    assert not (folder / "ca.key").exists()
    certs.issue(folder, now=NOW, place=KeyPlace(offline=stick, passphrase=lambda _: SECRET))


def test_a_key_moved_half_way_can_be_protected_after_all(folder, tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "ca.key").write_bytes((folder / "ca.key").read_bytes())
    certs.issue(folder, now=NOW, place=KeyPlace(offline=stick, protect=SECRET))
    assert b"ENCRYPTED" in (stick / "ca.key").read_bytes()
    assert not (folder / "ca.key").exists()


def test_a_move_never_loses_or_replaces_a_key(folder, tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    with pytest.raises(CertificateError, match="not a folder apart"):
        certs.issue(folder, now=NOW, place=KeyPlace(offline=tmp_path / "missing"))
    with pytest.raises(CertificateError, match="not a folder apart"):
        certs.issue(folder, now=NOW, place=KeyPlace(offline=folder))
    (stick / "ca.key").write_bytes(b"another key")
    with pytest.raises(CertificateError, match="another key"):
        certs.issue(folder, now=NOW, place=KeyPlace(offline=stick))
    (stick / "ca.key").write_bytes((folder / "ca.key").read_bytes())  # killed between the two steps
    certs.issue(folder, now=NOW, place=KeyPlace(offline=stick))
    assert not (folder / "ca.key").exists()


# Renewal


def test_a_leaf_is_due_when_a_third_of_its_life_is_left(folder):
    made = certs.issue(folder, days=90, now=NOW)
    assert not made.due(NOW + timedelta(days=59))
    assert made.due(NOW + timedelta(days=61))
    renewed = certs.renew(folder, NOW + timedelta(days=61))
    assert renewed.not_after == NOW + timedelta(days=151)
    assert renewed.names == made.names
