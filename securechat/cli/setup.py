"""`client-setup`: the settings that another IRC client needs, ready to paste."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from securechat.cli import CommandError
from securechat.cli.options import HERE, HomeOption, next_command, option
from securechat.cli.reach import HostOption, PortOption, Reach, reach
from securechat.cli.users import Name, user_file
from securechat.config import Home


class Client(StrEnum):
    """The clients that settings are known for."""

    WEECHAT = "weechat"
    IRSSI = "irssi"
    SENPAI = "senpai"
    GOGUMA = "goguma"
    HALLOY = "halloy"


Which = Annotated[Client, typer.Argument(metavar="CLIENT", help="weechat, irssi, senpai, goguma or halloy.")]
Certificate = Annotated[
    Path | None,
    option("--cert", metavar="FILE", show_default=False, help="Where the client has its file from issue-cert."),
]

_CA: Final = {
    Client.WEECHAT: "~/.config/weechat/securechat-ca.pem",
    Client.IRSSI: "~/.irssi/securechat-ca.pem",
    Client.SENPAI: "~/.config/senpai/securechat-ca.pem",
    Client.HALLOY: "/home/YOU/.config/halloy/securechat-ca.pem",
}
"""Where each client's folder is; Goguma has no file of authorities."""
_WEECHAT: Final = """\
{ca_weechat}/server add securechat {host}/{port} -tls -autoconnect
/set irc.server.securechat.nicks "{name}"
{login}/save
/connect securechat"""
_WEECHAT_PLAIN: Final = """\
/set irc.server.securechat.sasl_mechanism plain
/set irc.server.securechat.sasl_username "{name}"
/secure set securechat PASSWORD
/set irc.server.securechat.sasl_password "${{sec.data.securechat}}"
"""
_WEECHAT_EXTERNAL: Final = """\
/set irc.server.securechat.sasl_mechanism external
/set irc.server.securechat.sasl_username "{name}"
/set irc.server.securechat.tls_cert "{cert}"
"""
_IRSSI: Final = """\
/network add -nick {name} {login} securechat
/server add -auto -tls -tls_verify{ca_irssi}{cert_irssi} -network securechat {host} {port}
/save
/connect securechat"""
_SENPAI: Final = """\
address {host}:{port}
nickname "{name}"
{login}"""
_HALLOY: Final = """\
[servers.securechat]
server = "{host}"
port = {port}
nickname = "{name}"
{ca_halloy}{login}"""
_GOGUMA: Final = """\
Server: {host}:{port}
Nickname: {name}
Password: the one of {name}"""


_TEMPLATES: Final = {
    Client.WEECHAT: _WEECHAT,
    Client.IRSSI: _IRSSI,
    Client.SENPAI: _SENPAI,
    Client.GOGUMA: _GOGUMA,
    Client.HALLOY: _HALLOY,
}
_HALLOY_FILE: Final = 'sasl.plain.password_file = "/home/YOU/.config/halloy/securechat-password"'
_LOGIN: Final = {
    Client.WEECHAT: (_WEECHAT_PLAIN, _WEECHAT_EXTERNAL),
    Client.IRSSI: (
        '-sasl_mechanism PLAIN -sasl_username {name} -sasl_password "PASSWORD"',
        "-sasl_mechanism EXTERNAL -sasl_username {name}",
    ),
    Client.SENPAI: ('password "PASSWORD"', ""),
    Client.GOGUMA: ("", ""),
    Client.HALLOY: (
        f'sasl.plain.username = "{{name}}"\n{_HALLOY_FILE}',
        'sasl.external.cert = "{cert}"',
    ),
}
"""What logs in by password, and what by certificate."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("client-setup")(client_setup)


def client_setup(
    client: Which,
    name: Name,
    cert: Certificate = None,
    host: HostOption = None,
    port: PortOption = None,
    home: HomeOption = HERE,
) -> None:
    """Print the settings by which another client logs NAME in: by password, or with --cert by certificate."""
    from securechat.server import accounts

    if cert is not None and client in (Client.SENPAI, Client.GOGUMA):
        raise CommandError(f"{client.value} has no setting for a client certificate; leave --cert out.")
    account = accounts.find(user_file(home), name).name
    place = reach(home, host, port)
    steps = [*_authority(home, client, place), *_secret(client, account, cert)]
    words = {"host": place.host, "port": place.port, "name": account, "cert": cert, "ca": _CA.get(client)}
    told = {Client.SENPAI: "Put this into ~/.config/senpai/senpai.scfg:"}
    told |= {Client.HALLOY: "Put this into Halloy's config.toml:", Client.GOGUMA: "Type this into Goguma:"}
    steps.append((told.get(client, f"Type this into {client.value}:"), _settings(client, place, words)))
    if client is Client.SENPAI and place.fingerprint:
        steps.append(("Start it so that it knows the authority:", f"SSL_CERT_FILE={_CA[client]} senpai"))
    for number, (step, text) in enumerate(steps, 1):
        print(f"{number}. {step}\n")
        print(text.rstrip() + "\n")
    if client is Client.WEECHAT:
        print("(Before WeeChat 4.0 write ssl instead of tls: -ssl, ssl_cert.)")
    if client is Client.HALLOY:
        print("(Put your user name in place of YOU: Halloy wants whole paths.)")
    if cert is None and client not in (Client.SENPAI, Client.GOGUMA):
        file = f"{account}-{client.value}.pem"
        print(f"To log in without a password: {next_command(home, f'issue-cert {account} --out {file}')}")


def _authority(home: Path, client: Client, place: Reach) -> list[tuple[str, str]]:
    """Return the step that makes the client trust this server and no other."""
    if not place.fingerprint:
        return []
    if client is Client.GOGUMA:
        from securechat.certs import sha1

        shown = "\n".join(sha1(Home(home).certs / "server.pem"))
        return [("Accept the certificate only if Goguma shows one of these SHA-1 fingerprints:", shown)]
    pem = (Home(home).certs / "ca.pem").read_text("ascii")
    return [(f"Save this as {_CA[client]} (SHA-256 {place.fingerprint}):", pem)]


def _secret(client: Client, account: str, cert: Path | None) -> list[tuple[str, str]]:
    """Return the step that brings what proves who it is."""
    if cert is None and client is Client.HALLOY:
        step = f"Write the password of {account} into a file that nobody else can read:"
        return [(step, "install -m 600 /dev/stdin /home/YOU/.config/halloy/securechat-password")]
    if cert is None:
        return []
    return [
        ("Copy the certificate there, on a way that nobody else can read:", f"install -m 600 {cert.name} {cert}")
    ]


def _settings(client: Client, place: Reach, words: dict[str, object]) -> str:
    own, cert = bool(place.fingerprint), words["cert"] is not None
    pieces = {
        "ca_weechat": '/set weechat.network.gnutls_ca_user "{ca}"\n' if own else "",
        "ca_irssi": " -tls_cafile {ca}" if own else "",
        "ca_halloy": 'root_cert_path = "{ca}"\n' if own else "",
        "cert_irssi": " -tls_cert {cert}" if cert else "",
        "login": _LOGIN[client][cert],
    }
    filled = {key: text.format(**words) for key, text in pieces.items()}
    return _TEMPLATES[client].format(**words, **filled)
