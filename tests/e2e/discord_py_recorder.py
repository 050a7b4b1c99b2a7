"""A discord.py bot of three shards that only records: a line of JSON for everything that its listeners are told.

Nothing of the library is changed but its addresses, as in the README's recipe. `connecting` comes from the tracing that
the library offers, `guild` from its debug events, and `invalid` (op 9) from its log, the only place that tells of it.
"""

import json
import logging
import os
import time
from types import SimpleNamespace

import aiohttp
import discord
import yarl

discord.http.Route.BASE = "http://127.0.0.1:8080/api/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL("ws://127.0.0.1:8080/gateway")

SHARDS = 3
INVALIDATED = "Shard ID %s session has been invalidated."


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


class Invalidations(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.msg == INVALIDATED:
            say("invalid", shard=record.args[0])


class Recorder(discord.AutoShardedClient):
    async def before_identify_hook(self, shard_id: int, *, initial: bool = False) -> None:
        """Without the 5 seconds that Discord wants between two IDENTIFYs."""

    async def on_shard_connect(self, shard_id: int) -> None:  # after READY, not after RESUMED
        say("identified", shard=shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        say("resumed", shard=shard_id)

    async def on_socket_raw_receive(self, message: str) -> None:
        payload = json.loads(message)
        if payload["t"] == "GUILD_CREATE":
            say("guild", guild=payload["d"]["id"], at=time.time_ns() // 1_000_000)

    async def on_message(self, message: discord.Message) -> None:
        say(
            "message",
            shard=message.guild.shard_id,
            channel=str(message.channel.id),
            id=str(message.id),
            content=message.content,
        )


async def connecting(session: aiohttp.ClientSession, context: SimpleNamespace, request: object) -> None:
    if request.url.path.startswith("/gateway"):
        say("connecting", compression=request.url.query.get("compress", "none"))


trace = aiohttp.TraceConfig()
trace.on_request_start.append(connecting)
trace.freeze()
logging.getLogger("discord.gateway").addHandler(Invalidations())

intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
client = Recorder(intents=intents, shard_count=SHARDS, http_trace=trace, enable_debug_events=True)
client.run(os.environ["BOT_TOKEN"])
