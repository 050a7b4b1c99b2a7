"""A guild as it is right now: its structure, who may see what, and which sessions listen.

Everything here is memory; `service` changes it in the callback of a committed transaction, and nowhere else.
Permissions and audiences are computed when first asked for and kept until something that they depend on changes.
"""

from collections.abc import Iterator
from typing import NamedTuple

import trio
from msgspec import UNSET
from msgspec.structs import asdict, replace

from chatd.live.bus import Audience
from chatd.live.sessions import Session
from chatd.model import permissions as p
from chatd.model.objects.channel import Channel
from chatd.model.objects.guild import Guild, GuildView, Member
from chatd.model.objects.role import Role
from chatd.model.objects.scheduled_event import ScheduledEvent
from chatd.model.objects.voice import VoiceState
from chatd.model.wire import Snowflake, parse_timestamp, timestamp


class _Special(NamedTuple):
    """What keeps members with the same roles from seeing the same."""

    users: frozenset[int]  # the owner, and who has an overwrite of its own
    plain_channels: frozenset[int]
    other_channels: tuple[int, ...]


class GuildState:
    def __init__(
        self,
        guild: Guild,
        roles: dict[int, Role],
        channels: dict[int, Channel],
        members: dict[int, Member],
        last_message_ids: dict[int, int],
        scheduled_events: dict[int, ScheduledEvent],
        last_pins: dict[int, int],
    ) -> None:
        self.id = guild.id
        self.guild = guild
        self.roles = roles
        self.channels = channels
        self.members = members
        self.last_message_ids = last_message_ids
        self.scheduled_events = scheduled_events  # those that are not over
        self.last_pins = last_pins  # channel -> when its last pinned message was pinned, in ms
        # Held by whoever changes the structure, from its checks to its commit.
        self.lock = trio.Lock()
        self.sessions: dict[Session, None] = {}
        self.voice: dict[int, VoiceState] = {}  # who is in a voice channel, by user
        self._permissions: dict[tuple[int, int], int] = {}
        self._audiences: dict[tuple[int, int, bool], Audience] = {}
        self._sights: dict[tuple[Snowflake, ...] | int, frozenset[int]] = {}
        self._special: _Special | None = None
        self._timeouts: dict[int, int] = {}
        for member in members.values():
            self._note_timeout(member)

    # --- structure ---------------------------------------------------------------------------------------------

    def changed(self) -> None:
        """To be called after any change of roles, channels, overwrites, members' roles, membership or ownership."""
        self._permissions.clear()
        self._audiences.clear()
        self._sights.clear()
        self._special = None

    def put_member(self, member: Member) -> None:
        """Add or replace a member; `changed` is the caller's to call."""
        self.members[member.user.id] = member
        self._note_timeout(member)

    def drop_member(self, user_id: int) -> None:
        """Forget a member; `changed` is the caller's to call."""
        self.members.pop(user_id, None)
        self._timeouts.pop(user_id, None)

    def view(self) -> GuildView:
        """The guild as REST shows it."""
        return GuildView(**asdict(self.guild), roles=self.sorted_roles())

    def sorted_roles(self) -> tuple[Role, ...]:
        return tuple(sorted(self.roles.values(), key=lambda role: (role.position, role.id)))

    def channel(self, channel_id: int) -> Channel:
        """The channel with its newest message and pin; raises KeyError."""
        channel = self.channels[channel_id]
        last, pinned_ms = self.last_message_ids.get(channel_id), self.last_pins.get(channel_id)
        if last is None and pinned_ms is None:
            return channel
        return replace(
            channel,
            last_message_id=None if last is None else Snowflake(last),
            last_pin_timestamp=UNSET if pinned_ms is None else timestamp(pinned_ms),
        )

    def visible_channels(self, user_id: int) -> tuple[Channel, ...]:
        seen = self.sight(user_id)
        return tuple(self.channel(channel_id) for channel_id in self.channels if channel_id in seen)

    def voice_in(self, channel_id: int) -> list[VoiceState]:
        return [state for state in self.voice.values() if state.channel_id == channel_id]

    def visible_voice(self, user_id: int) -> tuple[VoiceState, ...]:
        """Who is in the voice channels that the member sees, and where it is itself."""
        return tuple(
            state
            for state in self.voice.values()
            if state.user_id == user_id or self.permissions_in(state.channel_id or 0, user_id) & p.VIEW_CHANNEL
        )

    def visible_events(self, user_id: int) -> tuple[ScheduledEvent, ...]:
        return tuple(event for event in self.scheduled_events.values() if self.sees_event(user_id, event))

    def sees_event(self, user_id: int, event: ScheduledEvent) -> bool:
        """An event in a channel is seen with the channel."""
        return event.channel_id is None or event.channel_id in self.sight(user_id)

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

    def is_timed_out(self, user_id: int, now_ms: int) -> bool:
        """Whether the member is in a timeout (resources/guild, `communication_disabled_until`).

        A timeout takes nothing that decides who sees what, so that it ends without an event and nothing is recomputed.
        """
        until_ms = self._timeouts.get(user_id)
        return until_ms is not None and now_ms < until_ms

    def _note_timeout(self, member: Member) -> None:
        if member.communication_disabled_until is None:
            self._timeouts.pop(member.user.id, None)
        else:
            self._timeouts[member.user.id] = parse_timestamp(member.communication_disabled_until)

    # --- sight -------------------------------------------------------------------------------------------------

    def sight(self, user_id: int) -> frozenset[int]:
        """The channels that the member sees. Members with the same roles share one set, unless they are special."""
        member = self.members.get(user_id)
        if member is None:
            return frozenset()
        if self._special is None:
            self._special = _special(self)
        standing = user_id if user_id in self._special.users else member.roles
        found = self._sights.get(standing)
        if found is None:
            found = self._sights[standing] = self._look(member, self._special)
        return found

    def _look(self, member: Member, special: "_Special") -> frozenset[int]:
        """Channels whose overwrites say nothing of VIEW_CHANNEL are seen by everyone who may see any."""
        user_id = member.user.id
        plain = special.plain_channels if self.permissions(user_id) & p.VIEW_CHANNEL else frozenset[int]()
        return plain.union(
            channel_id
            for channel_id in special.other_channels
            if self.permissions_in(channel_id, user_id) & p.VIEW_CHANNEL
        )

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
                and (not channel_id or channel_id in self.sight(session.user.id))
            ]
            if content:
                full = [session for session in sessions if not session.lean]
                found = Audience(full, [session for session in sessions if session.lean])
            else:
                found = Audience(sessions)
            self._audiences[key] = found
        return found


def _special(guild: GuildState) -> _Special:
    overwrites = {
        channel.id: [o for o in channel.permission_overwrites if (o.allow | o.deny) & p.VIEW_CHANNEL]
        for channel in guild.channels.values()
    }
    return _Special(
        frozenset((int(guild.guild.owner_id), *(int(o.id) for found in overwrites.values() for o in found if o.type))),
        frozenset(int(channel_id) for channel_id, found in overwrites.items() if not found),
        tuple(int(channel_id) for channel_id, found in overwrites.items() if found),
    )
