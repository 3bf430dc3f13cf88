"""`Client` in tests: clients that are always ended, and taking what they tell."""

from __future__ import annotations

from collections import Counter

from chaos_run import read_log
from helpers.homes import PASSWORDS

from securechat import Client
from securechat.client.happenings import Kept, Message


class Clients:
    """Clients of one home that are in; all of them are ended by `close`."""

    def __init__(self, home) -> None:
        self._home = home
        self._all = []

    def __call__(self, port, name="alice", **how):
        client = Client(port=port, user=name, password=PASSWORDS[name], ca=self._home.certs / "ca.pem", **how)
        self._all.append(client.__enter__())
        return client

    def close(self) -> None:
        for client in self._all:
            client.close()


def upto(client, kind, **parts):
    """Everything up to the next event of a kind with these parts; fails at the client's end."""
    seen = []
    for event in client:
        seen.append(event)
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in parts.items()):
            return seen
    raise AssertionError(f"the client ended before {kind}: {seen}")


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def logged(home):
    """What was said in the lobby, by the log on disk."""
    return [row.text for row in read_log(home.log) if row.conversation == "#lobby"]


def said_once(client, home, receipts):
    """Each receipt is kept, has one line in the log, and is told by one Kept and one Message; in this order."""
    client.say("#lobby", "the end")
    events = upto(client, Message, text="the end")
    texts = [receipt.text for receipt in receipts]
    assert all(receipt.kept and receipt.msgid and receipt.number for receipt in receipts)
    assert not client.unsaid
    log = logged(home)
    assert [text for text in log if text in texts] == texts
    assert max(Counter(log).values()) == 1
    own = [event for event in of(Message, events) if event.own and event.text in texts]
    assert [event.msgid for event in own] == [receipt.msgid for receipt in receipts]
    assert [event.receipt for event in of(Kept, events)][:-1] == receipts
    return events
