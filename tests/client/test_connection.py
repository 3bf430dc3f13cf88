"""The connection's thread against real TLS peers: good, bad, mute, slow and gone."""

from __future__ import annotations

import contextlib
import select
import socket
import threading

import pytest
from helpers.faults import reset
from helpers.peer import TIMEOUT

from securechat.client import dial
from securechat.client.events import LoggedIn
from securechat.client.link import Link
from securechat.protocol.errors import Fault
from securechat.protocol.message import build


def logged_in(listen, talk, **limits):
    listener = listen()
    one = talk(listener, **limits)
    peer = listener.accept()
    peer.login()
    event = one.event()
    assert isinstance(event, LoggedIn), event
    return one, peer


def test_login_and_lines_both_ways(listen, talk):
    listener = listen()
    one = talk(listener)
    peer = listener.accept()
    peer.login("Alice")
    event = one.event()
    assert (event.nick, event.tls) == ("Alice", "TLSv1.3")
    assert {"sasl", "echo-message", "server-time"} <= event.capabilities
    one.messages(2)
    one.connection.post([build("PRIVMSG", "#lobby", "привет")])
    peer.expect("PRIVMSG #lobby :привет")
    peer.send(":bob!u@h PRIVMSG #lobby :и тебе")
    (message,) = one.messages(1)
    assert message.params == ["#lobby", "и тебе"]
    one.connection.close([build("QUIT")])
    peer.expect("QUIT")
    peer.goodbye()
    assert one.closed() is None


def test_ping_is_answered_whatever_the_front_end_does(listen, talk):
    _, peer = logged_in(listen, talk)
    peer.send("PING :are you there")
    peer.expect("PONG :are you there")


def test_lines_cut_anywhere(listen, talk):
    one, peer = logged_in(listen, talk)
    one.messages(2)
    for byte in ":bob!u@h PRIVMSG #lobby :слово\r\n".encode():
        peer.sock.sendall(bytes([byte]))
    assert one.messages(1)[0].params == ["#lobby", "слово"]


def test_a_half_line_at_the_end_is_dropped(listen, talk):
    one, peer = logged_in(listen, talk)
    one.messages(2)
    peer.sock.sendall(b":bob!u@h PRIVMSG #lobby :half")
    peer.close()
    assert one.closed() == "The connection was lost: the server is gone."


def test_a_cut_connection(listen, talk):
    one, peer = logged_in(listen, talk)
    peer.cut()
    assert one.closed() == "The connection was lost: the server is gone."


def test_bytes_that_are_not_tls_in_the_middle(listen, talk):
    one, peer = logged_in(listen, talk)
    bare = socket.socket(fileno=peer.sock.detach())
    bare.sendall(b"this is no TLS record at all" * 10)
    said = one.closed()
    bare.close()
    assert said.startswith("The connection was lost: ")


def test_the_servers_last_words_are_told(listen, talk):
    one, peer = logged_in(listen, talk)
    peer.send("ERROR :The server is shut\x1b[31mting down.")
    peer.close()
    assert one.closed() == "The server closed the connection: The server is shutting down."


def test_a_silent_server_is_asked_then_given_up(listen, talk):
    one, peer = logged_in(listen, talk, idle_seconds=0.05, pong_seconds=1)
    assert "the server has been silent for" in one.closed()
    peer.expect("PING :securechat-alive")
    peer.expect_end()


def test_an_answer_keeps_a_quiet_connection(listen, talk):
    one, peer = logged_in(listen, talk, idle_seconds=0.05, pong_seconds=30)
    one.messages(2)
    for _ in range(3):
        peer.expect("PING :securechat-alive")
        peer.send(":irc.test PONG irc.test :securechat-alive")
    peer.send(":irc.test NOTICE alice :still here")
    assert one.messages(1)[0].params[-1] == "still here"


def test_a_server_that_accepts_and_says_nothing(listen, talk):
    listener = listen()
    one = talk(listener, connect_seconds=0.1)
    listener.accept_raw()
    assert one.closed() == (
        f"localhost:{listener.port} accepted the connection but did not speak TLS in time; check the port."
    )


def test_a_login_that_does_not_end(listen, talk):
    listener = listen()
    one = talk(listener, login_seconds=0.1)
    listener.accept()
    assert one.closed() == f"localhost:{listener.port} did not finish the login within 0 seconds."


