"""Who is interested in scheduled events (resources/guild-scheduled-event, "Guild Scheduled Event User Object")."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model.objects.guild import Member
from chatd.model.objects.user import User
from chatd.model.wire import Object, Params, Snowflake


class ScheduledEventUser(Object, frozen=True, kw_only=True):
    """Somebody who is interested in an event."""

    guild_scheduled_event_id: Snowflake
    user_id: Snowflake
    user: User
    member: Member | UnsetType = UNSET
    response: int = 1  # interested: who is not has no such object


class ScheduledEventInterest(Object, frozen=True, kw_only=True):
    """GUILD_SCHEDULED_EVENT_USER_ADD and GUILD_SCHEDULED_EVENT_USER_REMOVE."""

    guild_scheduled_event_id: Snowflake
    user_id: Snowflake
    guild_id: Snowflake


class ScheduledEventUsersQuery(Params, kw_only=True):
    """Get Guild Scheduled Event Users: `before` goes before `after`."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 100
    with_member: bool = False
    before: Snowflake | UnsetType = UNSET
    after: Snowflake | UnsetType = UNSET
