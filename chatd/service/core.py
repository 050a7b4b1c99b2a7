"""What every service function is given first: the server's parts. The second argument, `me`, is an `Actor`."""

from collections.abc import Callable
from dataclasses import dataclass

from chatd.config import Config
from chatd.live.state import Live
from chatd.model.ratelimit import Limiter
from chatd.model.snowflake import SnowflakeGenerator
from chatd.service.actors import Actors
from chatd.service.links import Links
from chatd.service.nonces import Nonces
from chatd.service.passwords import Passwords
from chatd.service.renditions import Renditions
from chatd.service.search_index import SearchIndex
from chatd.service.unfurls import Unfurls
from chatd.store.blobs import Blobs
from chatd.store.db import Database


@dataclass(frozen=True, slots=True)
class Core:
    config: Config
    db: Database
    live: Live
    ids: SnowflakeGenerator
    limiter: Limiter
    actors: Actors
    passwords: Passwords
    blobs: Blobs
    renditions: Renditions
    links: Links
    nonces: Nonces
    search_index: SearchIndex
    unfurls: Unfurls | None  # None: links stay plain
    jwt_key: bytes
    clock_ms: Callable[[], int]  # Unix time
