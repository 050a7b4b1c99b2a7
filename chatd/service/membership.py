"""The end of a membership, whatever ends it: leaving, a kick, a ban, a prune. (How one begins: `guilds.joined`.)"""

from chatd.live.guilds import GuildState
from chatd.model.objects.gateway import GuildDelete, GuildMemberRemove
from chatd.model.objects.user import User
from chatd.service import thread_events, voice
from chatd.service.core import Core


def left(core: Core, guild: GuildState, user: User) -> None:
    """After the commit: the user's sessions lose the guild, everyone else learns of it.

    Its rows, and those of its threads, are gone by the transaction.
    Docs: events/gateway-events, "Guild Delete" (without `unavailable`: the user was removed), "Guild Member Remove".
    """
    voice.disconnect(core, guild, (user.id,))
    threads = [thread for thread in guild.threads.all() if user.id in thread.members]
    own = [session for session in core.live.sessions.of_user(user.id) if session in guild.sessions]
    for session in own:
        guild.remove_session(session)
    for thread in threads:
        del thread.members[user.id]
    core.live.member_removed(guild, user.id)
    core.live.to_sessions(guild.id, "GUILD_DELETE", GuildDelete(id=guild.guild.id), own)
    event = GuildMemberRemove(guild_id=guild.guild.id, user=user)
    core.live.to_guild(guild, "GUILD_MEMBER_REMOVE", event)
    for thread in threads:
        thread_events.left(core, guild, thread, user.id)
