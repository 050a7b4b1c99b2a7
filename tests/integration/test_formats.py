"""Every encoding with every compression, over a real connection. Docs: events/gateway, "Encoding and Compression"."""

import pytest

from tests.support.app import Server
from tests.support.client import Gateway, connect, gateway, resumed
from tests.support.world import Guild, User

ETF = pytest.mark.parametrize("compress", [None, "zlib-stream", "zstd-stream"], ids=["plain", "zlib", "zstd"])


@pytest.fixture
async def server(sqlite_server: Server) -> Server:
    return sqlite_server


async def hears(it: Gateway, speaker: User, channel_id: str, contents: list[str]) -> None:
    for content in contents:
        await speaker.say(channel_id, content)
    for content in contents:
        assert (await it.next("MESSAGE_CREATE"))["content"] == content


@ETF
async def test_a_conversation_in_etf(
    server: Server, owner: User, guild: Guild, bot: User, compress: str | None
) -> None:
    async with gateway(server.url, bot.token, encoding="etf", compress=compress) as it:
        assert it.hello == {"heartbeat_interval": 41_250}
        assert it.ready["user"]["id"] == bot.id
        assert it.named("GUILD_CREATE")[0]["id"] == guild.id
        await it.heartbeat()
        await hears(it, owner, guild.general, ["short", "ü 漢 🙂", "long " * 300, "end"])
        await it.send(8, {"guild_id": int(guild.id), "query": "", "limit": 0, "nonce": "n"})
        assert (await it.next("GUILD_MEMBERS_CHUNK"))["nonce"] == "n"
        await it.send(
            3, {"status": "idle", "since": 1.7e12, "activities": [{"name": "chess", "type": 0}], "afk": False}
        )
        await it.heartbeat()
        it.cut()
        await it.until_closed()
    await owner.say(guild.general, "missed")
    async with resumed(it, encoding="etf", compress=compress) as again:
        assert (await again.next("MESSAGE_CREATE"))["content"] == "missed"
        await hears(again, owner, guild.general, ["live again"])


@ETF
async def test_sessions_in_json_and_etf_share_their_events(
    server: Server, owner: User, guild: Guild, bot: User, compress: str | None
) -> None:
    async with (
        gateway(server.url, bot.token) as plain,
        gateway(server.url, bot.token, encoding="etf", compress=compress) as terms,
    ):
        await owner.say(guild.general, "to both")
        assert await terms.next("MESSAGE_CREATE") == await plain.next("MESSAGE_CREATE")


async def test_a_session_may_be_resumed_in_another_encoding(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    async with gateway(server.url, bot.token, encoding="etf", compress="zstd-stream") as it:
        it.cut()
        await it.until_closed()
    await owner.say(guild.general, "missed")
    async with resumed(it, compress="zlib-stream") as again:
        assert [d["content"] for d in again.named("MESSAGE_CREATE")] == ["missed"]


@pytest.mark.parametrize(
    "message",
    [
        b'{"op":1,"d":null}',
        b"\x83t\0\0\0\2s\2opa\1s\1ds\3nil",  # atoms as keys
        b"\x83P\0\0\0\2\x78\x9c\x4b\x64\x04\0\0\xc5\0\x63",  # compressed
        b"\x83g",  # a process
        b"\x83t\0\0\0\1",
    ],
)
async def test_what_is_no_command_in_etf_is_a_decode_error(server: Server, message: bytes) -> None:
    async with connect(server.url, encoding="etf") as it:
        await it.send_text(message)
        assert (await it.until_closed()).code == 4002


async def test_a_term_that_is_too_large_is_refused(server: Server) -> None:
    async with connect(server.url, encoding="etf") as it:
        await it.send(1, "x" * 4096)
        assert (await it.until_closed()).code == 4002


# --- payload compression ---------------------------------------------------------------------------------------------


async def test_large_payloads_are_compressed_for_who_asks_in_identify(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    async with gateway(server.url, bot.token, payload_compress=True) as it:
        before = it.compressed
        await hears(it, owner, guild.general, ["short"])
        assert it.compressed == before, "not worth it"
        await hears(it, owner, guild.general, [f"long {'漢' * 1990}"])
        assert it.compressed == before + 1
        await it.heartbeat()


@pytest.mark.parametrize("asked", [None, False, "zlib-stream"])
async def test_who_does_not_ask_gets_text(
    server: Server, owner: User, guild: Guild, bot: User, asked: bool | str | None
) -> None:
    async with gateway(server.url, bot.token, payload_compress=asked) as it:
        await hears(it, owner, guild.general, [f"long {'漢' * 1990}"])
        assert it.compressed == 0


@pytest.mark.parametrize(("encoding", "compress"), [("json", "zlib-stream"), ("json", "zstd-stream"), ("etf", None)])
async def test_payload_compression_is_ignored_where_it_does_not_belong(
    server: Server, owner: User, guild: Guild, bot: User, encoding: str, compress: str | None
) -> None:
    async with gateway(server.url, bot.token, encoding=encoding, compress=compress, payload_compress=True) as it:
        await hears(it, owner, guild.general, [f"long {'漢' * 1990}"])