@pytest.mark.parametrize(
    ("leaf", "says"),
    [
        ({"end": 0}, "has expired"),
        ({"start": 1}, "is not valid yet"),
        ({"name": "chat.example"}, "made out to another name"),
    ],
)
def test_certificates_that_are_not_the_servers(listen, talk, authority, leaf, says):
    listener = listen(authority.leaf(**leaf))
    one = talk(listener)
    with pytest.raises(OSError):
        listener.accept()
    assert says in one.closed()


def test_a_certificate_of_a_stranger(listen, talk, stranger):
    listener = listen(stranger.leaf())
    one = talk(listener)
    with pytest.raises(OSError):
        listener.accept()
    said = one.closed()
    assert "not from the authority that you trust" in said
    assert "--ca FILE" in said


def test_an_address_must_be_in_the_certificate_too(listen, talk, authority):
    listener = listen(authority.leaf(name="chat.example"))
    one = talk(listener, host="127.0.0.1")
    with pytest.raises(OSError):
        listener.accept()
    assert "made out to another name" in one.closed()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_names_and_addresses_that_are(listen, talk, host):
    listener = listen()
    talk(listener, host=host)
    listener.accept().expect("CAP .*")


def test_nobody_listens(listen, talk):
    listener = listen()
    listener.close()
    assert talk(listener).closed() == (
        f"Nobody is listening at localhost:{listener.port}; start the server there with 'securechat serve'."
    )


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("no-such-host.invalid", "'no-such-host.invalid'"),
        ("a" * 70, "is not the name of a host"),
        ("a\0b", "There is no host"),
        ("", "There is no host"),
    ],
)
def test_hosts_that_are_none(listen, talk, host, says):
    assert says in talk(listen(), host=host).closed()


def test_a_server_of_something_else(listen, talk):
    listener = listen()
    one = talk(listener)
    listener.accept_raw().sendall(b"220 mail.example ESMTP ready\r\n")
    assert one.closed() == f"localhost:{listener.port} does not speak TLS; check the port."


def test_a_server_that_hangs_up(listen, talk):
    listener = listen()
    one = talk(listener)
    listener.accept_raw().close()
    assert one.closed() == f"localhost:{listener.port} hung up during the TLS handshake; check the port."


def test_a_server_that_resets_at_once(listen, talk, monkeypatch):
    """The reset is there before TLS begins; no socket is left for the garbage collector to complain about."""
    listener, real, connected = listen(), dial._connect, threading.Event()

    def slow(*how):
        sock = real(*how)
        connected.set()
        select.select([sock], [], [], TIMEOUT)
        return sock

    monkeypatch.setattr(dial, "_connect", slow)
    one = talk(listener)
    assert connected.wait(TIMEOUT)
    reset(listener.accept_raw())
    assert one.closed() == f"localhost:{listener.port} hung up during the TLS handshake; check the port."


def test_a_last_question_that_cannot_be_answered_is_not_why_it_ends(listen, talk, monkeypatch):
    """The server asks, the outbox is full and the line breaks: it is lost, which can be mended, not given up."""
    one, peer = logged_in(listen, talk, outbox_bytes=1000)
    one.messages(2)

    def broken(link):
        assert select.select([link.sock], [], [], TIMEOUT)[0]
        raise BrokenPipeError

    monkeypatch.setattr(Link, "write", broken)
    assert one.connection.post([build("PRIVMSG", "#lobby", "x" * 400)] * 2)
    peer.send(*["PING :are you there, and do you hear me at all"] * 20)
    assert one.closed() == "The connection was lost: the server is gone."


def test_tls_with_something_else_in_it(listen, talk):
    listener = listen()
    one = talk(listener)
    listener.accept().send("HTTP/1.1 400 Bad Request")
    assert one.closed() == f"localhost:{listener.port} speaks TLS but not IRC; check the port."


def test_an_end_before_the_login_is_done(listen, talk):
    listener = listen()
    one = talk(listener)
    peer = listener.accept()
    peer.expect("CAP .*")
    peer.close()
    assert one.closed() == f"localhost:{listener.port} closed the connection before the login was done."


def test_a_refused_login(listen, talk):
    listener = listen()
    one = talk(listener)
    peer = listener.accept()
    peer.authenticate()
    peer.send(":irc.test 904 * :Login refused: the name or the password is wrong")
    assert one.closed() == "Login refused: the name or the password is wrong."


