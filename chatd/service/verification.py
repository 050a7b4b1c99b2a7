"""How much a guild must know of people without roles before they may write. Docs: resources/guild.

From level MEDIUM on the account must be 5 minutes old, from HIGH on the membership 10 minutes. What the levels say of
addresses and telephones is not enforced: nobody checks them here, and VERY_HIGH is as HIGH.
"""

from chatd.model import limits
from chatd.model.errors import VERIFICATION_LEVEL_TOO_HIGH
from chatd.model.snowflake import created_ms
from chatd.model.wire import parse_timestamp
from chatd.service.access import DirectAccess, Here
from chatd.service.actors import Actor
from chatd.service.core import Core

MEDIUM, HIGH = 2, 3


def check(core: Core, me: Actor, here: Here) -> None:
    """Raises VERIFICATION_LEVEL_TOO_HIGH. Bots, the owner, and whoever has a role, may always write."""
    if isinstance(here, DirectAccess) or me.is_bot:
        return
    settings = here.guild.guild
    member = here.guild.members[me.id]
    if settings.verification_level < MEDIUM or member.roles or settings.owner_id == me.id:
        return
    waits_s = [(created_ms(me.id), limits.VERIFIED_ACCOUNT_AGE_S)]
    if settings.verification_level >= HIGH:
        waits_s.append((parse_timestamp(member.joined_at), limits.VERIFIED_MEMBER_AGE_S))
    now_ms = core.clock_ms()
    if any(now_ms - since_ms < wait_s * 1000 for since_ms, wait_s in waits_s):
        raise VERIFICATION_LEVEL_TOO_HIGH()
