"""Accounts of people: create, list, disable. Works with the server running or not."""

import sys
from argparse import ArgumentParser, Namespace

from chatd.cli.ask import ask, pages
from chatd.cli.options import add_action, add_actions, say, table


def configure(parser: ArgumentParser) -> None:
    actions = add_actions(parser)
    create = add_action(actions, "create", _create, "create an account; the password is made up unless you give one")
    create.add_argument("name", metavar="NAME", help="2 to 32 of a-z 0-9 _ .")
    password = create.add_mutually_exclusive_group()
    password.add_argument("--password-stdin", action="store_true", help="read the password from standard input, a line")
    password.add_argument("--password", metavar="P", help="the password, which other users of this machine can see")
    create.add_argument("--email", metavar="E", help="e-mail address, as another name to log in with")
    add_action(actions, "list", _list, "list all accounts, bots too")
    disable = add_action(actions, "disable", _disable, "end all of an account's logins, for good, and refuse new ones")
    disable.add_argument("name", metavar="NAME")


def _create(options: Namespace) -> int:
    password = sys.stdin.readline().rstrip("\r\n") if options.password_stdin else options.password
    made = ask(options, "user create", username=options.name, password=password, email=options.email)
    generated = f"\npassword: {made['password']}" if "password" in made else ""
    say(options, made, f"created {made['username']} ({made['id']}){generated}")
    return 0


def _list(options: Namespace) -> int:
    rows = list(pages(options, "user list", "users"))
    kinds = {False: "person", True: "bot"}
    states = {False: "active", True: "disabled"}
    shown = [{**row, "kind": kinds[row["bot"]], "state": states[row["disabled"]]} for row in rows]
    say(options, rows, table(shown, ("id", "username", "kind", "state", "email")))
    return 0


def _disable(options: Namespace) -> int:
    done = ask(options, "user disable", username=options.name)
    say(options, done, f"disabled {done['username']} ({done['id']})")
    return 0
