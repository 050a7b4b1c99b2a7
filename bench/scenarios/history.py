"""history: pages of a channel's past, of a million messages among five and of two hundred; both databases.

The newest page, and pages all over the past.
"""

import random
from argparse import ArgumentParser
from itertools import pairwise

from bench import sizes, world
from bench.archive import Archive
from bench.context import Context
from bench.servers import Server

PAGE = 50
PLACES = 500  # different pages that are read in turn


def arguments(parser: ArgumentParser) -> None:
    sizes.arguments(parser)


def targets(here: Archive) -> dict[str, list[str]]:
    path, token = f"{world.API}/channels/{here.channels[0]}/messages?limit={PAGE}", f"\tBot {here.token}"
    # any number between two ids is a valid place: ids are times
    chance = random.Random(1)
    places = [chance.randint(here.oldest, here.newest) for _ in range(PLACES)]
    return {
        "newest page": [path + token],
        "pages of the past": [f"{path}&before={place}{token}" for place in places],
    }


def check(context: Context, server: Server, here: Archive) -> None:
    page = world.page_of(world.Api(server, f"Bot {here.token}"), here.channels[0], PAGE, before=str(here.newest))
    ids = [int(message["id"]) for message in page]
    falling = all(later > earlier for later, earlier in pairwise(ids))
    context.result.judge("page", {"short or unsorted pages": int(len(ids) != PAGE or not falling)})


def run(context: Context) -> None:
    sizes.compare(context, targets, check)
