"""The end of a membership, whatever ends it: leaving, a kick, a ban, a prune. (How one begins: `guilds.joined`.)"""

from chatd.live.guilds import GuildState
from chatd.model.intents import GATES
from chatd.model.objects.gateway import GuildDelete, GuildMemberRemove
from chatd.model.objects.user import User
from chatd.service import voice
from chatd.service.core import Core


def left(core: Core, guild: GuildState, user: User) -> None:
    """After the commit: the user's sessions lose the guild, everyone else learns of it.

    Docs: events/gateway-events, "Guild Delete" (without `unavailable`: the user was removed), "Guild Member Remove".
    """
    voice.disconnect(core, guild, (user.id,))
    own = [session for session in core.live.sessions.of_user(user.id) if session.serves(guild.id)]
    for session in own:
        core.live.follow(session, guild.id)  # READY may have announced the guild to one that has not got it yet
        core.live.order(session)  # should its user come back at once, GUILD_CREATE is behind all that waits
        guild.remove_session(session)
    core.live.member_removed(guild, user.id)
    told = (session for session in own if session.intents & GATES["GUILD_DELETE"][0])
    core.live.to_sessions(guild.id, "GUILD_DELETE", GuildDelete(id=guild.guild.id), told)
    event = GuildMemberRemove(guild_id=guild.guild.id, user=user)
    core.live.to_guild(guild, "GUILD_MEMBER_REMOVE", event)
