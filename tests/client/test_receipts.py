"""Receipts and answers by themselves."""

from __future__ import annotations

import pytest

from securechat.client.errors import ClientError, LostError, RefusedError
from securechat.client.receipts import Answer, Receipt
from securechat.protocol.message import parse


def never(_pending, _timeout):
    raise AssertionError("nothing is left to wait for")


def test_it_waits_only_while_it_is_not_done():
    asked = []

    def pump(pending, timeout):
        asked.append(timeout)
        pending.done = True

    receipt = Receipt("key", "#lobby", "hello", pump)
    assert repr(receipt) == "<Receipt waiting>"
    assert not receipt.kept
    assert receipt.wait(7) is receipt
    assert receipt.wait() is receipt
    assert asked == [7]
    receipt.msgid = "abc"
    assert receipt.kept
    assert repr(receipt) == "<Receipt abc>"


def test_a_failure_is_raised_each_time():
    receipt = Receipt("key", "#lobby", "a secret text", never)
    receipt.fail(LostError("Gone."))
    for _ in range(2):
        with pytest.raises(LostError, match="Gone"):
            receipt.wait()
    assert not receipt.kept
    assert repr(receipt) == "<Receipt refused>"


def test_an_answer_is_read_as_its_question_wants():
    answer = Answer(lambda messages: [message.params[-1] for message in messages], never)
    answer.take((parse(b"311 me :one", 512), parse(b"318 me :two", 512)))
    assert answer.wait() == ["one", "two"]


def test_an_answer_that_is_a_refusal():
    def read(messages):
        raise RefusedError.of(messages[0])

    answer = Answer(read, never)
    answer.take((parse(b":s FAIL SEARCH TOO_SLOW x :Not\x1b[2J now.", 512),))
    assert answer.done
    with pytest.raises(RefusedError, match=r"The server refused: Not now\.") as caught:
        answer.wait()
    assert caught.value.code == "TOO_SLOW"


@pytest.mark.parametrize(
    ("line", "says", "code"),
    [
        (b":s 404 me #x :Cannot send", "The server refused: #x: Cannot send.", "404"),
        (b":s FAIL * CODE :Why", "The server refused: Why.", "CODE"),
        (b":s FAIL", "The server refused: FAIL.", "FAIL"),
        (b":s 401", "The server refused: 401.", "401"),
    ],
)
def test_sentences_of_refusals(line, says, code):
    refusal = RefusedError.of(parse(line, 512))
    assert (str(refusal), refusal.code) == (says, code)
    assert isinstance(refusal, ClientError)
