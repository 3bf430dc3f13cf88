"""The command line in the person's language: by the locale, by --lang, and by settings."""

from __future__ import annotations

import re

import pexpect
import pytest
from helpers import commands
from helpers.commands import at_terminal, in_process, securechat
from helpers.homes import PASSWORDS

UNSET = {"LANGUAGE": "", "LC_ALL": "", "LC_MESSAGES": ""}
RUSSIAN = {**UNSET, "LANG": "ru_RU.UTF-8"}
LOGIN = {"SECURECHAT_PASSWORD": PASSWORDS["alice"]}


def refused(*words, **how):
    return commands.refused(*words, **how)


@pytest.fixture
def alice(server, home):
    """The options that log alice in."""
    return ("--user", "alice", "--port", str(server.port), "--home", str(home.path))


def talked(done):
    assert done.returncode == 0, done.stderr
    return [re.sub(r"^\[\d\d:\d\d\] ", "", line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("before", "after", "variables"),
    [
        ((), ("--lang", "ru"), {}),
        ((), ("--lang=ru",), {}),
        (("--lang", "ru"), (), {}),
        (("--lang", "en"), ("--lang", "ru"), {}),
        ((), (), RUSSIAN),
        ((), (), {"SECURECHAT_CONNECT_LANG": "ru"}),
        ((), (), {"SECURECHAT_LANG": "ru"}),
    ],
)
def test_a_conversation_in_a_pipe(alice, server, before, after, variables):
    """Whether the system has such a locale does not matter."""
    done = securechat(*before, "connect", *alice, *after, text="привет\nвыход\n", **LOGIN, **variables)
    assert (
        talked(done)
        == [
            f"Вы на сервере localhost:{server.port} (TLS 1.3) под именем alice. Справка: /help.",
            "-- вы в #lobby",
            "-- #lobby: 1 участник: @alice",
            "#lobby <alice> привет",
        ][: len(talked(done))]
    )
    assert len(talked(done)) >= 3
    assert done.stderr == ""


def test_settings_choose_it(alice, home):
    (home.path / "securechat.toml").write_text('[connect]\nlang = "ru"\n')
    assert "вы в #lobby" in securechat("connect", *alice, text="выход\n", **LOGIN).stdout
    assert "you are in #lobby" in securechat("connect", *alice, "--lang", "en", text="выход\n", **LOGIN).stdout


@pytest.mark.parametrize("variables", [{**UNSET, "LANG": "xx_YY.UTF-8"}, {**RUSSIAN, "LC_ALL": "C"}])
def test_a_language_that_nobody_translated_is_english(alice, variables):
    assert "you are in #lobby" in securechat("connect", *alice, text="выход\n", **LOGIN, **variables).stdout


@pytest.mark.parametrize("words", [("connect",), ("send", "#lobby", "x"), ("tail",)])
def test_a_wrong_language_is_one_sentence(words):
    said = refused(*words, "--lang", "tlh", code=2)
    assert said == (
        f"Invalid value for '--lang': there is no 'tlh' yet, only en, ru. See 'securechat {words[0]} --help'."
    )
    assert "only en, ru" in refused("--lang", "", *words, code=2)


def test_errors(alice, home, tmp_path):
    wrong = {"SECURECHAT_PASSWORD": "wrong"}
    assert refused("connect", *alice, "--lang", "ru", start=securechat, **wrong) == (
        "Войти не удалось: неверное имя или пароль."
    )
    nobody = ("--user", "alice", "--port", "1", "--home", home.path, "--lang", "ru")
    for words in (("connect",), ("send", "#lobby", "x"), ("tail",)):
        assert refused(*words, *nobody, start=securechat, **LOGIN) == (
            "Сервер не отвечает по адресу localhost:1; запустите его там командой «securechat serve»."
        )
    missing = tmp_path / "ca.pem"
    said = refused("connect", *alice, "--lang", "ru", "--ca", missing, **LOGIN)
    assert said.startswith(f"Нет сертификата центра {missing}: скопируйте с сервера certs/ca.pem")
    assert refused("connect", "--lang", "ru") == (
        "Ни один сервер пока не запомнен: подключитесь с --user ИМЯ --host АДРЕС --ca ФАЙЛ."
    )
    assert refused("send", *alice, "#lobby", "--lang", "ru", text="\n", start=securechat, **LOGIN) == (
        "Отправлять нечего: на стандартном вводе нет текста; укажите TEXT или подайте текст на ввод."
    )


def test_help_is_in_the_language_too():
    for done in (in_process("--lang", "ru", "--help"), in_process("--help", **RUSSIAN)):
        assert done.stdout.startswith("Вызов: securechat")
        assert "  connect       Беседа: просто пишите; /help — справка, /quit — выход." in done.stdout
        assert "Показать эту справку." in done.stdout
    shown = in_process("connect", "--lang", "ru", "--help").stdout
    assert "Параметры:" in shown
    assert "[по умолчанию: 300; x>=0]" in shown
    assert in_process("--help").stdout.startswith("Usage: securechat")
    assert "Справка: «securechat connect --help»." in refused("connect", "--lang", "ru", "--nonsense", code=2)


def test_nothing_of_a_message_is_taken_for_the_language(alice):
    assert securechat("send", *alice, "#lobby", "--", "--lang=ru", **LOGIN).returncode == 0


def test_at_a_terminal(alice):
    """The question for the password, the prompt's conversation, and the word that leaves."""
    client = at_terminal("connect", "--plain", *alice, "--lang", "ru")
    client.expect_exact("Пароль для alice: ")
    client.sendline(PASSWORDS["alice"])
    client.expect_exact("вы в #lobby")
    client.send("/nonsense\r")
    client.expect_exact("Нет команды /nonsense")
    client.send("выход\r")
    client.expect(pexpect.EOF)
    client.close()
    assert client.exitstatus == 0
