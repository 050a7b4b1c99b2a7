"""The explanation of a permission ends with what the server enforces."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chatd.model import permissions as p
from chatd.model.explanation import NAMES, explain
from tests.support import live

GUILD, USER, OTHER = 1000, 5, 6
ROLES = (20, 21, 22)

# Few bits, so that they meet.
BITS = (p.VIEW_CHANNEL, p.SEND_MESSAGES, p.CONNECT, p.MENTION_EVERYONE, p.SEND_MESSAGES_IN_THREADS, p.MANAGE_THREADS)
masks = st.sets(st.sampled_from(BITS)).map(sum)
granted = masks | st.just(p.ADMINISTRATOR)
overwrites = st.lists(
    st.builds(
        lambda target, allow, deny: live.overwrite(target, int(target in (USER, OTHER)), allow, deny),
        st.sampled_from((GUILD, *ROLES, USER, OTHER)),
        masks,
        masks,
    ),
    max_size=5,
    unique_by=lambda overwrite: overwrite.id,
)


def test_every_permission_has_a_name() -> None:
    assert sum(NAMES.values()) == p.ALL


@settings(max_examples=2000)
@given(
    st.sampled_from((*BITS, p.ADMINISTRATOR)),
    st.booleans(),
    granted,
    st.lists(granted, max_size=3),
    st.none() | overwrites,
    st.sampled_from((0, 2, 4, 11, 12, 13)),
    st.booleans(),
    st.booleans(),
)
def test_the_last_step_is_what_is_enforced(
    bit: int,
    is_owner: bool,
    everyone: int,
    roles: list[int],
    channel: list | None,
    kind: int,
    is_timed_out: bool,
    is_in_thread: bool,
) -> None:
    held = [replace(live.role(id_, permissions)) for id_, permissions in zip(ROLES, roles, strict=False)]
    steps = explain(
        bit,
        user_id=USER,
        is_owner=is_owner,
        everyone=live.role(GUILD, everyone),
        roles=held,
        overwrites=channel,
        channel_kind=kind,
        is_timed_out=is_timed_out,
        is_in_thread=is_in_thread,
    )
    base = p.base_permissions(USER if is_owner else OTHER, USER, everyone, [role.permissions for role in held])
    enforced = base
    if channel is not None:
        enforced = p.channel_permissions(base, channel, GUILD, [role.id for role in held], USER)
        enforced = p.implicit(enforced, kind)
        if kind == 12 and not is_in_thread and not enforced & p.MANAGE_THREADS:
            enforced = 0
    if is_timed_out:
        enforced = p.timed_out(base, enforced)
    assert steps[-1].granted is bool(enforced & bit), steps


def test_in_a_thread_mentioning_needs_what_sending_needs_there() -> None:
    steps = explain(
        p.MENTION_EVERYONE,
        user_id=USER,
        is_owner=False,
        everyone=live.role(GUILD, p.VIEW_CHANNEL | p.SEND_MESSAGES | p.MENTION_EVERYONE),
        roles=[],
        overwrites=[],
        channel_kind=11,
        is_timed_out=False,
    )
    assert (steps[-1].rule, steps[-1].granted) == ("implicit", False)
    assert "SEND_MESSAGES_IN_THREADS" in steps[-1].detail
