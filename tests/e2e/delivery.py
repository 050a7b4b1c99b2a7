"""The checker that compares what a bot's listeners were told with the history of its channels.

The records are a bot's lines (see discord_py_recorder.py); the history is what REST shows in the end, which
`ledger.faults` has compared with what was posted. Nothing else is looked at, and no code is shared with chatd.

Every message must have been told once, in its shard, in the order of its channel. One thing is forgiven: a shard that
was told op 9 and identified anew may miss in each channel what was posted between its last event and its new
GUILD_CREATE, whose arrival says when that ended.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

DISCORD_EPOCH_MS = 1_420_070_400_000

Record = Mapping[str, Any]


class Channel(Struct, kw_only=True):
    id: str
    guild: str
    shard: int
    history: dict[str, str]  # message id -> content, oldest first


class Report(Struct, kw_only=True):
    faults: list[str]
    missed: int  # messages that were forgiven
    events: Counter[str]  # how many records there are of each kind


def check(records: Sequence[Record], channels: Iterable[Channel]) -> Report:
    bot = _Bot([_Reader(channel) for channel in channels])
    for record in records:
        bot.faults += bot.TAKE[record["event"]](bot, record)
    for reader in bot.readers.values():
        reader.go_to(len(reader.order))
        bot.faults += [f"{id_}: lost in {reader.channel.id}" for id_ in reader.skipped if id_ not in reader.told]
    missed = sum(reader.missed for reader in bot.readers.values())
    return Report(faults=bot.faults, missed=missed, events=Counter(record["event"] for record in records))


def created_ms(id_: str) -> int:
    return (int(id_) >> 22) + DISCORD_EPOCH_MS


class _Reader:
    """How far a bot has come in one channel."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.order = list(channel.history)
        self.told: set[str] = set()
        self.skipped: list[str] = []
        self.missed = 0
        self.was_refused = False
        self.gap_until_ms = 0  # what was posted up to then may be missing at this point
        self._places = {id_: place for place, id_ in enumerate(self.order)}
        self._next = 0

    def go_to(self, place: int) -> None:
        for id_ in self.order[self._next : place]:
            if created_ms(id_) <= self.gap_until_ms:
                self.missed += 1
            else:
                self.skipped.append(id_)
        self.gap_until_ms = 0
        self._next = place

    def take(self, record: Record) -> Iterable[str]:
        id_ = record["id"]
        if record["shard"] != self.channel.shard:
            yield f"{id_}: told to shard {record['shard']} instead of {self.channel.shard}"
        if id_ not in self._places:
            yield f"{id_}: phantom, not in the history of {self.channel.id}"
            return
        if record["content"] != self.channel.history[id_]:
            yield f"{id_}: mutated into {record['content']!r}"
        if id_ in self.told:
            yield f"{id_}: doubled"
        elif self._places[id_] < self._next:
            yield f"{id_}: misordered, told after {self.order[self._next - 1]}"
        else:
            self.go_to(self._places[id_])
            self._next += 1
        self.told.add(id_)


class _Bot:
    def __init__(self, readers: Iterable[_Reader]) -> None:
        self.readers = {reader.channel.id: reader for reader in readers}
        self.faults: list[str] = []
        self._may_identify = Counter({reader.channel.shard: 1 for reader in self.readers.values()})

    def invalid(self, record: Record) -> Iterable[str]:
        self._may_identify[record["shard"]] += 1
        for reader in self.readers.values():
            if reader.channel.shard == record["shard"]:
                reader.was_refused = True
        return ()

    def identified(self, record: Record) -> Iterable[str]:
        self._may_identify[record["shard"]] -= 1
        if self._may_identify[record["shard"]] < 0:
            yield f"shard {record['shard']}: identified anew, but was not told op 9"

    def guild(self, record: Record) -> Iterable[str]:
        for reader in self.readers.values():
            if reader.channel.guild == record["guild"] and reader.was_refused:
                reader.gap_until_ms, reader.was_refused = record["at"], False
        return ()

    def message(self, record: Record) -> Iterable[str]:
        reader = self.readers.get(record["channel"])
        return (
            (f"{record['id']}: phantom, in a channel that nobody posted to",) if reader is None else reader.take(record)
        )

    def nothing(self, record: Record) -> Iterable[str]:
        return ()

    TAKE = {
        "connecting": nothing,
        "identified": identified,
        "resumed": nothing,
        "invalid": invalid,
        "guild": guild,
        "message": message,
    }
