"""A guild as it is right now: its structure, who may see what, and which sessions listen.

Everything here is memory; `service` changes it in the callback of a committed transaction, and nowhere else.
Permissions and audiences are computed when first asked for and kept until something that they depend on changes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import trio
from msgspec import UNSET
from msgspec.structs import asdict, replace

from chatd.live.auto_moderation import AutoModeration
from chatd.live.bus import Audience
from chatd.live.sessions import Session
from chatd.live.threads import Threads, ThreadState
from chatd.model import permissions as p
from chatd.model.objects.auto_moderation import QUARANTINED, AutoModerationRule
from chatd.model.objects.channel import Channel, ChannelType, OverwriteType
from chatd.model.objects.emoji import Emoji
from chatd.model.objects.guild import Guild, GuildView, Member
from chatd.model.objects.role import Role
from chatd.model.objects.scheduled_event import ScheduledEvent
from chatd.model.objects.sticker import Sticker
from chatd.model.objects.thread import Thread
from chatd.model.objects.voice import VoiceState
from chatd.model.wire import Snowflake, parse_timestamp, timestamp

# Past every clock.
_FOREVER = 2**63

_NONE: frozenset[int] = frozenset()


class _Special(NamedTuple):
    """What keeps members from seeing the same: the overwrites that say something of VIEW_CHANNEL."""

    users: frozenset[int]  # who shares its sight with nobody: the owner, and who has such an overwrite of its own
    plain_channels: frozenset[int]
    other_channels: frozenset[int]
    hidden: dict[int, frozenset[int]]  # role or user -> the channels that an overwrite of theirs denies
    shown: dict[int, frozenset[int]]  # or allows


class _Sight(NamedTuple):
    channels: frozenset[int]
    plain: frozenset[int]  # what it was made of
    other: frozenset[int]


class GuildState:
    def __init__(
        self,
        guild: Guild,
        roles: dict[int, Role],
        channels: dict[int, Channel],
        members: dict[int, Member],
        last_message_ids: dict[int, int],
        emojis: dict[int, Emoji],
        stickers: dict[int, Sticker],
        scheduled_events: dict[int, ScheduledEvent],
        last_pins: dict[int, int],
        auto_moderation: dict[int, AutoModerationRule],
        threads: Iterable[tuple[Thread, dict[int, int], int]] = (),
    ) -> None:
        self.id = guild.id
        self.guild = guild
        self.roles = roles
        self.channels = channels
        self.members = members
        self.last_message_ids = last_message_ids
        self.emojis = emojis
        self.stickers = stickers
        self.scheduled_events = scheduled_events  # those that are not over
        self.last_pins = last_pins  # channel -> when its last pinned message was pinned, in ms
        self.auto_moderation = AutoModeration(auto_moderation)
        self.threads = Threads(ThreadState(*loaded) for loaded in threads)
        # Held by whoever changes the structure, from its checks to its commit.
        self.lock = trio.Lock()
        self.sessions: dict[Session, None] = {}
        self.voice: dict[int, VoiceState] = {}  # who is in a voice channel, by user
        self._permissions: dict[tuple[int, int], int] = {}
        self._in_threads: dict[tuple[int, int], int] = {}  # by the threads' parent
        self._audiences: dict[tuple[int, int, bool], Audience] = {}
        self._sights: dict[tuple[Snowflake, ...] | int, _Sight] = {}
        self._former_sights = self._sights  # before the last change: most of them are as they were
        self._special: _Special | None = None
        self._plain = _NONE  # those of the newest _Special
        self._timeouts: dict[int, int] = {}
        for member in members.values():
            self._note_timeout(member)

    # --- structure ---------------------------------------------------------------------------------------------

    def changed(self) -> None:
        """To be called after any change of permissions, channels, overwrites or ownership, and of several members."""
        self._permissions.clear()
        self._in_threads.clear()
        self._audiences.clear()
        if self._sights:
            self._former_sights, self._sights = self._sights, {}
        self._special = None

    def member_changed(self, user_id: int) -> None:
        """To be called instead after one member has come, gone, or got other roles: the others see what they saw."""
        self._permissions.clear()
        self._in_threads.clear()
        self._audiences.clear()
        self._sights.pop(user_id, None)
        if len(self._sights) > len(self.members):  # most are of roles that nobody has together any more
            self._sights.clear()

    def put_member(self, member: Member) -> None:
        """Add or replace a member; `member_changed` is the caller's to call if its roles are others."""
        self.members[member.user.id] = member
        self._note_timeout(member)

    def drop_member(self, user_id: int) -> None:
        """Forget a member; `member_changed` is the caller's to call."""
        self.members.pop(user_id, None)
        self._timeouts.pop(user_id, None)

    def thread_changed(self, thread_id: int) -> None:
        """To be called after a thread has come or gone, or other members are in it."""
        for key in [key for key in self._audiences if key[1] == thread_id]:
            del self._audiences[key]

    def view(self) -> GuildView:
        """The guild as REST shows it."""
        return GuildView(
            **asdict(self.guild),
            roles=self.sorted_roles(),
            emojis=tuple(self.emojis.values()),
            stickers=tuple(self.stickers.values()),
        )

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

    def visible_threads(self, user_id: int) -> list[ThreadState]:
        """The active ones, the youngest first."""
        found = [thread for thread in self.threads.active.values() if self.sees_thread(user_id, thread)]
        return sorted(found, key=lambda thread: thread.id, reverse=True)

    # --- permissions -------------------------------------------------------------------------------------------

    def permissions(self, user_id: int) -> int:
        """The member's permissions without regard to channels; 0 for who is no member."""
        member = self.members.get(user_id)
        if member is None:
            return 0
        held = [self.roles[role_id].permissions for role_id in member.roles if role_id in self.roles]
        return p.base_permissions(self.guild.owner_id, user_id, self.roles[self.id].permissions, held)

    def permissions_in(self, channel_id: int, user_id: int) -> int:
        """The member's permissions in a channel or thread, with overwrites and implicit denials."""
        key = (channel_id, user_id)
        found = self._permissions.get(key)
        if found is None:
            if channel_id not in self.channels:  # nothing is kept of threads: they come and go without `changed`
                thread = self.threads.get(channel_id)
                return 0 if thread is None else self._permissions_in_thread(thread, user_id)
            found = self._permissions[key] = self._compute(channel_id, user_id)
        return found

    def permissions_of_everyone(self, channel: Channel) -> int:
        """What a member without roles may do in a channel of the guild."""
        base = self.roles[self.id].permissions
        granted = p.channel_permissions(base, channel.permission_overwrites, self.id, (), 0)
        return p.implicit(granted, channel.type)

    def _permissions_in_thread(self, thread: ThreadState, user_id: int) -> int:
        """Those of its parent, as they are in threads; nothing where a private thread is none of the member's business.

        Docs: topics/threads, "Permissions".
        """
        if thread.is_private and user_id not in thread.members and not self.manages_threads(thread.parent_id, user_id):
            return 0
        return self._permissions_below(thread.parent_id, user_id)

    def _permissions_below(self, parent_id: int, user_id: int) -> int:
        key = (parent_id, user_id)
        found = self._in_threads.get(key)
        if found is None:
            found = self._in_threads[key] = self._compute(parent_id, user_id, ChannelType.PUBLIC_THREAD)
        return found

    def manages_threads(self, parent_id: int, user_id: int) -> bool:
        return bool(self._permissions_below(parent_id, user_id) & p.MANAGE_THREADS)

    def _compute(self, channel_id: int, user_id: int, kind: int | None = None) -> int:
        """`kind` where it is not the channel's own."""
        member = self.members.get(user_id)
        channel = self.channels.get(channel_id)
        if member is None or channel is None:
            return 0
        granted = p.channel_permissions(
            self.permissions(user_id), channel.permission_overwrites, self.id, member.roles, user_id
        )
        return p.implicit(granted, channel.type if kind is None else kind)

    def is_timed_out(self, user_id: int, now_ms: int) -> bool:
        """Whether the member is in a timeout (resources/guild, `communication_disabled_until`) or AutoMod's quarantine.

        A timeout takes nothing that decides who sees what, so that it ends without an event and nothing is recomputed.
        """
        until_ms = self._timeouts.get(user_id)
        return until_ms is not None and now_ms < until_ms

    def _note_timeout(self, member: Member) -> None:
        if member.flags & QUARANTINED:
            self._timeouts[member.user.id] = _FOREVER
        elif member.communication_disabled_until is None:
            self._timeouts.pop(member.user.id, None)
        else:
            self._timeouts[member.user.id] = parse_timestamp(member.communication_disabled_until)

    # --- sight -------------------------------------------------------------------------------------------------

    def sight(self, user_id: int) -> frozenset[int]:
        """The channels that the member sees. Members with the same roles share one set, unless they are special.

        A change of the guild that does not alter the set leaves it the same object, mostly.
        """
        member = self.members.get(user_id)
        if member is None:
            return _NONE
        if self._special is None:
            self._special = _special(self)
            if self._special.plain_channels == self._plain:  # the same object, for sights to be compared by
                self._special = self._special._replace(plain_channels=self._plain)
            self._plain = self._special.plain_channels
        standing = user_id if user_id in self._special.users else member.roles
        found = self._sights.get(standing)
        if found is None:
            plain, other = self._look(member, self._special)
            found = self._former_sights.get(standing)
            if found is None or found.plain is not plain or found.other != other:
                found = _Sight(plain | other, plain, other)
            self._sights[standing] = found
        return found.channels

    def sees_thread(self, user_id: int, thread: ThreadState) -> bool:
        if thread.parent_id not in self.sight(user_id):
            return False
        return not thread.is_private or bool(self._permissions_in_thread(thread, user_id))

    def _look(self, member: Member, special: "_Special") -> tuple[frozenset[int], frozenset[int]]:
        """`permissions.channel_permissions` for one permission and for all channels at once, plain and other ones."""
        base = self.permissions(member.user.id)
        if base & p.ADMINISTRATOR:
            return special.plain_channels, special.other_channels
        plain, seen = (special.plain_channels, special.other_channels) if base & p.VIEW_CHANNEL else (_NONE, _NONE)
        for targets in ((self.id,), member.roles, (member.user.id,)):
            seen = seen.difference(*[special.hidden[id_] for id_ in targets if id_ in special.hidden])
            seen = seen.union(*[special.shown[id_] for id_ in targets if id_ in special.shown])
        return plain, seen

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

    def audience(self, intent: int, channel_id: int = 0, content: bool = False) -> Audience:
        """The sessions with the intent (0: any) that see the channel or thread (0: that are in the guild).

        With `content`, those without MESSAGE_CONTENT are apart. The same audience is the same object until it changes.
        """
        key = (intent, channel_id, content)
        found = self._audiences.get(key)
        if found is None:
            thread = self.threads.get(channel_id)
            sessions = [
                session
                for session in self.sessions
                if (not intent or session.intents & intent)
                and (
                    self.sees_thread(session.user.id, thread)
                    if thread is not None
                    else not channel_id or channel_id in self.sight(session.user.id)
                )
            ]
            if content:
                full = [session for session in sessions if not session.lean]
                found = Audience(full, [session for session in sessions if session.lean])
            else:
                found = Audience(sessions)
            self._audiences[key] = found
        return found


def _special(guild: GuildState) -> _Special:
    users, plain, other = {int(guild.guild.owner_id)}, set[int](), set[int]()
    hidden, shown = defaultdict[int, set[int]](set), defaultdict[int, set[int]](set)
    for channel_id, channel in guild.channels.items():
        found = [o for o in channel.permission_overwrites if (o.allow | o.deny) & p.VIEW_CHANNEL]
        (other if found else plain).add(channel_id)
        for overwrite in found:
            if overwrite.type == OverwriteType.MEMBER:
                users.add(overwrite.id)
            (shown if overwrite.allow & p.VIEW_CHANNEL else hidden)[overwrite.id].add(channel_id)
    return _Special(frozenset(users), frozenset(plain), frozenset(other), _frozen(hidden), _frozen(shown))


def _frozen(channels: Mapping[int, set[int]]) -> dict[int, frozenset[int]]:
    return {target_id: frozenset(found) for target_id, found in channels.items()}
