"""The servers that scripts/bench measures, as far as it can be said without running them."""

from benchmark.contenders import known, with_capabilities
from benchmark.scenarios.mixed import EIGHT


def test_whoever_has_capabilities_is_measured_with_them():
    """And no other: a request for what a server does not know is refused as a whole."""
    able = with_capabilities(known())
    assert [one.name for one in able] == ["securechat", "InspIRCd"]
    assert able[0].capabilities >= {cap for caps in EIGHT for cap in caps.split()}
    assert all(one.modules for one in able[1:])


def test_nobody_else_is_asked_for_any():
    """InspIRCd is measured as it is quickest wherever tags are not the question."""
    assert [one.name for one in known() if one.capabilities] == ["securechat"]
