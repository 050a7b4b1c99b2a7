"""Bots: create one, put it into guilds, get its token. Works with the server running or not."""

from argparse import ArgumentParser, Namespace

from chatd.cli.ask import ask
from chatd.cli.options import add_action, add_actions, say


def configure(parser: ArgumentParser) -> None:
    actions = add_actions(parser)
    create = add_action(actions, "create", _create, "create an application with its bot; the token is shown only now")
    create.add_argument("name", metavar="NAME", help="2 to 32 characters")
    create.add_argument("--owner", required=True, metavar="USER", help="username of the person that owns it")
    create.add_argument("--guild", action="append", default=[], metavar="ID", help="guild to join; may be repeated")
    create.add_argument(
        "--permissions", default="0", metavar="N", help="what its role there allows, Discord's bits (default: no role)"
    )


def _create(options: Namespace) -> int:
    made = ask(
        options,
        "bot create",
        name=options.name,
        owner=options.owner,
        guilds=options.guild,
        permissions=options.permissions,
    )
    say(options, made, f"created {options.name} ({made['bot_id']})\ntoken: {made['token']}")
    return 0
