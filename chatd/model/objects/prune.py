"""Pruning a guild of its inactive members (resources/guild)."""

from typing import Annotated, Literal

from msgspec import Meta

from chatd.model import limits
from chatd.model.wire import Object, Params, Snowflake

Days = Annotated[int, Meta(ge=limits.PRUNE_DAYS[0], le=limits.PRUNE_DAYS[1])]


class PruneQuery(Params, kw_only=True):
    """Get Guild Prune Count. The roles are separated by commas, or the key is repeated."""

    days: Days = 7
    include_roles: Annotated[list[str], Meta(max_length=100)] = []


class PruneParams(Params, kw_only=True):
    """Begin Guild Prune. `reason` is the older way to send X-Audit-Log-Reason."""

    days: Days | None = None
    compute_prune_count: bool | Literal["true", "false"] | None = None  # discord.py sends it as text
    include_roles: Annotated[list[Snowflake], Meta(max_length=100)] | str | None = None
    reason: Annotated[str, Meta(max_length=limits.AUDIT_REASON_LENGTH)] | None = None


class PruneResult(Object, frozen=True, kw_only=True):
    pruned: int | None
