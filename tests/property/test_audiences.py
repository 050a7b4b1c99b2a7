"""Audiences are cached; whatever changes, they are what one would find by asking each session in turn."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from chatd.live.sessions import Session
from chatd.model import intents as i
from chatd.model import permissions as p
from chatd.model.wire import Snowflake
from tests.support import live

GUILD = 1000
USERS = (1, 2, 3)
ROLES = (20, 21)
CHANNELS = (10, 11)
THREADS = (100, 101, 102)
INTENTS = (i.ALL, i.GUILDS, i.GUILD_MESSAGES, i.GUILD_MESSAGES | i.MESSAGE_CONTENT, 0)

users, roles, channels = st.sampled_from(USERS), st.sampled_from(ROLES), st.sampled_from(CHANNELS)
threads = st.sampled_from(THREADS)
masks = st.sampled_from([0, p.VIEW_CHANNEL, p.SEND_MESSAGES, p.MANAGE_THREADS, p.VIEW_CHANNEL | p.MANAGE_THREADS])
granted = masks | st.just(p.ADMINISTRATOR)
overwrites = st.lists(
    st.builds(
        lambda target, allow, deny: live.overwrite(target, int(target in USERS), allow, deny),
        st.sampled_from((GUILD, *ROLES, *USERS)),
        masks,
        masks,
    ),
    max_size=4,
    unique_by=lambda overwrite: overwrite.id,
)


class Audiences(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.state = live.guild(p.VIEW_CHANNEL, id_=GUILD, owner_id=1, members=[live.member(user) for user in USERS])
        for id_ in ROLES:
            self.state.roles[id_] = live.role(id_, 0)
        for id_ in CHANNELS:
            self.state.channels[id_] = live.channel(id_, GUILD)
        self.state.changed()
        self.sessions: list[Session] = []

    # --- what may happen ---------------------------------------------------------------------------------------

    @rule(user=users, intents=st.sampled_from(INTENTS))
    def session_comes(self, user: int, intents: int) -> None:
        made = live.session(user, live.Wire(), intents=intents)
        self.sessions.append(made)
        self.state.add_session(made)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def session_goes(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(self.sessions))
        self.sessions.remove(gone)
        self.state.remove_session(gone)

    @rule(user=users, its_roles=st.sets(roles))
    def member_has_roles(self, user: int, its_roles: set[int]) -> None:
        self.state.put_member(live.member(user, *its_roles))
        self.state.member_changed(user)

    @rule(user=users)
    def member_leaves(self, user: int) -> None:
        self.state.drop_member(user)
        for thread in self.state.threads.all():
            thread.members.pop(user, None)
        self.state.member_changed(user)

    @rule(role=st.sampled_from((GUILD, *ROLES)), permissions=granted)
    def role_changes(self, role: int, permissions: int) -> None:
        self.state.roles[role] = live.role(role, permissions)
        self.state.changed()

    @rule(channel=channels, overwrites=overwrites)
    def channel_changes(self, channel: int, overwrites: list) -> None:
        self.state.channels[channel] = live.channel(channel, GUILD, overwrites)
        self.state.changed()

    @rule(channel=channels)
    def channel_goes(self, channel: int) -> None:
        self.state.channels.pop(channel, None)
        for thread in self.state.threads.of_parent(channel):
            self.state.threads.pop(thread.id)
        self.state.changed()

    @rule(thread=threads, parent=channels, private=st.booleans(), members=st.sets(users))
    def thread_comes(self, thread: int, parent: int, private: bool, members: set[int]) -> None:
        if parent in self.state.channels:
            here = members & self.state.members.keys()
            self.state.threads.put(live.thread(thread, parent, GUILD, here, private=private))
            self.state.thread_changed(thread)

    @rule(thread=threads)
    def thread_goes(self, thread: int) -> None:
        self.state.threads.pop(thread)
        self.state.thread_changed(thread)

    @rule(thread=threads, user=users)
    def member_joins_or_leaves(self, thread: int, user: int) -> None:
        found = self.state.threads.get(thread)
        if found is not None and found.members.pop(user, None) is None and user in self.state.members:
            found.members[user] = 0
        self.state.thread_changed(thread)

    @rule(owner=users)
    def owner_changes(self, owner: int) -> None:
        self.state.guild = replace(self.state.guild, owner_id=Snowflake(owner))
        self.state.changed()

    # --- what must hold ----------------------------------------------------------------------------------------

    @invariant()
    def audiences_are_right(self) -> None:
        for intent in (0, i.GUILDS, i.GUILD_MESSAGES, i.GUILDS | i.GUILD_MEMBERS):
            for channel in (0, *CHANNELS, *THREADS):
                for content in (False, True):
                    found = self.state.audience(intent, channel, content)
                    expected = [s for s in self.sessions if self._gets(s, intent, channel)]
                    blind = [s for s in expected if content and not s.intents & i.MESSAGE_CONTENT]
                    assert list(found.lean) == blind
                    assert list(found.full) == [s for s in expected if s not in blind]

    def _gets(self, session: Session, intent: int, channel_id: int) -> bool:
        has_intent = intent == 0 or session.intents & intent != 0
        return has_intent and (channel_id == 0 or self._sees(session.user.id, channel_id))

    def _sees(self, user_id: int, channel_id: int) -> bool:
        """Without any cache."""
        thread = self.state.threads.get(channel_id)
        if thread is None:
            return bool(self._permissions(user_id, channel_id) & p.VIEW_CHANNEL)
        in_parent = self._permissions(user_id, thread.parent_id)
        is_open = not thread.is_private or user_id in thread.members or bool(in_parent & p.MANAGE_THREADS)
        return is_open and bool(in_parent & p.VIEW_CHANNEL)

    def _permissions(self, user_id: int, channel_id: int) -> int:
        member, channel = self.state.members.get(user_id), self.state.channels.get(channel_id)
        if member is None or channel is None:
            return 0
        base = p.base_permissions(
            self.state.guild.owner_id,
            user_id,
            self.state.roles[GUILD].permissions,
            [self.state.roles[role_id].permissions for role_id in member.roles],
        )
        return p.channel_permissions(base, channel.permission_overwrites, GUILD, member.roles, user_id)


TestAudiences = Audiences.TestCase
TestAudiences.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
