"""The one part of search in which the databases differ."""

from chatd.store.db import Param, Tx

_TABLES = ("search_messages", "search_terms", "search_words", "search_stale")
_CONTAINS = {"sqlite": "INSTR(s.text, ?) > 0", "postgres": "STRPOS(s.text, ?) > 0"}
_POSTGRES_STEERING = (
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),"
    " set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)"
)


def steer(tx: Tx) -> None:
    """Have PostgreSQL look candidates up one by one, instead of reading whole tables, and plan each search anew; it
    compiles none, which would take longer than any search.
    """
    if tx.dialect == "postgres":
        tx.scalar(_POSTGRES_STEERING)


def ordered(tx: Tx, column: str, direction: str) -> str:
    """Keeps rows in the order that they are read in. SQLite does so by itself, and would sort them if asked."""
    return f"ORDER BY {column} {direction}" if tx.dialect == "postgres" else ""


def for_each(tx: Tx, sql: str, values: tuple[int, ...], params: tuple[Param, ...]) -> tuple[str, tuple[Param, ...]]:
    """The rows of a query for each of the values, which is its first parameter. Returns SQL and its parameters.

    PostgreSQL plans a UNION ALL of fifty queries for 2 ms; SQLite knows no LATERAL.
    """
    if tx.dialect == "sqlite":
        union = " UNION ALL ".join([f"SELECT * FROM ({sql})"] * len(values))
        return union, tuple(param for value in values for param in (value, *params))
    rows = ", ".join(["(CAST(? AS BIGINT))"] * len(values))
    lateral = sql.replace("?", "column1", 1)
    return f"SELECT i.* FROM (VALUES {rows}) v CROSS JOIN LATERAL ({lateral}) i", (*values, *params)


def contains(tx: Tx) -> str:
    """The condition that a text has the word that is its parameter."""
    return _CONTAINS[tx.dialect]


def empty(tx: Tx) -> None:
    """Forget all rows of search, in a moment however many they are."""
    if tx.dialect == "postgres":
        tx.run(f"TRUNCATE {', '.join(_TABLES)}")
        return
    for table in _TABLES:
        tx.run(f"DELETE FROM {table}")
