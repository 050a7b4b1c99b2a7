"""A guild as it is right now: its structure, who may see what, and which sessions listen.

Everything here is memory; `service` changes it in the callback of a committed transaction, and nowhere else.
Permissions and audiences are computed when first asked for and kept until something that they depend on changes.
"""

from collections.abc import Iterator

import trio
from msgspec.structs import asdict, replace

from chatd.live.bus import Audience
from chatd.live.sessions import Session
from chatd.model import permissions as p
from chatd.model.objects.channel import Channel
from chatd.model.objects.guild import Guild, GuildView, Member
from chatd.model.objects.role import Role
from chatd.model.wire import Snowflake


class GuildState:
    def __init__(
        self,
        guild: Guild,
        roles: dict[int, Role],
        channels: dict[int, Channel],
        members: dict[int, Member],
        last_message_ids: dict[int, int],
    ) -> None:
        self.id = guild.id
        self.guild = guild
        self.roles = roles
        self.channels = channels
        self.members = members
        self.last_message_ids = last_message_ids
        # Held by whoever changes the structure, from its checks to its commit.
        self.lock = trio.Lock()
        self.sessions: dict[Session, None] = {}
        self._permissions: dict[tuple[int, int], int] = {}
        self._audiences: dict[tuple[int, int, bool], Audience] = {}

    # --- structure ---------------------------------------------------------------------------------------------

    def changed(self) -> None:
        """To be called after any change of roles, channels, overwrites, members' roles, membership or ownership."""
        self._permissions.clear()
        self._audiences.clear()

    def view(self) -> GuildView:
        """The guild as REST shows it."""
        return GuildView(**asdict(self.guild), roles=self.sorted_roles())

    def sorted_roles(self) -> tuple[Role, ...]:
        return tuple(sorted(self.roles.values(), key=lambda role: (role.position, role.id)))

    def channel(self, channel_id: int) -> Channel:
        """The channel with its newest message; raises KeyError."""
        channel = self.channels[channel_id]
        last = self.last_message_ids.get(channel_id)
        return channel if last is None else replace(channel, last_message_id=Snowflake(last))

    def visible_channels(self, user_id: int) -> tuple[Channel, ...]:
        return tuple(
            self.channel(channel_id)
            for channel_id in self.channels
            if self.permissions_in(channel_id, user_id) & p.VIEW_CHANNEL
        )

    # --- permissions -------------------------------------------------------------------------------------------

    def permissions(self, user_id: int) -> int:
        """The member's permissions without regard to channels; 0 for who is no member."""
        member = self.members.get(user_id)
        if member is None:
            return 0
        held = [self.roles[role_id].permissions for role_id in member.roles if role_id in self.roles]
        return p.base_permissions(self.guild.owner_id, user_id, self.roles[self.id].permissions, held)

    def permissions_in(self, channel_id: int, user_id: int) -> int:
        """The member's permissions in a channel, with overwrites and implicit denials."""
        key = (channel_id, user_id)
        found = self._permissions.get(key)
        if found is None:
            found = self._permissions[key] = self._compute(channel_id, user_id)
        return found

    def _compute(self, channel_id: int, user_id: int) -> int:
        member = self.members.get(user_id)
        channel = self.channels.get(channel_id)
        if member is None or channel is None:
            return 0
        granted = p.channel_permissions(
            self.permissions(user_id), channel.permission_overwrites, self.id, member.roles, user_id
        )
        return p.implicit(granted, channel.type)

    # --- sessions ----------------------------------------------------------------------------------------------

    def add_session(self, session: Session) -> None:
        """Of a session that follows the guild (`Live.follow`)."""
        self.sessions[session] = None
        session.guild_ids.add(self.id)
        self._audiences.clear()

    def remove_session(self, session: Session) -> None:
        if self.sessions.pop(session, False) is None:
            session.guild_ids.discard(self.id)
            self._audiences.clear()

    def regroup(self) -> None:
        """To be called after one of the sessions has become an ordered one."""
        self._audiences.clear()

    def sessions_of(self, user_id: int) -> Iterator[Session]:
        return (session for session in tuple(self.sessions) if session.user.id == user_id)

    def audience(self, intent: int, channel_id: int = 0, content: bool = False) -> Audience:
        """The sessions with the intent (0: any) that see the channel (0: that are in the guild).

        With `content`, those without MESSAGE_CONTENT are apart. The same audience is the same object until it changes.
        """
        key = (intent, channel_id, content)
        found = self._audiences.get(key)
        if found is None:
            sessions = [
                session
                for session in self.sessions
                if (not intent or session.intents & intent)
                and (not channel_id or self.permissions_in(channel_id, session.user.id) & p.VIEW_CHANNEL)
            ]
            if content:
                full = [session for session in sessions if not session.lean]
                found = Audience(full, [session for session in sessions if session.lean])
            else:
                found = Audience(sessions)
            self._audiences[key] = found
        return found
