from chatd.model.objects.user import User
from chatd.model.wire import Snowflake
from chatd.service.actors import Actor, Actors


def actor(user_id: int, token: str, login_id: int | None = None, expires_ms: int | None = None) -> Actor:
    user = User(id=Snowflake(user_id), username=f"user{user_id}", discriminator="0")
    return Actor(user, token, login_id=login_id, expires_ms=expires_ms)


def test_an_actor_is_known_by_its_token() -> None:
    actors = Actors()
    added = actor(1, "a")
    actors.add(added)
    assert actors.get("a", now_ms=0) is added
    assert actors.get("b", now_ms=0) is None


def test_only_an_actor_with_application_flags_is_a_bot() -> None:
    assert not actor(1, "a").is_bot
    assert Actor(actor(1, "a").user, "a", application_flags=0).is_bot


def test_an_actor_ends_with_its_token() -> None:
    actors = Actors()
    actors.add(actor(1, "a", expires_ms=100))
    assert actors.get("a", now_ms=99) is not None
    assert actors.get("a", now_ms=100) is None
    assert actors.of_user(1) == []


def test_the_least_recently_used_falls_out() -> None:
    actors = Actors(capacity=2)
    actors.add(actor(1, "a"))
    actors.add(actor(2, "b"))
    actors.get("a", now_ms=0)
    actors.add(actor(3, "c"))
    assert actors.get("b", now_ms=0) is None
    assert actors.of_user(2) == []
    assert actors.get("a", now_ms=0) is not None
    assert actors.get("c", now_ms=0) is not None


def test_adding_the_same_token_again_replaces_its_actor() -> None:
    actors = Actors(capacity=2)
    again = actor(1, "a")
    actors.add(actor(1, "a"))
    actors.add(again)
    assert actors.of_user(1) == [again]


def test_forgetting_a_user_leaves_the_others() -> None:
    actors = Actors()
    for each in (actor(1, "a"), actor(1, "b"), actor(2, "c")):
        actors.add(each)
    actors.forget_user(1)
    assert actors.of_user(1) == []
    assert [each.token for each in actors.of_user(2)] == ["c"]


def test_forgetting_a_login_leaves_the_users_other_logins() -> None:
    actors = Actors()
    for each in (actor(1, "a", login_id=10), actor(1, "b", login_id=10), actor(1, "c", login_id=11)):
        actors.add(each)
    actors.forget_login(1, 10)
    assert [each.token for each in actors.of_user(1)] == ["c"]


def test_forgetting_nobody_is_no_error() -> None:
    actors = Actors()
    actors.forget_user(1)
    actors.forget_login(1, 10)
