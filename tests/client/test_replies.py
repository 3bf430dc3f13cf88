"""What the server answers about devices, as sentences."""

from __future__ import annotations

import pytest

from securechat.client.items import What
from securechat.client.replies import show
from securechat.protocol.message import parse

FINGERPRINT = "ab" * 32


@pytest.mark.parametrize(
    ("line", "what", "text"),
    [
        (
            f"NOTE DEVICES DEVICE alice phone 2026-01-02T03:04:05.000Z 2026-04-02T03:04:05.000Z {FINGERPRINT} :x",
            What.INFO,
            "phone: since 2026-01-02, needs no password until 2026-04-02 (certificate abababababababab)",
        ),
        (
            "NOTE DEVICES END alice :2 certificates",
            What.INFO,
            "Those are all the devices of alice; /revoke DEVICE locks one out.",
        ),
        ("NOTE DEVICES END alice :0 certificates", What.INFO, "alice has no device that needs no password."),
        (
            "NOTE DEVICES REVOKED alice phone :phone logs in by certificate no more",
            What.INFO,
            "phone is revoked: it needs the password from now on.",
        ),
        (
            "FAIL DEVICES NO_SUCH_DEVICE alice phone :alice has no such device",
            What.PROBLEM,
            "There is no device phone: /devices lists yours.",
        ),
        ("FAIL DEVICES BUSY alice phone :Later", What.PROBLEM, "Later"),
        ("NOTE DEVICES NEWS :Something else", What.INFO, "Something else"),
        ("NOTE DEVICES DEVICE :Half of it", What.INFO, "Half of it"),
    ],
)
def test_devices(line, what, text):
    assert [(item.what, item.text) for item in show(parse(f":s {line}".encode()), 0)] == [(what, text)]
