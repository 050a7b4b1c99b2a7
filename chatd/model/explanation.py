"""Why a member has or lacks one permission: the algorithm of `permissions`, told step by step.

A pure function; its verdict is that of `permissions` for every guild (a property test says so).
"""

from collections.abc import Iterable, Sequence

from msgspec import UNSET, UnsetType

from chatd.model import permissions as p
from chatd.model.objects.channel import ChannelType, Overwrite
from chatd.model.objects.role import Role
from chatd.model.wire import Object, Snowflake

# Name -> bit.
NAMES: dict[str, int] = {
    name: value
    for name, value in vars(p).items()
    if name.isupper() and isinstance(value, int) and value.bit_count() == 1 and not name.startswith("_")
}


class Step(Object, frozen=True, kw_only=True):
    """One rule that had a say, and whether the permission is held after it. `source_id`: the role or member."""

    rule: str
    granted: bool
    detail: str
    source_id: Snowflake | UnsetType = UNSET


def explain(
    bit: int,
    *,
    user_id: int,
    is_owner: bool,
    everyone: Role,
    roles: Sequence[Role],
    overwrites: Iterable[Overwrite] | None,
    channel_kind: int,
    is_timed_out: bool,
    is_in_thread: bool = True,
) -> list[Step]:
    """The steps in their order; the last one decides. `overwrites` is None for the guild as a whole, and its parent's
    for a thread; `is_in_thread`: whether the member is in that thread.
    """
    steps = _in_guild(bit, is_owner, everyone, roles)
    if steps[-1].rule in ("owner", "administrator"):
        return steps
    base = int(everyone.permissions)
    for role in roles:
        base |= role.permissions
    if overwrites is not None:
        steps += _in_channel(bit, user_id, everyone, roles, tuple(overwrites))
        held = p.channel_permissions(base, overwrites, everyone.id, [role.id for role in roles], user_id)
        steps += _implied(bit, steps[-1].granted, held, channel_kind)
        is_hidden = channel_kind == ChannelType.PRIVATE_THREAD and not is_in_thread and not held & p.MANAGE_THREADS
        if is_hidden and steps[-1].granted:
            steps.append(_step("private_thread", False, "Who is not in a private thread needs MANAGE_THREADS."))
    if is_timed_out and steps[-1].granted and not p.timed_out(base, bit):
        steps.append(_step("timeout", False, "The member is in a timeout."))
    return steps


def _in_guild(bit: int, is_owner: bool, everyone: Role, roles: Sequence[Role]) -> list[Step]:
    if is_owner:
        return [_step("owner", True, "The owner of the guild has every permission.")]
    administrators = [role for role in (everyone, *roles) if role.permissions & p.ADMINISTRATOR]
    if administrators:
        role = administrators[0]
        return [_step("administrator", True, f'The role "{role.name}" has ADMINISTRATOR.', role.id)]
    grants = bool(everyone.permissions & bit)
    verb = "grants" if grants else "does not grant"
    steps = [_step("everyone", grants, f"@everyone {verb} it.", everyone.id)]
    steps += [
        _step("role", True, f'The role "{role.name}" grants it.', role.id) for role in roles if role.permissions & bit
    ]
    return steps


def _in_channel(
    bit: int, user_id: int, everyone: Role, roles: Sequence[Role], overwrites: Sequence[Overwrite]
) -> list[Step]:
    """First @everyone's overwrite, then all the roles' together, then the member's: each denies before it allows."""
    whose = {int(role.id): f'the role "{role.name}"' for role in roles}
    whose |= {int(everyone.id): "@everyone", user_id: "the member"}
    groups = (
        ("everyone_overwrite", {everyone.id}),
        ("role_overwrite", {role.id for role in roles}),
        ("member_overwrite", {user_id}),
    )
    steps = []
    for rule, targets in groups:
        concerned = [overwrite for overwrite in overwrites if overwrite.id in targets]
        for verb, granted in (("denies", False), ("allows", True)):
            for overwrite in concerned:
                if (overwrite.allow if granted else overwrite.deny) & bit:
                    detail = f"The channel's overwrite of {whose[overwrite.id]} {verb} it."
                    steps.append(_step(rule, granted, detail, overwrite.id))
    return steps


def _implied(bit: int, granted: bool, held: int, channel_kind: int) -> list[Step]:
    """What a more basic permission takes away, or in a thread another one gives."""
    result = bool(p.implicit(held, channel_kind) & bit)
    if result == granted:
        return []
    if channel_kind in p.THREAD_KINDS and bit == p.SEND_MESSAGES:
        verb = "is" if result else "is not"
        return [_step("thread", result, f"In a thread it takes SEND_MESSAGES_IN_THREADS, which {verb} granted.")]
    sending = "SEND_MESSAGES_IN_THREADS" if channel_kind in p.THREAD_KINDS else "SEND_MESSAGES"
    needs = ["VIEW_CHANNEL", *(["CONNECT"] if channel_kind in p.VOICE_KINDS else []), sending]
    missing = next(name for name in needs if not held & NAMES[name])
    return [_step("implicit", False, f"Without {missing} it means nothing.")]


def _step(rule: str, granted: bool, detail: str, source_id: int | None = None) -> Step:
    return Step(
        rule=rule,
        granted=granted,
        detail=detail,
        source_id=UNSET if source_id is None else Snowflake(source_id),
    )
