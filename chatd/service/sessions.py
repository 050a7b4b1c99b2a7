"""What operators see of gateway sessions, and what they may do to one. Sessions' own business is in `gateway`."""

import heapq

import trio
from msgspec import UNSET

from chatd.live.sessions import Session
from chatd.model.errors import CLOSE_SESSION_TIMED_OUT, CLOSE_UNKNOWN_ERROR
from chatd.model.wire import Object, Snowflake
from chatd.service import gateway
from chatd.service.core import Core


class SessionFigures(Object, frozen=True, kw_only=True):
    """One session. Times are seconds until now; what only a connection has is null while there is none."""

    id: str
    user_id: Snowflake
    username: str
    bot: bool
    shard: tuple[int, int]  # number and count
    intents: int
    age_s: float | None  # since IDENTIFY; null: that was before the server's start
    connected: bool  # or else it waits for RESUME
    since_s: float  # connected or waiting
    seq: int
    ring: int  # events kept for RESUME
    encoding: str | None
    compression: str | None  # "" for none
    queue_bytes: int | None
    address: str | None
    heartbeat_s: float | None


def page(core: Core, after: str, limit: int, user: str | None, guild_id: int | None) -> list[SessionFigures]:
    """The next sessions by id: all, or those of a user (id or username) or that get the events of a guild."""

    def is_meant(session: Session) -> bool:
        return (
            session.id > after
            and (user is None or user in (str(session.user.id), session.user.username))
            and (guild_id is None or guild_id in session.guild_ids)
        )

    found = heapq.nsmallest(limit, filter(is_meant, core.live.sessions), key=lambda session: session.id)
    now = trio.current_time()
    return [_figures(session, now) for session in found]


def disconnect(session: Session) -> None:
    """Close its connection, if it has one; its client may RESUME."""
    if session.connection is not None:
        session.connection.close(CLOSE_UNKNOWN_ERROR.code, "Disconnected by an operator.")


def end(core: Core, session: Session) -> None:
    """Close its connection, and let nobody RESUME it."""
    if session.connection is not None:
        session.connection.close(CLOSE_SESSION_TIMED_OUT.code, "Session ended by an operator.")
    gateway.end(core, session)


def _figures(session: Session, now: float) -> SessionFigures:
    connection = session.connection and session.connection.figures()
    return SessionFigures(
        id=session.id,
        user_id=session.user.id,
        username=session.user.username,
        bot=session.user.bot is not UNSET and session.user.bot,
        shard=session.shard,
        intents=session.intents,
        age_s=None if session.identified_at is None else _seconds(now - session.identified_at),
        connected=connection is not None,
        since_s=_seconds(now - (connection.connected_at if connection else session.detached_at)),
        seq=session.seq,
        ring=len(session.ring),
        encoding=connection.encoding if connection else None,
        compression=connection.compression if connection else None,
        queue_bytes=connection.waiting_bytes if connection else None,
        address=connection.address if connection else None,
        heartbeat_s=_seconds(now - connection.beat_at) if connection else None,
    )


def _seconds(duration_s: float) -> float:
    return round(duration_s, 1)
