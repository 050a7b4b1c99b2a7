"""history: reads of message pages from a channel with many messages: the newest page, and pages all over its past."""

import random
from argparse import ArgumentParser
from itertools import pairwise

from bench import load, seed, world
from bench.context import Context
from bench.world import page_of

PAGE = 50
PLACES = 500  # different pages that are read in turn
CONCURRENCY = (1, 16)


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, default=100_000, help="messages in the channel (100000)")


def check_page(context: Context, page: list[dict[str, str]]) -> None:
    ids = [int(message["id"]) for message in page]
    falling = all(later > earlier for later, earlier in pairwise(ids))
    context.result.judge("page", {"short or unsorted pages": int(len(ids) != PAGE or not falling)})


def run(context: Context) -> None:
    count = context.options.messages
    context.progress.at(f"history: writing {count} messages:")
    with world.fresh() as (here, guild):
        channel, token = guild.channels[0], guild.bots[0]
        seed.messages(here.server, context, guild, count)
        newest = page_of(here.api, channel, PAGE)
        oldest = int(here.api.call("GET", f"/channels/{channel}/messages?after=0&limit=1")[0]["id"])
        # any number between two ids is a valid place: ids are times
        chance = random.Random(1)
        places = [chance.randint(oldest, int(newest[-1]["id"])) for _ in range(PLACES)]
        check_page(context, newest)
        check_page(context, page_of(here.api, channel, PAGE, before=newest[-1]["id"]))
        path = f"/api/v10/channels/{channel}/messages?limit={PAGE}"
        kinds = {
            "newest page": [f"{path}\tBot {token}"],
            "pages of the past": [f"{path}&before={place}\tBot {token}" for place in places],
        }
        for kind, targets in kinds.items():
            for in_flight in CONCURRENCY:
                case = f"{kind} of {count:,} messages, {in_flight} in flight"
                for _ in context.rounds(case):
                    report = load.run(
                        here.server,
                        context,
                        method="GET",
                        targets=targets,
                        publishers=in_flight,
                        in_flight=in_flight,
                        warmup=context.options.warmup,
                        duration=context.options.duration,
                        spin=True,
                    )
                    context.result.judge(case, report["check"])
                    window = report["window"]
                    context.result.add(f"{case}: reads", window["accepted_per_s"], "/s")
                    context.result.add(f"{case}: p50", window["post_ms"]["p50"], "ms")
                    context.result.add(f"{case}: p99", window["post_ms"]["p99"], "ms")
