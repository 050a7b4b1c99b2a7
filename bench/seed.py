"""Fills a channel with messages through the API, for the scenarios that need a server with a past."""

from bench import load
from bench.context import Context
from bench.servers import Server
from bench.world import Guild

IN_FLIGHT = 64


def messages(server: Server, context: Context, guild: Guild, count: int) -> None:
    load.run(server, context, targets=guild.publish_to(), publishers=IN_FLIGHT, in_flight=IN_FLIGHT, count=count)
