"""The command `chatd`: which verbs there are, and what all of them share on their way out.

Each verb is a module whose `configure(parser)` adds its arguments and says which function runs it. Only the one that is
asked for is imported, because most of a start is imports. Exit status 0: done; 1: it did not work; 2: usage or
configuration.
"""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from chatd import __version__
from chatd.cli.options import Failure
from chatd.config import ConfigError


class Verb(NamedTuple):
    module: str
    meaning: str


VERBS = {
    "serve": Verb("chatd.cli.serve", "run the server"),
    "user": Verb("chatd.cli.user", "create, list and disable accounts of people"),
    "guild": Verb("chatd.cli.guild", "create and list guilds"),
    "bot": Verb("chatd.cli.bot", "create bots"),
    "sessions": Verb("chatd.cli.sessions", "list and disconnect the gateway sessions of a running server"),
    "retention": Verb("chatd.cli.retention", "how long messages and files are kept; delete what is due"),
    "migrate": Verb("chatd.cli.migrate", "show and change the version of the database's schema"),
    "config": Verb("chatd.cli.config", "show, check and write the configuration"),
    "doctor": Verb("chatd.cli.doctor", "look for what keeps a server from running well"),
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="chatd",
        description="A self-hosted, Discord-compatible realtime text-chat server.",
        epilog="commands:\n" + "\n".join(f"  {name:9} {verb.meaning}" for name, verb in VERBS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"chatd {__version__}")
    parser.add_argument("verb", choices=VERBS, metavar="COMMAND", help="one of those below; COMMAND --help says more")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="its options")
    asked = parser.parse_args(argv)
    verb = VERBS[asked.verb]
    module = _load(verb)
    verb_parser = argparse.ArgumentParser(prog=f"chatd {asked.verb}", description=module.__doc__)
    module.configure(verb_parser)
    options = verb_parser.parse_args(asked.rest)
    # Everything that chatd writes is for its owner: messages, password hashes, keys.
    os.umask(0o077)
    try:
        status: int = options.run(options)
    except ConfigError as error:
        return _complain(error, 2)
    except Failure as error:
        return _complain(error, 1)
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    return status


def _load(verb: Verb) -> ModuleType:
    """Modules stay. Looking for garbage in them would take a fifth of this time, and later pause the server."""
    gc.disable()
    try:
        return import_module(verb.module)
    finally:
        gc.freeze()
        gc.enable()


def _complain(error: object, status: int) -> int:
    # One line, whatever a library put into its message.
    print(f"chatd: {' '.join(str(error).split())}", file=sys.stderr)
    return status
