"""Accounts, tokens, applications and profiles, through the service functions on a real database."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
import trio

from chatd.live.directs import DirectState
from chatd.model.errors import ApiError
from chatd.model.objects.account import Login, Refresh, Register, TokenPair
from chatd.model.objects.application import NEW_APPLICATION_FLAGS, ApplicationCreate, ApplicationFlags, ApplicationPatch
from chatd.model.objects.guild import GuildCreateParams
from chatd.model.objects.user import CurrentUserPatch
from chatd.model.wire import Snowflake
from chatd.service import accounts, applications, auth, guild_creation, users
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import accounts as account_store
from chatd.store import applications as application_store
from chatd.store.db import Database, Tx
from tests.support.core import Clock, connect, open_core
from tests.support.databases import empty

PASSWORD = "correct horse"
UNAUTHORIZED = (401, 0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """ "" stands for a file in `tmp_path`."""
    with empty(request.param) as (_, url):
        yield url


@pytest.fixture
async def core(tmp_path: Path, clock: Clock, database_url: str) -> AsyncIterator[Core]:
    async with open_core(tmp_path, clock, database={"url": database_url}) as core:
        yield core


async def refusal(call: Awaitable[object]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value


async def refused(call: Awaitable[object]) -> tuple[int, int]:
    """Status and code of the error that the call raises."""
    error = await refusal(call)
    return error.status, error.code


def codes(error: ApiError) -> dict[str, Any]:
    assert (error.status, error.code) == (400, 50035)
    return {field: node["_errors"][0]["code"] for field, node in (error.errors or {}).items()}


async def register(core: Core, name: str = "alice", email: str | None = None) -> TokenPair:
    return await accounts.register(core, Register(username=name, password=PASSWORD, email=email))


async def person(core: Core, name: str = "alice") -> Actor:
    return await auth.authenticate(core, (await register(core, name)).access_token)


async def bot(core: Core, owner: Actor, name: str = "helper") -> Actor:
    made = await applications.create(core, owner, ApplicationCreate(name=name))
    token = await applications.reset_token(core, owner, made.id)
    return await auth.authenticate(core, f"Bot {token.token}")


# --- register ------------------------------------------------------------------------------------------------------


async def test_register_logs_in(core: Core) -> None:
    pair = await register(core, "Alice.B_1", "Alice@Example.org")
    assert (pair.user.username, pair.user.email, pair.user.discriminator) == ("alice.b_1", "alice@example.org", "0")
    assert pair.expires_in == 900
    me = await auth.authenticate(core, f"Bearer {pair.access_token}")
    assert me.id == pair.user.id
    assert not me.is_bot


@pytest.mark.parametrize(
    ("name", "email", "expected"),
    [
        ("ALICE", None, {"username": "USERNAME_ALREADY_TAKEN"}),
        ("bob", "ALICE@example.org", {"email": "EMAIL_ALREADY_REGISTERED"}),
        (
            "alice",
            "alice@example.org",
            {"username": "USERNAME_ALREADY_TAKEN", "email": "EMAIL_ALREADY_REGISTERED"},
        ),
        ("al ice", None, {"username": "STRING_TYPE_REGEX"}),
        ("älice", None, {"username": "STRING_TYPE_REGEX"}),
        ("alice\n", None, {"username": "STRING_TYPE_REGEX"}),
        ("bob", "no address", {"email": "EMAIL_TYPE_INVALID_EMAIL"}),
        ("bob", "a@b@c", {"email": "EMAIL_TYPE_INVALID_EMAIL"}),
    ],
)
async def test_register_says_what_is_wrong_and_makes_nothing(
    core: Core, name: str, email: str | None, expected: dict[str, str]
) -> None:
    await register(core, "alice", "alice@example.org")
    assert codes(await refusal(register(core, name, email))) == expected
    assert [row.username for row in await core.db.read(account_store.list_users, 0, 10)] == ["alice"]


async def test_of_many_who_want_a_name_one_gets_it(core: Core) -> None:
    outcomes: list[str] = []

    async def try_it() -> None:
        try:
            outcomes.append((await register(core)).user.username)
        except ApiError as error:
            outcomes.append(codes(error)["username"])

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(try_it)
    assert sorted(outcomes) == ["USERNAME_ALREADY_TAKEN"] * 7 + ["alice"]


async def test_registration_can_be_closed(tmp_path: Path) -> None:
    async with open_core(tmp_path, accounts={"registration": "closed"}) as core:
        assert await refused(register(core)) == (403, 0)


# --- login ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "named",
    [{"login": "ALICE"}, {"username": "alice"}, {"email": "alice@example.org"}, {"login": "Alice@Example.org"}],
)
async def test_login_by_name_or_address(core: Core, named: dict[str, str]) -> None:
    registered = await register(core, "alice", "alice@example.org")
    pair = await accounts.login(core, Login(password=PASSWORD, **named))
    assert pair.user == registered.user
    assert (await auth.authenticate(core, pair.access_token)).id == registered.user.id


async def test_login_does_not_tell_who_has_an_account(core: Core) -> None:
    me = await person(core)
    await bot(core, me, "helper")
    await register(core, "gone")
    gone = await core.db.read(account_store.find_login, "gone")
    assert gone is not None
    await core.db.write(account_store.set_disabled, gone.id, True)
    for name, password in [("alice", "wrong"), ("nobody", PASSWORD), ("helper", PASSWORD), ("gone", PASSWORD)]:
        error = await refusal(accounts.login(core, Login(login=name, password=password)))
        assert codes(error) == {"login": "INVALID_LOGIN", "password": "INVALID_LOGIN"}


async def test_login_needs_a_name(core: Core) -> None:
    assert codes(await refusal(accounts.login(core, Login(password=PASSWORD)))) == {"login": "BASE_TYPE_REQUIRED"}


@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_guessing_is_limited_for_each_name(core: Core, clock: Clock, name: str) -> None:
    await register(core, "alice")
    for _ in range(10):
        assert await refused(accounts.login(core, Login(login=name, password="wrong"))) == (400, 50035)
    assert await refused(accounts.login(core, Login(login=name.upper(), password=PASSWORD))) == (429, 0)
    clock.advance(301)
    assert await refused(accounts.login(core, Login(login=name, password="wrong"))) == (400, 50035)


async def test_a_login_that_succeeds_starts_the_count_afresh(core: Core) -> None:
    await register(core)
    for _ in range(3):
        for _ in range(9):
            await refused(accounts.login(core, Login(login="alice", password="wrong")))
        await accounts.login(core, Login(login="alice", password=PASSWORD))


async def test_guessing_is_not_limited_without_rate_limits(tmp_path: Path) -> None:
    async with open_core(tmp_path, limits={"rate_limits": False}) as core:
        for _ in range(12):
            assert await refused(accounts.login(core, Login(login="alice", password="wrong"))) == (400, 50035)


async def test_login_renews_a_hash_of_other_parameters(tmp_path: Path, clock: Clock) -> None:
    async with open_core(tmp_path, clock) as core:
        await register(core)
    clock.advance(1)
    async with open_core(tmp_path, clock, accounts={"argon2_memory_kib": 128}) as core:
        for _ in range(2):
            await accounts.login(core, Login(login="alice", password=PASSWORD))
            found = await core.db.read(account_store.find_login, "alice")
            assert found is not None
            assert "$m=128,t=1,p=1$" in (found.hash or "")


# --- access tokens -------------------------------------------------------------------------------------------------


async def test_a_token_is_good_with_its_own_scheme_only(core: Core) -> None:
    pair = await register(core)
    owner = await auth.authenticate(core, pair.access_token)
    made = await applications.create(core, owner, ApplicationCreate(name="helper"))
    token = (await applications.reset_token(core, owner, made.id)).token
    for good in (pair.access_token, f"Bearer {pair.access_token}", f"bearer {pair.access_token}"):
        assert await auth.authenticate(core, good) is owner
    assert (await auth.authenticate(core, f"Bot {token}")).application_flags == NEW_APPLICATION_FLAGS
    for bad in (f"Bot {pair.access_token}", f"Bearer {token}", token, f"Basic {token}", f"Basic {pair.access_token}"):
        assert await refused(auth.authenticate(core, bad)) == UNAUTHORIZED
    for good in (token, f"Bot {token}", pair.access_token, f"Bearer {pair.access_token}"):
        assert (await auth.authenticate_token(core, good)).token in (token, pair.access_token)
    assert await refused(auth.authenticate_token(core, f"Bearer {token}")) == UNAUTHORIZED


@pytest.mark.parametrize(
    "header", [None, "", " ", "Bot", "Bot ", "Bot é", "eyJ", "eyJé.a.b", "Bearer x", "a b c", "eyJ.." * 9]
)
async def test_rubbish_is_unauthorized(core: Core, header: str | None) -> None:
    assert await refused(auth.authenticate(core, header)) == UNAUTHORIZED
    assert await refused(auth.authenticate_token(core, header or "")) == UNAUTHORIZED


async def test_an_access_token_expires_by_the_servers_clock(core: Core, clock: Clock) -> None:
    token = (await register(core)).access_token
    await auth.authenticate(core, token)
    clock.advance(899)
    await auth.authenticate(core, token)
    clock.advance(1)
    assert await refused(auth.authenticate(core, token)) == UNAUTHORIZED


@pytest.mark.parametrize(
    "change",
    [{"typ": "refresh"}, {"typ": None}, {"sid": None}, {"exp": None}, {"iat": None}, {"sub": "1"}, {"sid": "1"}],
)
async def test_a_token_with_other_claims_is_none(core: Core, change: dict[str, str | None]) -> None:
    claims = jwt.decode((await register(core)).access_token, options={"verify_signature": False})
    claims = {name: value for name, value in {**claims, **change}.items() if value is not None}
    token = jwt.encode(claims, core.jwt_key, "HS256")
    assert await refused(auth.authenticate(core, token)) == UNAUTHORIZED


async def test_a_token_that_others_signed_is_none(core: Core) -> None:
    claims = jwt.decode((await register(core)).access_token, options={"verify_signature": False})
    for key, algorithm in ((bytes(32), "HS256"), (bytes(64), "HS512"), (None, "none")):
        assert await refused(auth.authenticate(core, jwt.encode(claims, key, algorithm))) == UNAUTHORIZED
    assert await refused(auth.authenticate(core, jwt.encode(claims, core.jwt_key * 2, "HS512"))) == UNAUTHORIZED


async def test_a_refresh_token_does_not_open_the_api(core: Core) -> None:
    pair = await register(core)
    for scheme in ("", "Bearer ", "Bot "):
        assert await refused(auth.authenticate(core, scheme + pair.refresh_token)) == UNAUTHORIZED


async def test_an_access_token_outlives_a_restart(tmp_path: Path) -> None:
    async with open_core(tmp_path) as core:
        pair = await register(core)
    async with open_core(tmp_path) as core:
        assert (await auth.authenticate(core, pair.access_token)).id == pair.user.id


class HeldReads:
    """A database whose reads are done at once and answered later."""

    def __init__(self, db: Database) -> None:
        self.write = db.write
        self._db = db
        self.done = trio.Event()
        self.answer = trio.Event()

    async def read(self, fn: Callable[..., Any], *args: Any) -> Any:
        result = await self._db.read(fn, *args)
        self.done.set()
        await self.answer.wait()
        return result


async def test_a_login_that_is_revoked_during_the_look_up_is_not_remembered(core: Core) -> None:
    pair = await register(core)
    me = await auth.authenticate(core, pair.access_token)
    core.actors.forget_user(me.id)
    held = HeldReads(core.db)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(refused, auth.authenticate(replace(core, db=held), pair.access_token))
        await held.done.wait()
        await accounts.logout(core, me)
        held.answer.set()
    assert core.actors.of_user(me.id) == []


# --- refresh and logout --------------------------------------------------------------------------------------------


async def test_refresh_rotates(core: Core, clock: Clock) -> None:
    first = await register(core)
    clock.advance(60)
    second = await accounts.refresh(core, Refresh(refresh_token=first.refresh_token))
    assert second.user == first.user
    assert second.refresh_token != first.refresh_token
    for pair in (first, second):
        assert (await auth.authenticate(core, pair.access_token)).id == first.user.id
    clock.advance(60)
    await accounts.refresh(core, Refresh(refresh_token=second.refresh_token))


async def test_a_refresh_token_used_twice_revokes_the_whole_login(core: Core, clock: Clock) -> None:
    first = await register(core)
    other = await accounts.login(core, Login(login="alice", password=PASSWORD))
    second = await accounts.refresh(core, Refresh(refresh_token=first.refresh_token))
    session = connect(core, await auth.authenticate(core, second.access_token))
    other_session = connect(core, await auth.authenticate(core, other.access_token))
    clock.advance(11)
    for token in (first.refresh_token, second.refresh_token, first.refresh_token):
        assert await refused(accounts.refresh(core, Refresh(refresh_token=token))) == UNAUTHORIZED
    for token in (first.access_token, second.access_token):
        assert await refused(auth.authenticate(core, token)) == UNAUTHORIZED
    assert session.connection.closed == (4004, "Authentication failed.")
    await auth.authenticate(core, other.access_token)
    assert other_session.connection.closed is None


async def test_a_client_whose_answer_was_lost_may_refresh_again_at_once(core: Core, clock: Clock) -> None:
    lost = await register(core)
    pairs = []
    for _ in range(2):
        pairs.append(await accounts.refresh(core, Refresh(refresh_token=lost.refresh_token)))
        clock.advance(9)
    for pair in pairs:
        await auth.authenticate(core, pair.access_token)
        await accounts.refresh(core, Refresh(refresh_token=pair.refresh_token))


async def test_a_refresh_token_expires_and_each_refresh_prolongs_the_login(core: Core, clock: Clock) -> None:
    days_6, days_7 = 6 * 86400, 7 * 86400
    pair = await register(core)
    for _ in range(3):
        clock.advance(days_6)
        pair = await accounts.refresh(core, Refresh(refresh_token=pair.refresh_token))
    clock.advance(days_7)
    assert await refused(accounts.refresh(core, Refresh(refresh_token=pair.refresh_token))) == UNAUTHORIZED
    assert await core.db.write(account_store.delete_expired_logins, clock()) == 1
    assert await core.db.read(_count, "refresh_tokens") == 0


async def test_tokens_that_were_used_long_ago_are_forgotten(core: Core, clock: Clock) -> None:
    pair = await register(core)
    for _ in range(30):
        clock.advance(86400)
        pair = await accounts.refresh(core, Refresh(refresh_token=pair.refresh_token))
    assert await core.db.read(_count, "refresh_tokens") <= 9


async def test_an_unknown_refresh_token_is_unauthorized(core: Core) -> None:
    assert await refused(accounts.refresh(core, Refresh(refresh_token="x"))) == UNAUTHORIZED


async def test_logout_ends_this_login_and_no_other(core: Core) -> None:
    first = await register(core)
    second = await accounts.login(core, Login(login="alice", password=PASSWORD))
    me = await auth.authenticate(core, first.access_token)
    session = connect(core, me)
    await accounts.logout(core, me)
    assert session.connection.closed == (4004, "Authentication failed.")
    assert await refused(auth.authenticate(core, first.access_token)) == UNAUTHORIZED
    assert await refused(accounts.refresh(core, Refresh(refresh_token=first.refresh_token))) == UNAUTHORIZED
    await auth.authenticate(core, second.access_token)


async def test_a_disabled_account_has_no_valid_tokens(core: Core) -> None:
    pair = await register(core)
    assert await core.db.write(account_store.set_disabled, pair.user.id, True)
    assert not await core.db.write(account_store.set_disabled, 1, True)
    assert await refused(auth.authenticate(core, pair.access_token)) == UNAUTHORIZED
    assert await refused(accounts.refresh(core, Refresh(refresh_token=pair.refresh_token))) == UNAUTHORIZED
    await core.db.write(account_store.set_disabled, pair.user.id, False)
    assert await refused(auth.authenticate(core, pair.access_token)) == UNAUTHORIZED
    await accounts.login(core, Login(login="alice", password=PASSWORD))


async def test_no_token_is_stored_in_the_clear(tmp_path: Path) -> None:
    async with open_core(tmp_path) as core:
        pair = await register(core)
        owner = await auth.authenticate(core, pair.access_token)
        token = (await bot(core, owner)).token
    stored = await trio.to_thread.run_sync(
        lambda: b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    )
    assert b"alice" in stored
    for secret in (pair.access_token, pair.refresh_token, token, PASSWORD):
        assert secret.encode() not in stored


def _count(tx: Tx, table: str) -> int:
    found: int = tx.scalar(f"SELECT COUNT(*) FROM {table}")
    return found


# --- applications --------------------------------------------------------------------------------------------------


async def test_a_new_application_has_a_bot_and_all_intents(core: Core) -> None:
    owner = await person(core)
    made = await applications.create(core, owner, ApplicationCreate(name="Helper", description="helps"))
    assert (made.name, made.description, made.owner.id) == ("Helper", "helps", owner.id)
    assert (made.bot.id, made.bot.username, made.bot.bot) == (made.id, "Helper", True)
    assert len(made.bot.discriminator) == 4
    assert (made.flags, made.flags_new) == (NEW_APPLICATION_FLAGS, str(NEW_APPLICATION_FLAGS))
    assert len(bytes.fromhex(made.verify_key)) == 32
    assert made.approximate_guild_count == 0
    assert await applications.mine(core, owner) == [made]
    assert await applications.show(core, owner, made.id) == made


async def test_a_bots_token_begins_with_its_id(core: Core) -> None:
    me = await bot(core, await person(core))
    first, middle, last = me.token.split(".")
    assert base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)) == b"%d" % me.id
    assert len(middle) == 6
    assert len(last) >= 27


async def test_a_reset_ends_the_old_token_everywhere(core: Core) -> None:
    owner = await person(core)
    old = await bot(core, owner)
    session = connect(core, old)
    token = await applications.reset_token(core, owner, old.user.id)
    assert await refused(auth.authenticate(core, f"Bot {old.token}")) == UNAUTHORIZED
    assert session.connection.closed == (4004, "Authentication failed.")
    assert (await auth.authenticate(core, f"Bot {token.token}")).id == old.id


async def test_only_owner_and_bot_reach_an_application(core: Core) -> None:
    owner, stranger = await person(core), await person(core, "bob")
    me = await bot(core, owner)
    id_, unknown = me.user.id, Snowflake(1)
    patch = ApplicationPatch(name="other")
    assert (await applications.show(core, me, id_)).id == id_
    assert (await applications.current(core, me)).id == id_
    for asker, application_id, expected in ((stranger, id_, (403, 20012)), (owner, unknown, (404, 10002))):
        assert await refused(applications.show(core, asker, application_id)) == expected
        assert await refused(applications.edit(core, asker, application_id, patch)) == expected
        assert await refused(applications.reset_token(core, asker, application_id)) == expected
    assert await refused(applications.current(core, owner)) == (403, 20002)
    assert await refused(applications.edit_current(core, owner, patch)) == (403, 20002)
    assert await refused(applications.create(core, me, ApplicationCreate(name="mine"))) == (403, 20001)
    assert await refused(applications.reset_token(core, me, id_)) == (403, 20001)
    assert await refused(accounts.logout(core, me)) == (403, 20001)
    assert (await applications.show(core, owner, id_)).name == "helper"


async def test_an_owner_switches_gateway_flags_and_nothing_else(core: Core) -> None:
    owner = await person(core)
    me = await bot(core, owner)
    content = int(ApplicationFlags.GATEWAY_MESSAGE_CONTENT_LIMITED)
    edited = await applications.edit(core, owner, me.user.id, ApplicationPatch(flags=content | 1 << 23 | 1))
    assert edited.flags == content
    assert me.application_flags == content
    edited = await applications.edit_current(core, me, ApplicationPatch(description="new", name="Renamed"))
    assert (edited.flags, edited.description, edited.name) == (content, "new", "Renamed")
    assert await applications.current(core, me) == edited


async def test_applications_of_one_owner_are_limited(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applications, "APPLICATIONS_PER_OWNER", 2)
    owner = await person(core)
    for _ in range(2):
        await applications.create(core, owner, ApplicationCreate(name="helper"))
    assert await refused(applications.create(core, owner, ApplicationCreate(name="helper"))) == (400, 50011)


async def test_the_command_line_makes_a_bot_in_one_transaction(core: Core) -> None:
    owner = await person(core)
    token = auth.new_bot_token(7)
    made, extra = applications.new_bot(7, "helper"), applications.new_extra()
    await core.db.write(application_store.insert, made, owner.id, extra, auth.token_hash(token))
    assert (await auth.authenticate(core, f"Bot {token}")).user == made


# --- profiles ------------------------------------------------------------------------------------------------------


async def test_show_me_and_others(core: Core) -> None:
    pair = await register(core, "alice", "alice@example.org")
    me = await auth.authenticate(core, pair.access_token)
    other = await bot(core, me)
    assert await users.me(core, me) == pair.user
    assert (await users.me(core, other)).bot
    assert await users.show(core, me, other.user.id) == other.user
    assert await refused(users.show(core, me, Snowflake(1))) == (404, 10013)


async def test_an_edited_profile_is_new_everywhere_at_once(core: Core) -> None:
    me, other = await person(core), await person(core, "bob")
    mine, others = connect(core, me), connect(core, other)
    direct = DirectState(1, {me.id: me.user, other.id: other.user}, None)
    core.live.install_direct(direct)
    guild = core.live.guilds[(await guild_creation.create(core, me, GuildCreateParams(name="guild"))).id]
    edited = await users.edit_me(core, me, CurrentUserPatch(username="Alicia", global_name="Al", accent_color=255))
    await core.live.bus.flush()
    assert (edited.username, edited.global_name, edited.accent_color) == ("alicia", "Al", 255)
    for user in (me.user, mine.user, guild.members[me.id].user, direct.users[me.id]):
        assert user.username == "alicia"
    assert await users.show(core, other, me.user.id) == me.user
    pushed = mine.connection.pushed
    assert b'"t":"USER_UPDATE"' in pushed
    assert b'"t":"GUILD_MEMBER_UPDATE"' in pushed
    assert others.connection.pushed == b""
    await accounts.login(core, Login(login="alicia", password=PASSWORD))
    await register(core, "alice")


async def test_what_is_not_given_stays_and_null_clears(core: Core) -> None:
    me = await person(core)
    await users.edit_me(core, me, CurrentUserPatch(global_name="Al", accent_color=255))
    edited = await users.edit_me(core, me, CurrentUserPatch(global_name=None))
    assert (edited.username, edited.global_name, edited.accent_color) == ("alice", None, 255)


async def test_a_persons_name_is_unique_and_a_bots_is_not(core: Core) -> None:
    me, other = await person(core), await person(core, "bob")
    error = await refusal(users.edit_me(core, other, CurrentUserPatch(username="ALICE")))
    assert codes(error) == {"username": "USERNAME_ALREADY_TAKEN"}
    error = await refusal(users.edit_me(core, other, CurrentUserPatch(username="a lice")))
    assert codes(error) == {"username": "STRING_TYPE_REGEX"}
    assert other.user.username == "bob"
    helper = await bot(core, me)
    assert (await users.edit_me(core, helper, CurrentUserPatch(username="alice"))).username == "alice"
    assert (await users.edit_me(core, helper, CurrentUserPatch(username="My Bot"))).username == "My Bot"