def test_lines_that_are_none_are_told_not_guessed(listen, talk):
    one, peer = logged_in(listen, talk)
    one.messages(2)
    peer.sock.sendall(b":bob PRIVMSG #lobby :\xff\xfe\r\n:bob PRIVMSG #lobby :" + b"x" * 9000 + b"\r\n:a PING\r\n")
    peer.expect("PONG")
    assert one.messages(2) == [Fault.BAD_UTF8, Fault.TOO_LONG]


def test_a_line_without_end_ends_the_connection(listen, talk):
    one, peer = logged_in(listen, talk)
    with contextlib.suppress(OSError):  # it hangs up before it has read it all
        peer.sock.sendall(b"x" * 200_000)
    assert one.closed() == "The server sends a line without end."


def test_a_server_that_does_not_read_fills_the_outbox_and_no_more(listen, talk):
    one, peer = logged_in(listen, talk, outbox_bytes=100_000)
    line = build("PRIVMSG", "#lobby", "x" * 400)
    taken = 0
    while one.connection.roomy:  # refused once is not stuck: some may have left before anybody looks
        while one.connection.post([line] * 50):
            taken += 50
            assert taken < 1_000_000
    for _ in range(taken):
        peer.expect("PRIVMSG #lobby :x{400}")
    # All of it was taken whole and in order, and there is room again.
    assert one.connection.post([build("QUIT")])
    peer.expect("QUIT")


def test_a_front_end_that_does_not_look_stops_the_server_not_the_memory(listen, talk):
    one, peer = logged_in(listen, talk, batches=4)
    lines = 60_000
    line = ":bob!u@h PRIVMSG #lobby :" + "y" * 400 + "\r\n"
    flood = threading.Thread(target=peer.sock.sendall, args=[line.encode() * lines])
    flood.start()
    flood.join(0.2)
    assert flood.is_alive()  # 26 MB do not fit what sockets and four reads hold
    assert one.connection._given - one.connection._taken <= 4
    assert len(one.messages(lines + 2)) == lines + 2
    flood.join()


def test_output_leaves_while_reading_is_paused(listen, talk):
    one, peer = logged_in(listen, talk, batches=1)
    for number in range(3):
        peer.send(f":bob!u@h PRIVMSG #lobby :{number}")
    one.connection.post([build("PRIVMSG", "#lobby", "hello")])
    peer.expect("PRIVMSG #lobby :hello")
    assert [message.params[-1] for message in one.messages(5)[2:]] == ["0", "1", "2"]


def test_both_directions_at_once(listen, talk):
    one, peer = logged_in(listen, talk)
    for number in range(200):
        one.connection.post([build("PRIVMSG", "#lobby", f"{number} " + "z" * 300)])
        peer.send(f":bob!u@h PRIVMSG #lobby :{number}")
    for number in range(200):
        peer.expect(f"PRIVMSG #lobby :{number} z+")
    assert [message.params[-1] for message in one.messages(202)[2:]] == [str(number) for number in range(200)]


def test_close_before_anything_stops_the_attempt(listen, talk):
    listener = listen()
    one = talk(listener)
    listener.accept_raw()
    one.connection.close()
    assert one.closed() is None


def test_close_sends_what_waits_and_does_not_wait_for_ever(listen, talk):
    one, peer = logged_in(listen, talk, linger_seconds=0.1)
    one.connection.post([build("PRIVMSG", "#lobby", "last words")])
    one.connection.close([build("QUIT")])
    peer.expect("PRIVMSG #lobby :last words")
    peer.expect("QUIT")
    peer.expect_end()
    assert one.closed() is None


def test_last_lines_that_do_not_get_out_are_told(listen, talk):
    one, _ = logged_in(listen, talk, linger_seconds=0.1, outbox_bytes=2**25)
    assert one.connection.post([build("PRIVMSG", "#lobby", "x" * 400)] * 70_000)  # more than the system buffers
    one.connection.close()
    assert one.closed() == "The server did not take the last lines; they may be lost."


def test_the_client_says_goodbye_in_tls(listen, talk):
    one, peer = logged_in(listen, talk, linger_seconds=0.1)
    one.connection.close()
    # A cut would raise SSLEOFError: whoever reads can tell that nothing is missing.
    assert peer.sock._sslobj.read(100) == b""


def test_no_secret_in_anything_that_can_be_printed(listen, talk):
    listener = listen()
    one = talk(listener, secret="very secret indeed")
    assert "very secret" not in f"{one.connection!r} {vars(one.connection)!r}"
    peer = listener.accept()
    peer.authenticate()
    peer.send(":irc.test 904 * :Login refused")
    assert "very secret" not in one.closed()
