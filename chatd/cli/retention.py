"""How long messages and files are kept: for everywhere, for one channel. Works with the server running or not.

A running server deletes what is due by itself, little by little; `run` does it now.
"""

import re
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from typing import Any

from chatd.cli.ask import ask, pages
from chatd.cli.options import add_action, add_actions, say, table

UNITS_S = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
FOREVER = "forever"
EVERYWHERE = "all others"
PINNED = {"keep": True, "delete": False}
AGES = {
    "--messages": f"delete them at this age: 90d, 12w, 36h; {FOREVER}, as without a rule",
    "--files": f"take them from messages of this age, and delete those that have nothing else; or {FOREVER}",
}


def configure(parser: ArgumentParser) -> None:
    actions = add_actions(parser)
    add_action(actions, "show", _show, "list the rules")
    setting = add_action(
        actions, "set", _set, "make a rule or change it; what is not given stays as it holds for the channel now"
    )
    setting.add_argument("--channel", metavar="ID", help="for this channel and its threads, or this category")
    for flag, meaning in AGES.items():
        setting.add_argument(flag, type=_age, default=SUPPRESS, metavar="AGE", help=meaning)
    setting.add_argument("--pinned", choices=PINNED, help="pinned messages and their files; at first they are kept")
    setting.set_defaults(refuse=setting.error)
    clearing = add_action(actions, "clear", _clear, "take a rule away")
    clearing.add_argument("--channel", metavar="ID", help="this channel's, not the one for all others")
    running = add_action(actions, "run", _run, "delete what is due now")
    running.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")


def _show(options: Namespace) -> int:
    rules = ask(options, "retention show")["rules"]
    say(options, rules, table(map(_told, rules), ("channel", "messages", "files", "pinned")))
    return 0


def _set(options: Namespace) -> int:
    said = {f"{name}_s": getattr(options, name) for name in ("messages", "files") if name in options}
    if not said:
        options.refuse("one of --messages and --files is required")
    if options.pinned is not None:
        said["keep_pinned"] = PINNED[options.pinned]
    done = ask(options, "retention set", channel=options.channel, **said)
    say(options, done, "{channel}: messages {messages}, files {files}, pinned {pinned}".format(**_told(done)))
    return 0


def _told(rule: dict[str, Any]) -> dict[str, str]:
    return {
        "channel": rule["channel"] or EVERYWHERE,
        "messages": _shown(rule["messages_s"]),
        "files": _shown(rule["files_s"]),
        "pinned": "keep" if rule["keep_pinned"] else "delete",
    }


def _clear(options: Namespace) -> int:
    done = ask(options, "retention clear", channel=options.channel)
    say(options, done, f"{done['channel'] or EVERYWHERE}: no rule")
    return 0


def _run(options: Namespace) -> int:
    channels = list(pages(options, "retention due", "channels"))
    total = {name: sum(channel[name] for channel in channels) for name in ("messages", "files")}
    if options.dry_run:
        shown = [{**channel, "channel": channel["id"], "guild": channel["guild_id"]} for channel in channels]
        listed = table(shown, ("channel", "guild", "messages", "files", "oldest"))
        say(options, channels, f"{listed}\n{_sum(total)} would be deleted")
        return 0
    deleted = dict.fromkeys(total, 0)
    while any((part := ask(options, "retention run")).values()):
        deleted = {name: count + part[name] for name, count in deleted.items()}
        # More may have become due, and the server's own round deletes too.
        total = {name: max(count, deleted[name]) for name, count in total.items()}
        print(f"deleted {_sum(deleted)} of about {_sum(total)}", file=sys.stderr)
    say(options, deleted, f"deleted {_sum(deleted)}")
    return 0


def _sum(counts: dict[str, int]) -> str:
    return "{messages} messages and {files} files".format(**counts)


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
