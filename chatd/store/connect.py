"""From a database's URL to a connection."""

from importlib import import_module

from chatd.store.db import Connection, StoreFailed

# Modules by name, so that psycopg is needed, and its import paid for, only where PostgreSQL is used.
_ADAPTERS = {
    "sqlite": "chatd.store.sqlite",
    "postgres": "chatd.store.postgres",
    "postgresql": "chatd.store.postgres",
}


def connect(url: str, *, readonly: bool = False, claim: bool = False) -> Connection:
    """Open `postgres://...`, `postgresql://...`, `sqlite://PATH` or a plain path. Raises StoreFailed, ValueError.

    With `claim` no other process may have a connection with it: raises Taken, after a few seconds in which it may end.
    For SQLite that is the business of who locks the file's directory.
    """
    scheme = url.partition("://")[0] if "://" in url else "sqlite"
    if scheme not in _ADAPTERS:
        raise ValueError(f"unknown kind of database: {scheme}")
    try:
        adapter = import_module(_ADAPTERS[scheme])
    except ModuleNotFoundError as error:
        raise StoreFailed("PostgreSQL needs psycopg: pip install 'chatd[postgres]'") from error
    connection: Connection = adapter.connect(url, readonly, claim)
    return connection
