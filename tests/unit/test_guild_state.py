"""Who may see what in a guild, and which sessions get its events: both are kept until something changes."""

from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import intents as i
from chatd.model import permissions as p
from tests.support.live import Wire, channel, guild, member, overwrite, role, session

GUILD, OWNER, MEMBER, STAFF, STRANGER = 1000, 1, 2, 3, 4
OPEN, HIDDEN = 10, 11
STAFF_ROLE = 20


def reading_room() -> GuildState:
    """A guild whose second channel only staff can see."""
    hidden = [overwrite(GUILD, 0, deny=p.VIEW_CHANNEL), overwrite(STAFF_ROLE, 0, allow=p.VIEW_CHANNEL)]
    return guild(
        p.VIEW_CHANNEL | p.SEND_MESSAGES,
        id_=GUILD,
        owner_id=OWNER,
        roles=[role(STAFF_ROLE, p.MANAGE_MESSAGES)],
        channels=[channel(OPEN, GUILD), channel(HIDDEN, GUILD, hidden)],
        members=[member(OWNER), member(MEMBER), member(STAFF, STAFF_ROLE)],
    )


def test_permissions_follow_from_roles() -> None:
    state = reading_room()
    assert state.permissions(OWNER) == p.ALL
    assert state.permissions(MEMBER) == p.VIEW_CHANNEL | p.SEND_MESSAGES
    assert state.permissions(STAFF) == p.VIEW_CHANNEL | p.SEND_MESSAGES | p.MANAGE_MESSAGES
    assert state.permissions(STRANGER) == 0


def test_a_role_that_is_gone_grants_nothing() -> None:
    state = reading_room()
    state.members[MEMBER] = member(MEMBER, 999)
    assert state.permissions(MEMBER) == p.VIEW_CHANNEL | p.SEND_MESSAGES


def test_permissions_in_a_channel_follow_from_overwrites() -> None:
    state = reading_room()
    assert state.permissions_in(HIDDEN, OWNER) == p.ALL
    assert state.permissions_in(HIDDEN, MEMBER) == 0
    assert state.permissions_in(HIDDEN, STAFF) & p.VIEW_CHANNEL
    assert state.permissions_in(OPEN, STRANGER) == 0
    assert state.permissions_in(999, OWNER) == 0


def test_visible_channels_are_those_and_show_their_newest_message() -> None:
    state = reading_room()
    state.last_message_ids[OPEN] = 77
    assert [(c.id, c.last_message_id) for c in state.visible_channels(MEMBER)] == [(OPEN, 77)]
    assert [c.id for c in state.visible_channels(STAFF)] == [OPEN, HIDDEN]
    assert state.visible_channels(STRANGER) == ()


def test_roles_are_listed_by_position_then_age() -> None:
    state = reading_room()
    for id_, position in ((31, 2), (30, 2), (32, 1)):
        state.roles[id_] = replace(role(id_, 0), position=position)
    assert [each.id for each in state.sorted_roles()] == [STAFF_ROLE, GUILD, 32, 30, 31]
    assert [each.id for each in state.view().roles] == [STAFF_ROLE, GUILD, 32, 30, 31]


def test_the_same_audience_is_the_same_object_until_something_changes() -> None:
    state = reading_room()
    state.add_session(session(MEMBER, Wire()))
    before = state.audience(i.GUILD_MESSAGES, OPEN, content=True)
    assert state.audience(i.GUILD_MESSAGES, OPEN, content=True) is before
    state.changed()
    after = state.audience(i.GUILD_MESSAGES, OPEN, content=True)
    assert after is not before
    assert after.full == before.full


def test_an_audience_sees_the_channel_and_has_the_intent() -> None:
    state = reading_room()
    owner, mine, staff = (session(user_id, Wire()) for user_id in (OWNER, MEMBER, STAFF))
    deaf = session(STAFF, Wire(), intents=i.GUILDS)
    for each in (owner, mine, staff, deaf):
        state.add_session(each)
    assert state.audience(i.GUILD_MESSAGES, OPEN).full == (owner, mine, staff)
    assert state.audience(i.GUILD_MESSAGES, HIDDEN).full == (owner, staff)
    assert state.audience(i.GUILDS, HIDDEN).full == (owner, staff, deaf)
    assert state.audience(i.GUILDS).full == (owner, mine, staff, deaf)
    assert state.audience(0).full == (owner, mine, staff, deaf)


def test_who_may_not_see_content_is_apart_only_where_content_is() -> None:
    state = reading_room()
    full, lean = session(OWNER, Wire()), session(MEMBER, Wire(), intents=i.ALL & ~i.MESSAGE_CONTENT)
    state.add_session(full)
    state.add_session(lean)
    messages = state.audience(i.GUILD_MESSAGES, OPEN, content=True)
    assert (messages.full, messages.lean) == ((full,), (lean,))
    deletions = state.audience(i.GUILD_MESSAGES, OPEN)
    assert (deletions.full, deletions.lean) == ((full, lean), ())


def test_sessions_come_and_go() -> None:
    state = reading_room()
    it = session(MEMBER, Wire())
    assert not state.audience(i.GUILDS)
    state.add_session(it)
    assert (state.audience(i.GUILDS).full, it.guild_ids) == ((it,), {GUILD})
    assert list(state.sessions) == [it]
    state.remove_session(it)
    state.remove_session(it)
    assert (state.audience(i.GUILDS).full, it.guild_ids) == ((), set())
    assert list(state.sessions) == []


def test_every_kind_of_change_is_seen_after_changed() -> None:
    state = reading_room()
    it = session(MEMBER, Wire())
    state.add_session(it)

    def sees() -> tuple[bool, bool]:
        return bool(state.permissions_in(HIDDEN, MEMBER)), bool(state.audience(i.GUILD_MESSAGES, HIDDEN))

    assert sees() == (False, False)
    state.members[MEMBER] = member(MEMBER, STAFF_ROLE)
    state.changed()
    assert sees() == (True, True)
    del state.members[MEMBER]
    state.changed()
    assert sees() == (False, False)
    state.members[MEMBER] = member(MEMBER)
    state.channels[HIDDEN] = channel(HIDDEN, GUILD)
    state.changed()
    assert sees() == (True, True)
    state.roles[GUILD] = role(GUILD, 0)
    state.changed()
    assert sees() == (False, False)
    state.guild = replace(state.guild, owner_id=state.members[MEMBER].user.id)
    state.changed()
    assert sees() == (True, True)
    del state.channels[HIDDEN]
    state.changed()
    assert sees() == (False, False)
