"""A direct channel as it is right now: its two users and their sessions."""

from collections.abc import Callable, Iterable

from msgspec import UNSET

from chatd.live.sessions import Session
from chatd.model.objects.channel import DirectChannel
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake, timestamp


class DirectState:
    def __init__(
        self,
        id_: int,
        users: dict[int, User],
        last_message_id: int | None,
        is_blocked: bool = False,
        last_pin_ms: int | None = None,
    ) -> None:
        self.id = id_
        self.users = users
        self.last_message_id = last_message_id
        self.is_blocked = is_blocked  # by either of the two
        self.last_pin_ms = last_pin_ms

    def view(self, user_id: int) -> DirectChannel:
        """The channel as one of the two sees it."""
        return DirectChannel(
            id=Snowflake(self.id),
            type=1,
            recipients=tuple(user for user in self.users.values() if user.id != user_id),
            last_message_id=None if self.last_message_id is None else Snowflake(self.last_message_id),
            last_pin_timestamp=UNSET if self.last_pin_ms is None else timestamp(self.last_pin_ms),
        )

    def sessions(self, intent: int, of_user: Callable[[int], Iterable[Session]]) -> list[Session]:
        """Both users' with the intent; direct messages go to shard 0 only (topics/gateway, "Sharding")."""
        return [
            session
            for user_id in self.users
            for session in of_user(user_id)
            if session.shard[0] == 0 and session.intents & intent == intent
        ]
