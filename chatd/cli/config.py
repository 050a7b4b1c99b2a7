"""The configuration: what holds, whether it is right, and every option at its default."""

import tomllib
from argparse import ArgumentParser, Namespace

from chatd import config
from chatd.cli.options import add_action, add_actions, check_supported, load_config, say


def configure(parser: ArgumentParser) -> None:
    actions = add_actions(parser)
    add_action(actions, "show", _show, "print what holds when file, environment and flags are put together")
    add_action(actions, "check", _check, "say in one line what is wrong, and with which option")
    add_action(actions, "default", _default, "print a file with every option, its meaning and its default")


def _show(options: Namespace) -> int:
    _say_toml(options, config.show(load_config(options)))
    return 0


def _check(options: Namespace) -> int:
    check_supported(load_config(options))
    say(options, {"ok": True}, "the configuration is right")
    return 0


def _default(options: Namespace) -> int:
    _say_toml(options, config.render_default())
    return 0


def _say_toml(options: Namespace, text: str) -> None:
    say(options, tomllib.loads(text), text.rstrip("\n"))
