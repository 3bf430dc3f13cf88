"""What is remembered of servers."""

from __future__ import annotations

import pytest

from securechat.client.profiles import Profile, ProfileError, Profiles


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


@pytest.mark.parametrize("text", ["profiles = 3", "not toml", "[profiles.a]\nhost = 1", "\xff"])
def test_a_file_that_is_none(tmp_path, text):
    (tmp_path / "profiles.toml").write_text(text, "latin-1")
    with pytest.raises(ProfileError, match=r"profiles\.toml is not a list of profiles"):
        Profiles(tmp_path)


def test_none_yet(tmp_path):
    with pytest.raises(ProfileError, match="No server is remembered yet"):
        Profiles(tmp_path).get()
    with pytest.raises(ProfileError, match="There is no profile 'x'"):
        Profiles(tmp_path).get("x")
