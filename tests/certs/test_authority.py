"""What is in the certificates, and that TLS accepts and refuses them."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from helpers.certificates import connect, contents
from hypothesis import given
from hypothesis import strategies as st

from securechat import certs
from securechat.certs import CertificateError, names

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    """A folder that does not exist yet, in a home that does not either."""
    return tmp_path / "home" / "certs"


def _certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def _extension(certificate, kind):
    found = certificate.extensions.get_extension_for_class(kind)
    return found.value, found.critical


# What is in them


def test_authority(folder):
    """A CA for ten years that may sign servers and nothing below them (RFC 5280, 4.2)."""
    made = certs.issue(folder, now=NOW)
    ca = _certificate(folder / "ca.pem")
    assert _extension(ca, x509.BasicConstraints) == (x509.BasicConstraints(ca=True, path_length=0), True)
    usage, critical = _extension(ca, x509.KeyUsage)
    assert critical
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    assert ca.not_valid_before_utc == NOW - timedelta(minutes=5)
    assert ca.not_valid_after_utc == made.ca_not_after == NOW + timedelta(days=3652)
    assert isinstance(ca.public_key().curve, ec.SECP256R1)
    assert made.ca_fingerprint == certs.fingerprint(folder / "ca.pem")
    assert made.ca_fingerprint == ca.fingerprint(hashes.SHA256()).hex(":").upper()


def test_leaf(folder):
    """A server certificate for 397 days, for servers only, tied to its authority."""
    made = certs.issue(folder, now=NOW)
    leaf, ca = _certificate(folder / "server.pem"), _certificate(folder / "ca.pem")
    assert _extension(leaf, x509.BasicConstraints) == (x509.BasicConstraints(ca=False, path_length=None), True)
    usage, critical = _extension(leaf, x509.KeyUsage)
    assert (usage.digital_signature, usage.key_cert_sign, critical) == (True, False, True)
    assert list(_extension(leaf, x509.ExtendedKeyUsage)[0]) == [ExtendedKeyUsageOID.SERVER_AUTH]
    ski, _ = _extension(ca, x509.SubjectKeyIdentifier)
    assert _extension(leaf, x509.AuthorityKeyIdentifier)[0].key_identifier == ski.digest
    assert leaf.not_valid_before_utc == NOW - timedelta(minutes=5)
    assert leaf.not_valid_after_utc == made.not_after == NOW + timedelta(days=397)
    leaf.verify_directly_issued_by(ca)


def test_chain(folder):
    """server.pem is leaf and CA, the order in which TLS sends them."""
    certs.issue(folder)
    chain = x509.load_pem_x509_certificates((folder / "server.pem").read_bytes())
    assert chain[1:] == [_certificate(folder / "ca.pem")]


def test_names(folder, monkeypatch):
    """The names that always work, then those given, in A-labels and without repetition."""
    monkeypatch.setattr(names.socket, "gethostname", lambda: "Box")
    made = certs.issue(folder, ["chat.example.", "чат.рф", "10.0.0.7", "[fe80::1]", "localhost"])
    always = ("localhost", "127.0.0.1", "::1", "box")
    assert made.names == (*always, "chat.example", "xn--80a0bn.xn--p1ai", "10.0.0.7", "fe80::1")


def test_unusable_machine_name(folder, monkeypatch):
    """A machine may be called what no client can ask for."""
    monkeypatch.setattr(names.socket, "gethostname", lambda: "Anna's Mac")
    assert certs.issue(folder).names == ("localhost", "127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("LOCALHOST", "localhost"),
        ("a.b.", "a.b"),
        ("my_service", "my_service"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[::1]", "::1"),
        ("1.2.3.com", "1.2.3.com"),
    ],
)
def test_host_name(host, wanted):
    """Names in A-labels, addresses in their normal form."""
    assert certs.host_name(host) == wanted


NO_HOSTS = ["", ".", "a..b", "-a", "a-", "a b", "a/b", "https://a", "a:6697", "*.a", "a\n", "a\0b", "a@b", "[a]"]
NO_HOSTS += ["1.2.3.400", "1.2.3", "5", "0.0.0.0", "::", "fe80::1%eth0", "x" * 64, "a." * 127 + "bc", "\ud800"]


@pytest.mark.parametrize("host", NO_HOSTS)
def test_host_name_refused(host):
    """What no client can ask for is refused before anything is written."""
    with pytest.raises(CertificateError) as caught:
        certs.host_name(host)
    assert repr(host) in str(caught.value)


@given(st.text(max_size=40))
def test_host_name_is_stable(host):
    """Any text gives CertificateError or a name that stays as it is."""
    try:
        name = certs.host_name(host)
    except CertificateError:
        return
    assert certs.host_name(name) == name


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_days_refused(folder, days):
    """A wrong number of days makes not even a folder."""
    with pytest.raises(CertificateError, match="1 to 3650 days"):
        certs.issue(folder, days=days)
    assert not folder.exists()


def test_too_many_names(folder):
    """A certificate does not grow without end."""
    certs.issue(folder, [f"a{i}.example" for i in range(90)])
    before = contents(folder)
    with pytest.raises(CertificateError, match=r"server\.pem would have .* names"):
        certs.issue(folder, [f"b{i}.example" for i in range(90)])
    assert contents(folder) == before


# What TLS says to them


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "chat.example", "чат.рф"])
def test_handshake(folder, name):
    """Clients that trust the CA accept every name, in TLS 1.3."""
    certs.issue(folder, ["chat.example", "чат.рф"])
    assert connect(folder, name).version() == "TLSv1.3"


def test_handshake_after_renewal(folder):
    """Who trusts the CA trusts every later server certificate."""
    certs.issue(folder)
    ca = folder.parent / "given-away.pem"
    ca.write_bytes((folder / "ca.pem").read_bytes())
    certs.issue(folder)
    connect(folder, "localhost", ca=ca)


@pytest.mark.parametrize("name", ["other.example", "127.0.0.2", "sub.localhost"])
def test_wrong_name_refused(folder, name):
    """A certificate is good for its own names only."""
    certs.issue(folder)
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        connect(folder, name)


def test_other_authority_refused(folder, tmp_path):
    """Who trusts another CA is not fooled."""
    certs.issue(folder)
    certs.issue(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(folder, "localhost", ca=tmp_path / "other" / "ca.pem")


def test_expired_leaf_refused(folder):
    """An expired certificate is refused, and a renewal is the way out."""
    past = datetime.now(UTC) - timedelta(days=30)
    made = certs.issue(folder, days=29, now=past)
    assert made.expired()
    assert not made.expired(past)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        connect(folder, "localhost")
    assert not certs.issue(folder).expired()
    connect(folder, "localhost")
