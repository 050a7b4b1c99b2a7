"""What verbs have in common: the flags that are configuration, and how a verb says that it did not work."""

import json
import os
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from chatd import config
from chatd.config import Config, ConfigError

# flag -> the option that it sets
DATA_FLAGS = {"--data": "data.dir", "--database": "database.url"}
# option -> what stands for its value in --help
METAVARS = {
    "data.dir": "DIR",
    "server.http": "edge|hypercorn",
    "server.tls_cert": "FILE",
    "server.tls_key": "FILE",
    "log.format": "text|json",
}

Actions: TypeAlias = "_SubParsersAction[ArgumentParser]"  # argparse's class is generic for type checkers only


class Failure(Exception):
    """The command did not work, said in one line: exit status 1."""


def add_config_flags(parser: ArgumentParser, flags: dict[str, str] | None = None) -> None:
    """`--config`, and a flag for each of these options."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with options; see chatd config default")
    for flag, path in (DATA_FLAGS if flags is None else flags).items():
        # argparse formats help texts with %.
        meaning = config.describe(path).replace("%", "%%")
        parser.add_argument(flag, dest=path, metavar=METAVARS.get(path, path.partition(".")[2].upper()), help=meaning)


def add_json_flag(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="answer in JSON")


def add_action(actions: Actions, name: str, run: Callable[[Namespace], int], meaning: str) -> ArgumentParser:
    """An action of a verb, such as `create` of `chatd user`, with the flags that all of them have."""
    parser = actions.add_parser(name, help=meaning, description=f"{meaning[0].upper()}{meaning[1:]}.")
    add_config_flags(parser)
    add_json_flag(parser)
    parser.set_defaults(run=run)
    return parser


def add_actions(parser: ArgumentParser) -> Actions:
    return parser.add_subparsers(required=True, metavar="ACTION")


def load_config(options: Namespace) -> Config:
    """Options from the file, the environment and these flags. Raises ConfigError."""
    return config.load(
        options.config, os.environ, {path: value for path, value in vars(options).items() if "." in path}
    )


def check_supported(loaded: Config) -> None:
    """Raises ConfigError for what this version knows but cannot do."""
    if loaded.redis.url:
        raise ConfigError("redis.url", "this version runs as a single node; linking nodes is not in it yet")


def say(options: Namespace, answer: object, text: str) -> None:
    """The answer on stdout, in JSON if so asked."""
    print(json.dumps(answer) if options.json else text)


def table(rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> str:
    cells = [columns, *([_shown(row[name]) for name in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def _shown(value: object) -> str:
    text = "-" if value is None else str(value)
    # Names are other people's: nothing in them may steer the terminal.
    return text if text.isprintable() else repr(text)
