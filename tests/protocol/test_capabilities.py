from __future__ import annotations

from securechat.protocol.capabilities import CAPABILITIES, Cap, advertise, listed, request


def test_values_are_for_those_who_know_them():
    assert "sasl=PLAIN,EXTERNAL" in advertise(values=True)
    assert "sasl" in advertise(values=False)


def test_a_request_is_granted_whole_or_not_at_all():
    assert request("server-time nonsense", 0) is None
    assert request("server-time echo-message", 0) == Cap.SERVER_TIME | Cap.ECHO_MESSAGE
    assert request("-server-time", Cap.SERVER_TIME | Cap.ECHO_MESSAGE) == Cap.ECHO_MESSAGE
    assert request("", Cap.SASL) == Cap.SASL
    assert request("-unknown", 0) is None


def test_every_flag_has_one_name():
    assert {cap for cap, _ in CAPABILITIES.values()} == set(Cap)
    assert listed(Cap.SASL | Cap.SERVER_TIME) == ["sasl", "server-time"]
