"""The ledger of a load driver, and the checker that compares it with what a server has to show.

The driver writes down what it is going to send before it sends it, and what became of it. The checker reads that file
and the history fetched over REST, nothing else, and shares no code with chatd.

A message is known by its nonce, which is also the first word of its content.
"""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

SENT, OK, REFUSED, UNKNOWN = "sent", "ok", "refused", "unknown"

# outcome -> how often the message may be there, at least and at most
COPIES = {OK: (1, 1), REFUSED: (0, 0), UNKNOWN: (0, 1)}


def digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


class Ledger:
    """Append-only. A line is one write() past every buffer of this process, so threads need no lock (O_APPEND)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def sending(self, nonce: str, content: str) -> None:
        self._append(SENT, nonce, digest=digest(content))

    def ok(self, nonce: str, message_id: str) -> str:
        return self._append(OK, nonce, id=message_id)

    def refused(self, nonce: str) -> str:
        return self._append(REFUSED, nonce)

    def unknown(self, nonce: str) -> str:
        return self._append(UNKNOWN, nonce)

    def _append(self, event: str, nonce: str, **more: str) -> str:
        os.write(self._file, json.dumps({"event": event, "nonce": nonce, **more}).encode() + b"\n")
        return event

    def close(self) -> None:
        os.close(self._file)


@dataclass
class Entry:
    digest: str
    floor: int  # the greatest id that had been acknowledged to anybody when this was first sent
    outcome: str = UNKNOWN
    id: str | None = None


def read(path: Path) -> dict[str, Entry]:
    """What the ledger says of each nonce. A line for a nonce sent before is a retry, whose outcome counts."""
    entries: dict[str, Entry] = {}
    acknowledged = 0
    for line in map(json.loads, path.read_text().splitlines()):
        if line["event"] == SENT:
            entries.setdefault(line["nonce"], Entry(line["digest"], acknowledged))
            continue
        entry = entries[line["nonce"]]
        entry.outcome = line["event"]
        if entry.outcome == OK:
            entry.id = line["id"]
            acknowledged = max(acknowledged, int(line["id"]))
    return entries


def faults(entries: Mapping[str, Entry], history: Sequence[Mapping[str, Any]]) -> list[str]:
    """Everything that is wrong with `history`, the messages of a channel from the newest to the oldest."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for message in history:
        found[message["content"].partition(" ")[0]].append(message)
    wrong = [f"{nonce}: phantom, nobody sent it" for nonce in found.keys() - entries.keys()]

    ids = [int(message["id"]) for message in history]
    wrong += [f"history: {newer} is listed before {older}" for newer, older in pairwise(ids) if newer <= older]

    for nonce, entry in entries.items():
        copies = found.get(nonce, [])
        least, most = COPIES[entry.outcome]
        if not least <= len(copies) <= most:
            wrong.append(f"{nonce}: {entry.outcome}, but there {len(copies)} times")
        for copy in copies:
            if digest(copy["content"]) != entry.digest:
                wrong.append(f"{nonce}: mutated into {copy['content']!r}")
            if entry.id not in (None, copy["id"]):
                wrong.append(f"{nonce}: acknowledged as {entry.id}, but there as {copy['id']}")
            if int(copy["id"]) <= entry.floor:
                wrong.append(f"{nonce}: misordered, {copy['id']} was sent after {entry.floor} had been acknowledged")
    return wrong
