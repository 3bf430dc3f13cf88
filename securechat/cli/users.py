"""The commands for accounts. They act on a running server too: it reads the file again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from securechat.cli import CommandError, tables
from securechat.cli.options import HERE, HomeOption, next_command, option
from securechat.cli.passwords import PasswordStdin, new_password
from securechat.config import Home

if TYPE_CHECKING:
    from securechat.storage.users import UserFile

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name.", show_default=False)]
Admin = Annotated[bool, option("--admin", help="Let the account run the server.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("adduser")(add_user)
    app.command("passwd")(change_password)
    app.command("deluser")(delete_user)
    app.command("kick")(kick)
    app.command("disable")(disable)
    app.command("enable")(enable)
    app.command("users")(list_users)


def add_user(
    name: Name, admin: Admin = False, password_stdin: PasswordStdin = False, home: HomeOption = HERE
) -> None:
    """Make an account; asks for its password twice."""
    from securechat.server.accounts import add_account, check_name

    users = user_file(home)
    check_name(name, users.load().values())  # before anybody types a password for nothing
    account = add_account(users, name, new_password(password_stdin), admin)
    print(f"{account.name} may log in now{', as an administrator' if account.admin else ''}.")
    print()
    ready = (Home(home).certs / "server.pem").exists()
    print(f"Next: {next_command(home, 'serve' if ready else 'init-certs')}")
    print(f"Then: {next_command(home, f'connect --user {account.name}')}")


def change_password(name: Name, password_stdin: PasswordStdin = False, home: HomeOption = HERE) -> None:
    """Give an account another password; asks for it twice."""
    from securechat.server import accounts, devices

    users = user_file(home)
    accounts.find(users, name)
    account = accounts.change_password(users, name, new_password(password_stdin))
    print(f"{account.name} has a new password.")
    left = [device.name for device in devices.newest(account)]
    if left:
        print(f"Without it log in by certificate, as before: {', '.join(left)}.")
        print(f"To end that, too: {next_command(home, f'revoke {account.name}')}")


def delete_user(name: Name, home: HomeOption = HERE) -> None:
    """Delete an account; what it said stays."""
    from securechat.server.accounts import delete_account

    account = delete_account(user_file(home), name)
    print(f"The account {account.name} is deleted.")


def kick(name: Name, home: HomeOption = HERE) -> None:
    """End an account's connections; it may log in again."""
    from securechat.server import accounts

    account = accounts.kick(user_file(home), name)
    print(f"A running server ends the connections of {account.name} within a second.")


def disable(name: Name, home: HomeOption = HERE) -> None:
    """Keep an account out, and end its connections."""
    from securechat.server import accounts

    account = accounts.disable(user_file(home), name)
    print(f"{account.name} may not log in any more, and loses connections within a second.")
    print()
    print(f"To undo: {next_command(home, f'enable {account.name}')}")


def enable(name: Name, home: HomeOption = HERE) -> None:
    """Let a disabled account in again."""
    from securechat.server import accounts

    account = accounts.disable(user_file(home), name, disabled=False)
    print(f"{account.name} may log in again.")


def list_users(home: HomeOption = HERE) -> None:
    """List the accounts."""
    accounts = sorted(user_file(home).load().values(), key=lambda account: account.key)
    if not accounts:
        print("There are no accounts yet.")
        print()
        print(f"Next: {next_command(home, 'adduser NAME --admin')}")
        return
    rows = [("NAME", "ROLE    ", "CREATED")]
    for account in accounts:
        role = "disabled" if account.disabled else "admin" if account.admin else ""
        rows.append((account.name, role, tables.day(account.created)))
    tables.show(rows)


def user_file(home: Path) -> UserFile:
    """Return the users file of a home. Raises CommandError where that is no folder."""
    from securechat.storage.users import UserFile

    if not home.is_dir():
        raise CommandError(f"{home} is not a folder; make it with init-certs, or name another with --home.")
    return UserFile(Home(home).users)
