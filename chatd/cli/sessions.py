"""Gateway sessions of the running server: list them, disconnect one."""

from argparse import ArgumentParser, Namespace
from typing import Any

from chatd.cli.ask import ask, pages
from chatd.cli.options import add_action, add_actions, say, table

COLUMNS = (
    "user", "user_id", "kind", "shard", "state", "since", "age", "seq", "ring", "queue", "heartbeat", "transport",
    "intents", "address", "id",
)  # fmt: skip

# Seconds in a unit, and in how many of them it gives way to the next.
UNITS = (("s", 1, 120), ("m", 60, 120), ("h", 3600, 48), ("d", 86400, float("inf")))


def configure(parser: ArgumentParser) -> None:
    actions = add_actions(parser)
    listing = add_action(actions, "list", _list, "list gateway sessions, those that wait for RESUME too")
    listing.add_argument("--user", metavar="ID|NAME", help="only this user's")
    listing.add_argument("--guild", metavar="ID", help="only those that get this guild's events")
    disconnect = add_action(actions, "disconnect", _disconnect, "close a session's connection; its client may resume")
    disconnect.add_argument("id", metavar="ID", help="the session's id, as listed")
    disconnect.add_argument("--end", action="store_true", help="end the session as well: its client starts anew")


def _list(options: Namespace) -> int:
    rows = list(pages(options, "sessions list", "sessions", user=options.user, guild=options.guild))
    rows.sort(key=lambda row: (row["username"], int(row["user_id"]), row["shard"], row["id"]))
    say(options, rows, table(map(_shown, rows), COLUMNS))
    return 0


def _disconnect(options: Namespace) -> int:
    done = ask(options, "sessions disconnect", id=options.id, end=options.end)
    what = "ended" if options.end else "disconnected"
    say(options, done, f"{what} {done['username']}'s session {done['id']}")
    return 0


def _shown(row: dict[str, Any]) -> dict[str, object]:
    return {
        **row,
        "user": row["username"],
        "kind": "bot" if row["bot"] else "person",
        "shard": "/".join(map(str, row["shard"])),
        "state": "connected" if row["connected"] else "waiting",
        "since": _duration(row["since_s"]),
        "age": _duration(row["age_s"]),
        "queue": row["queue_bytes"],
        "heartbeat": _duration(row["heartbeat_s"]),
        "transport": "+".join(filter(None, (row["encoding"], row["compression"]))) or None,
    }


def _duration(seconds: float | None) -> str | None:
    """In the largest unit that still says something: "90s", "119m", "47h"."""
    if seconds is None:
        return None
    return next(f"{seconds // size:.0f}{unit}" for unit, size, end in UNITS if seconds < size * end)
