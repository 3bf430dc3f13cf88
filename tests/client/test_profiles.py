"""What is remembered of servers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from securechat.client.profiles import MAX_BYTES, MAX_PROFILES, Profile, ProfileError, Profiles


@pytest.fixture
def profile(tmp_path):
    ca = tmp_path / "ca.pem"
    ca.write_text("an authority")
    return Profile("home", "chat.example.org", 6697, "alice", ca)


def test_it_is_there_the_next_time_with_its_authority(tmp_path, profile):
    kept = Profiles(tmp_path / "config").remember(profile)
    profile.ca.unlink()
    again = Profiles(tmp_path / "config")
    assert again.get() == again.get("home") == kept
    assert kept.ca.read_text() == "an authority"
    assert again.path.stat().st_mode & 0o777 == 0o600


def test_a_changed_authority_is_not_believed(tmp_path, profile):
    kept = Profiles(tmp_path / "config").remember(profile)
    kept.ca.write_text("another authority")
    with pytest.raises(ProfileError, match="somebody changed it"):
        Profiles(tmp_path / "config").get()


@pytest.mark.parametrize(
    "text", ["last = 3", "last = ['home']", "profiles = 3", "not toml", "[profiles.a]\nhost = 1", "\xff"]
)
def test_a_file_that_is_none(tmp_path, text):
    (tmp_path / "profiles.toml").write_text(text, "latin-1")
    with pytest.raises(ProfileError, match=r"profiles\.toml is not a list of profiles"):
        Profiles(tmp_path)


def test_none_yet(tmp_path):
    with pytest.raises(ProfileError, match="No server is remembered yet"):
        Profiles(tmp_path).get()
    with pytest.raises(ProfileError, match="There is no profile 'x'"):
        Profiles(tmp_path).get("x")


def test_the_last_one_used_is_the_one_meant(tmp_path, profile):
    folder = tmp_path / "config"
    for user in ("alice", "bob", "alice"):
        Profiles(folder).remember(replace(profile, name=f"{user}@home", user=user))
    known = Profiles(folder)
    assert known.get().user == "alice"
    assert known.get("bob@home").user == "bob"
    assert known.find("chat.example.org", 6697, "bob") == known.get("bob@home")
    assert known.find("chat.example.org", 6698, "bob") is None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(host=TEXT, user=TEXT, port=st.integers(1, 65535), keyring=st.sampled_from(["", "yes", "no"]))
def test_it_is_read_as_it_was_written(tmp_path, profile, host, user, port, keyring):
    meant = replace(profile, host=host, user=user, port=port, keyring=keyring)
    kept = Profiles(tmp_path / "config").remember(meant)
    assert Profiles(tmp_path / "config").get() == kept
    assert (kept.host, kept.user, kept.port, kept.keyring) == (host, user, port, keyring)


@pytest.mark.parametrize("name", ["", "two words", "a/b", "x" * 201, "new\nline"])
def test_names_that_are_none(tmp_path, profile, name):
    with pytest.raises(ProfileError, match="cannot name a profile"):
        Profiles(tmp_path / "config").remember(replace(profile, name=name))


def test_it_does_not_grow_for_ever(tmp_path, profile):
    known = Profiles(tmp_path / "config")
    known.known = {f"p{number}": replace(profile, name=f"p{number}") for number in range(MAX_PROFILES)}
    known.remember(replace(profile, name="new"))
    again = Profiles(tmp_path / "config")
    assert len(again.known) == MAX_PROFILES
    assert "p0" not in again.known
    again.path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ProfileError, match="too large to be ours"):
        Profiles(tmp_path / "config")


def test_a_folder_that_cannot_be_written(tmp_path, profile):
    (tmp_path / "config").write_text("a file")
    with pytest.raises(ProfileError, match=r"cannot be written: .*; nothing is remembered"):
        Profiles(tmp_path / "config").remember(profile)
