"""startup: from starting `chatd serve` to its ready line, on an empty directory and on one with many messages."""

from argparse import ArgumentParser

from bench import seed, servers, world
from bench.context import Context
from bench.results import Target

TARGET = Target("<=", 0.5)


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, default=100_000, help="messages in the existing directory (100000)")


def run(context: Context) -> None:
    for _ in context.rounds("empty directory"):
        with servers.chatd() as server:
            context.result.add("ready on an empty directory", server.ready_s, "s", TARGET)
    count = context.options.messages
    with servers.scratch_folder() as data:
        context.progress.at(f"startup: writing {count} messages:")
        with servers.chatd(data) as server:
            seed.messages(server, context, world.open_world(server).guild(), count)
        for _ in context.rounds("existing directory"):
            with servers.chatd(data) as server:
                context.result.add(f"ready on a directory with {count:,} messages", server.ready_s, "s", TARGET)
