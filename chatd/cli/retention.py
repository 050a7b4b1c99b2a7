"""How long messages are kept: for everywhere, for one channel. Works with the server running or not.

A running server deletes what is due by itself, little by little; `run` does it now.
"""

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import Any

from chatd.cli.ask import ask, pages
from chatd.cli.options import add_action, add_actions, say, table

UNITS_S = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
FOREVER = "forever"
EVERYWHERE = "all others"


def configure(parser: ArgumentParser) -> None:
    actions = add_actions(parser)
    add_action(actions, "show", _show, "list the rules")
    setting = add_action(actions, "set", _set, "make a rule, in place of the one that is there")
    setting.add_argument("--channel", metavar="ID", help="for this channel and its threads, or this category")
    setting.add_argument(
        "--messages", type=_age, required=True, metavar="AGE", help=f"delete them at this age: 90d, 12w, 36h; {FOREVER}"
    )
    setting.add_argument("--pinned", choices=("keep", "delete"), default="keep", help="pinned ones (default: keep)")
    clearing = add_action(actions, "clear", _clear, "take a rule away")
    clearing.add_argument("--channel", metavar="ID", help="this channel's, not the one for all others")
    running = add_action(actions, "run", _run, "delete what is due now")
    running.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")


def _show(options: Namespace) -> int:
    rules = ask(options, "retention show")["rules"]
    shown = [
        {
            "channel": rule["channel"] or EVERYWHERE,
            "messages": _shown(rule["messages_s"]),
            "pinned": "keep" if rule["keep_pinned"] else "delete",
        }
        for rule in rules
    ]
    say(options, rules, table(shown, ("channel", "messages", "pinned")))
    return 0


def _set(options: Namespace) -> int:
    rule = {"channel": options.channel, "messages_s": options.messages, "keep_pinned": options.pinned == "keep"}
    done = ask(options, "retention set", **rule)
    age = _shown(done["messages_s"])
    say(options, done, f"{done['channel'] or EVERYWHERE}: messages {age}, pinned {options.pinned}")
    return 0


def _clear(options: Namespace) -> int:
    done = ask(options, "retention clear", channel=options.channel)
    say(options, done, f"{done['channel'] or EVERYWHERE}: no rule")
    return 0


def _run(options: Namespace) -> int:
    channels = list(pages(options, "retention due", "channels"))
    total = sum(channel["messages"] for channel in channels)
    if options.dry_run:
        shown = [{**channel, "channel": channel["id"], "guild": channel["guild_id"]} for channel in channels]
        listed = table(shown, ("channel", "guild", "messages", "oldest"))
        say(options, channels, f"{listed}\n{total} messages would be deleted")
        return 0
    deleted = 0
    while part := ask(options, "retention run")["deleted"]:
        deleted += part
        # More may have become due, and the server's own round deletes too.
        print(f"deleted {deleted} of about {max(total, deleted)}", file=sys.stderr)
    say(options, {"deleted": deleted}, f"deleted {deleted} messages")
    return 0


def _age(text: str) -> int | None:
    """In seconds; None for ever."""
    if text == FOREVER:
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", text)
    if found is None:
        raise ArgumentTypeError(f"{text!r}: a number of m, h, d or w, such as 90d, or {FOREVER}")
    return int(found[1]) * UNITS_S[found[2]]


def _shown(seconds: Any) -> str:
    """In the largest unit that it is a whole number of."""
    if seconds is None:
        return FOREVER
    unit = next((unit for unit in reversed(UNITS_S) if seconds % UNITS_S[unit] == 0), None)
    return f"{seconds}s" if unit is None else f"{seconds // UNITS_S[unit]}{unit}"
