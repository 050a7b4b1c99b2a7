"""Servers with millions of messages: made once, past the API, and kept in CACHE for the next run.

The first of ten channels has a fifth of all messages. Texts are words of an invented language, of which some are as
common and most as rare as in any; one message in twenty is in Chinese characters instead, one in fifty has a link, one
in a hundred mentions somebody.
"""

import contextlib
import itertools
import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from bench import postgres, servers, world
from bench.progress import Progress
from bench.servers import SCRATCH, Server
from chatd.model.objects.message import MessageExtra
from chatd.model.wire import Snowflake, decoder
from chatd.service.search_facets import REVISION, Document
from chatd.service.search_index import entry
from chatd.store import search_index
from chatd.store.connect import connect
from chatd.store.db import Connection, Row
from chatd.store.rows import to_text
from chatd.store.search_index import Source

CACHE = Path(SCRATCH, "chatd-bench-cache")
FORMAT = 3  # of what is made here
CHANNELS, AUTHORS = 10, 20
LARGE_SHARE = 0.2  # of all messages, in the first channel
BATCH = 20_000
SPACING = 1 << 34  # between two ids: 4 s
VOCABULARY = 50_000
# About as many different trigrams as English has.
_ONSETS = ("", *"bcdfghjklmnprstvwyz", *(a + b for a in "bcfgps" for b in "lr"), "ch", "sh", "st", "th")
_VOWELS = (*"aeiouy", "ai", "ea", "ee", "ie", "oo", "ou")
_CODAS = ("", "", "", *"dklmnprst", *(a + b for a in "lnrs" for b in "dkst"))
HOSTS = 200

# While rows are written in bulk. What a crash leaves behind is not used: the description is missing.
_FAST = {
    "sqlite": "PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000",
    "postgres": "SET synchronous_commit = off; SET statement_timeout = 0; SET maintenance_work_mem = '1GB';"
    " SET session_replication_role = replica",  # no look at what a row refers to
}
_extra = decoder(MessageExtra)
_TABLES = ("messages", "search_messages", "search_terms")
_COLUMNS = ("id", "channel_id", "author_id", "type", "flags", "content", "edited_ms", "nonce", "extra")


class Archive(Struct):
    """What is in it, as far as a scenario has to know."""

    guild: str
    channels: list[str]  # the first is the large one
    authors: list[str]
    token: str
    oldest: int
    newest: int


class _Index(Row):
    name: str
    definition: str


class Language:
    """Texts, by chance, but always the same ones."""

    def __init__(self) -> None:
        chance = random.Random(1)
        syllables = ["".join(sounds) for sounds in itertools.product(_ONSETS, _VOWELS, _CODAS)]
        lengths = chance.choices((1, 1, 2, 2, 2, 3), k=VOCABULARY)
        self.words = ["".join(chance.choices(syllables, k=length)) for length in lengths]
        self.characters = [chr(0x4E00 + number) for number in range(2_000)]
        self._words = list(itertools.accumulate(1 / (rank + 5) for rank in range(VOCABULARY)))
        self._characters = list(itertools.accumulate(1 / (rank + 20) for rank in range(len(self.characters))))

    def text(self, chance: random.Random) -> str:
        if chance.random() < 0.05:
            return "".join(chance.choices(self.characters, cum_weights=self._characters, k=chance.randint(4, 40)))
        text = " ".join(chance.choices(self.words, cum_weights=self._words, k=chance.randint(3, 16)))
        return f"{text} https://host{chance.randrange(HOSTS)}.example/{text[:4]}" if chance.random() < 0.02 else text


@contextlib.contextmanager
def serving(database: str, messages: int, progress: Progress) -> Iterator[tuple[Server, Archive]]:
    """A server on so many messages, made first where they are not kept already."""
    folder = CACHE / f"{database}-{messages}-{FORMAT}.{REVISION}"
    description = folder / "archive.json"
    if not description.exists():
        for outdated in CACHE.glob(f"{database}-{messages}-*"):
            shutil.rmtree(outdated)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # PostgreSQL runs as another user
    with contextlib.ExitStack() as stack:
        data = folder / "data"
        url = f"sqlite://{data / 'chatd.sqlite'}"
        if database == "postgres":
            url = stack.enter_context(postgres.running(folder / "postgres"))
        options = ["--database", url]
        if not description.exists():
            with servers.chatd(data, options=options) as server:
                archive = _people(server)
            with contextlib.closing(connect(url)) as connection:
                _fill(connection, archive, messages, progress)
            description.write_bytes(msgspec.json.encode(archive))
        archive = msgspec.json.decode(description.read_bytes(), type=Archive)
        yield stack.enter_context(servers.chatd(data, options=options)), archive


