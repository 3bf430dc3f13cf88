"""What the users file says of devices: who may add to it, and when no more."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from securechat.certs import RequestRefused, key_of, new_key
from securechat.server import devices
from securechat.server.accounts import AccountRefused
from securechat.storage.users import UserFile


@pytest.fixture
def users(home):
    return UserFile(home.users)


def certified(users, home, **how):
    return devices.enrol(users, home.certs, "alice", "laptop", new_key().public_key(), **how)[0]


def test_what_was_asked_for_before_a_revocation_comes_to_nothing(users, home):
    first = certified(users, home)
    second = certified(users, home, proof=first.fingerprint)
    devices.revoke(users, "alice", "laptop")
    with pytest.raises(AccountRefused, match="was revoked"):
        certified(users, home, proof=second.fingerprint)
    assert users.load()["alice"].devices == ()


def test_what_another_account_of_that_name_asked_for_comes_to_nothing(users, home):
    with pytest.raises(AccountRefused, match="is gone"):
        certified(users, home, created=users.load()["alice"].created - 1)
    assert users.load()["alice"].devices == ()


def test_a_device_has_its_first_certificate_and_the_newest(users, home):
    made = [certified(users, home) for _ in range(5)]
    kept = [one.fingerprint for one in users.load()["alice"].devices]
    assert kept == [made[0].fingerprint, *(one.fingerprint for one in made[-2:])]


def test_an_rsa_key_that_is_slow_to_check_is_not_taken():
    key = rsa.generate_private_key(public_exponent=3, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    asked = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    with pytest.raises(RequestRefused, match="not taken"):
        key_of(asked.public_bytes(serialization.Encoding.DER))
