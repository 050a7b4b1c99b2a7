"""How often a member may post in a channel, or start threads there. Docs: resources/channel, `rate_limit_per_user`."""

from chatd.model import permissions as p
from chatd.model.errors import SLOWMODE, rate_limited
from chatd.model.ratelimit import Rule
from chatd.service.access import DirectAccess, Here
from chatd.service.actors import Actor
from chatd.service.core import Core


def check(core: Core, me: Actor, here: Here, what: str = "message") -> None:
    """Count one; messages and threads are counted each for itself. Raises SLOWMODE."""
    if isinstance(here, DirectAccess) or not here.channel.rate_limit_per_user:
        return
    if here.permissions & (p.BYPASS_SLOWMODE | p.MANAGE_MESSAGES | p.MANAGE_CHANNELS):
        return
    rule = Rule(1, here.channel.rate_limit_per_user)
    verdict = core.limiter.hit(("slowmode", what, here.channel.id, me.id), rule, core.clock_ms() / 1000)
    if not verdict.allowed:
        raise rate_limited(verdict.reset_after_s, kind=SLOWMODE)