def _people(server: Server) -> Archive:
    here = world.open_world(server)
    guild = here.guild(channels=CHANNELS, bots=AUTHORS)
    members = here.api.call("GET", f"/guilds/{guild.id}/members?limit=1000")
    authors = [member["user"]["id"] for member in members if member["user"].get("bot")]
    return Archive(guild.id, guild.channels, authors, guild.bots[0], 0, 0)


def _fill(connection: Connection, archive: Archive, count: int, progress: Progress) -> None:
    connection.script(_FAST[connection.dialect])
    later = [*_without_indexes(connection), *_unsorted(connection)]
    archive.newest = int(archive.guild)  # older than everything that the server makes from now on
    archive.oldest = archive.newest - (count - 1) * SPACING
    sources = _sources(archive, count)
    for done in range(0, count, BATCH):
        progress.show(f"making an archive on {connection.dialect}: {done:,}/{count:,}")
        batch = list(itertools.islice(sources, BATCH))
        connection.begin()
        rows = [(it.id, it.channel_id, it.author_id, 0, 0, it.content, None, None, it.extra) for it in batch]
        connection.insert_many("messages", _COLUMNS, rows)
        entries = [entry(Document(it, _extra.decode(it.extra), 0)) for it in batch]
        search_index.advance(connection, entries, batch[-1].id)
        connection.commit()
        connection.maintain()
    for statement in later:
        progress.show(f"making an archive on {connection.dialect}: {statement}")
        connection.script(statement)


def _sources(archive: Archive, count: int) -> Iterator[Source]:
    """Messages as a server would have them that indexes them, oldest first."""
    chance, language = random.Random(2), Language()
    guild_id = int(archive.guild)
    large, *channels = map(int, archive.channels)
    authors = list(map(int, archive.authors))
    for number in range(count):
        channel_id = large if chance.random() < LARGE_SHARE else chance.choice(channels)
        extra = "{}"
        if chance.random() < 0.01:
            extra = to_text(MessageExtra(mentions=(Snowflake(chance.choice(authors)),)))
        id_, author_id = archive.oldest + number * SPACING, chance.choice(authors)
        yield Source(id_, channel_id, guild_id, channel_id, author_id, 1, 0, language.text(chance), extra, None)


def _without_indexes(connection: Connection) -> Sequence[str]:
    """Drop what PostgreSQL builds faster when all rows are there; the statements that do so. SQLite gains nothing."""
    if connection.dialect == "sqlite":
        return []
    sql = "SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE tablename IN (?, ?, ?)"
    found = [it for it in connection.rows(_Index, sql, *_TABLES) if not it.name.endswith("_pkey")]
    for it in found:
        connection.script(f"DROP INDEX {it.name}")
    return [it.definition for it in found]


def _unsorted(connection: Connection) -> Sequence[str]:
    """Write terms as they come; the statements that sort them at last. Each of a message's has a place of its own."""
    if connection.dialect == "postgres":
        connection.script("ALTER TABLE search_terms DROP CONSTRAINT search_terms_pkey")
        return ["ALTER TABLE search_terms ADD PRIMARY KEY (term, message_id)", "VACUUM ANALYZE"]
    definition = connection.scalar("SELECT sql FROM sqlite_master WHERE name = 'search_terms'")
    connection.script("DROP TABLE search_terms; CREATE TABLE search_terms (term INTEGER, message_id INTEGER)")
    return [
        "ALTER TABLE search_terms RENAME TO unsorted",
        definition,
        "INSERT INTO search_terms SELECT term, message_id FROM unsorted ORDER BY term, message_id",
        "DROP TABLE unsorted",
    ]
