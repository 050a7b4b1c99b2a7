"""Who asks: the `Actor` behind a token, remembered so that an authenticated request reads nothing from the database."""

from collections import OrderedDict
from dataclasses import dataclass

from chatd.model.objects.user import User

# About 30 MB when full. A token that falls out is looked up in the database the next time it is used.
CAPACITY = 50_000


@dataclass(slots=True)
class Actor:
    """A user as authenticated by one token.

    `user` is replaced when the profile changes. For a bot, `application_flags` are its application's; for a person,
    `login_id` is the login whose access token was shown and `expires_ms` the end of that token.
    """

    user: User
    token: str
    application_flags: int | None = None
    login_id: int | None = None
    expires_ms: int | None = None

    @property
    def id(self) -> int:
        return self.user.id

    @property
    def is_bot(self) -> bool:
        return self.application_flags is not None


class Actors:
    """Token -> Actor, the most recently used `CAPACITY` of them. Whatever ends a token's life must forget it here."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._by_token: OrderedDict[str, Actor] = OrderedDict()
        self._tokens_of: dict[int, set[str]] = {}

    def get(self, token: str, now_ms: int) -> Actor | None:
        actor = self._by_token.get(token)
        if actor is None:
            return None
        if actor.expires_ms is not None and actor.expires_ms <= now_ms:
            self._drop(token)
            return None
        self._by_token.move_to_end(token)
        return actor

    def add(self, actor: Actor) -> None:
        self._by_token[actor.token] = actor
        self._tokens_of.setdefault(actor.id, set()).add(actor.token)
        if len(self._by_token) > self._capacity:
            self._drop(next(iter(self._by_token)))

    def of_user(self, user_id: int) -> list[Actor]:
        return [self._by_token[token] for token in self._tokens_of.get(user_id, ())]

    def forget_user(self, user_id: int) -> None:
        """After a reset of the bot's token, or when the account is disabled."""
        for token in tuple(self._tokens_of.get(user_id, ())):
            self._drop(token)

    def forget_login(self, user_id: int, login_id: int) -> None:
        """After a logout, or when a refresh token was used twice."""
        for actor in self.of_user(user_id):
            if actor.login_id == login_id:
                self._drop(actor.token)

    def _drop(self, token: str) -> None:
        user_id = self._by_token.pop(token).id
        tokens = self._tokens_of[user_id]
        tokens.discard(token)
        if not tokens:
            del self._tokens_of[user_id]
