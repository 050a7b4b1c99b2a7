"""search: the first page of what is found, among five million messages and among a thousand; both databases.

One search at a time. "All kinds" takes the kinds in turn; what each of them costs is measured among the five million.
"""

import random
from argparse import ArgumentParser
from collections.abc import Callable
from itertools import chain
from urllib.parse import urlencode

from bench import sizes, world
from bench.archive import HOSTS, Archive, Language
from bench.context import Context
from bench.servers import Server

SEARCHES = 50  # different ones of each kind, in turn
ALL = "all kinds"

Query = dict[str, str | int]


def arguments(parser: ArgumentParser) -> None:
    sizes.arguments(parser)


def kinds(here: Archive, language: Language) -> dict[str, Callable[[random.Random], Query]]:
    def word(chance: random.Random, low: int, high: int) -> str:
        return language.words[chance.randrange(low, high)]

    def characters(chance: random.Random, count: int) -> str:
        return "".join(chance.choices(language.characters[:300], k=count))

    return {
        "a common word": lambda it: {"content": word(it, 0, 50)},
        "a less common word": lambda it: {"content": word(it, 50, 2_000)},
        "a rare word": lambda it: {"content": word(it, 2_000, 50_000)},
        "two words": lambda it: {"content": f"{word(it, 0, 500)} {word(it, 0, 500)}"},
        "two Chinese characters": lambda it: {"content": characters(it, 2)},
        "three Chinese characters": lambda it: {"content": characters(it, 3)},
        "a word that is nowhere": lambda it: {"content": "".join(it.choices("qxywj", k=6))},
        "a word in the large channel": lambda it: {"content": word(it, 0, 2_000), "channel_id": here.channels[0]},
        "a word of an author": lambda it: {"content": word(it, 0, 2_000), "author_id": it.choice(here.authors)},
        "mentions of somebody": lambda it: {"mentions": it.choice(here.authors)},
        "links to a host": lambda it: {"link_hostname": f"host{it.randrange(HOSTS)}.example"},
        "anything but links": lambda it: {"has": "-link", "author_id": it.choice(here.authors)},
    }


def targets(here: Archive) -> dict[str, list[str]]:
    chance = random.Random(1)
    lines = {
        kind: [
            f"{world.API}/guilds/{here.guild}/messages/search?{urlencode(query(chance))}\tBot {here.token}"
            for _ in range(SEARCHES)
        ]
        for kind, query in kinds(here, Language()).items()
    }
    return {ALL: list(chain.from_iterable(zip(*lines.values(), strict=True))), **lines}


def check(context: Context, server: Server, here: Archive) -> None:
    """A word of the newest message is found in it."""
    api = world.Api(server, f"Bot {here.token}")
    newest = max((world.page_of(api, channel, 1)[0] for channel in here.channels), key=lambda it: int(it["id"]))
    query = urlencode({"content": newest["content"].split()[0]})
    found = api.call("GET", f"/guilds/{here.guild}/messages/search?{query}")["messages"]
    is_found = bool(found) and found[0][0]["id"] == newest["id"]
    context.result.judge("search", {"messages not found": int(not is_found)})


def run(context: Context) -> None:
    sizes.compare(context, targets, check, only_large=lambda case: case != ALL)
