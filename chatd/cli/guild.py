"""Guilds: create and list. Works with the server running or not."""

from argparse import ArgumentParser, Namespace

from chatd.cli.ask import ask, pages
from chatd.cli.options import add_action, add_actions, say, table


def configure(parser: ArgumentParser) -> None:
    actions = add_actions(parser)
    create = add_action(actions, "create", _create, "create a guild with a text and a voice channel")
    create.add_argument("name", metavar="NAME", help="2 to 100 characters")
    create.add_argument("--owner", required=True, metavar="USER", help="username of the person that owns it")
    add_action(actions, "list", _list, "list all guilds")


def _create(options: Namespace) -> int:
    made = ask(options, "guild create", name=options.name, owner=options.owner)
    say(options, made, f"created {made['name']} ({made['id']})")
    return 0


def _list(options: Namespace) -> int:
    rows = list(pages(options, "guild list", "guilds"))
    say(options, rows, table(rows, ("id", "name", "owner_id")))
    return 0
