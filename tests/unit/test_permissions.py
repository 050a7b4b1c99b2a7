"""Flags, the pieces of Discord's algorithm, and what is implied."""

from typing import NamedTuple

import pytest

from chatd.model import permissions as p
from chatd.model.permissions import base_permissions, channel_permissions, implicit, timed_out

GUILD, OWNER, MEMBER, ROLE_A, ROLE_B = 1, 10, 11, 20, 21
TEXT, VOICE, STAGE, THREAD = 0, 2, 13, 11


class Overwrite(NamedTuple):
    id: int
    allow: int = 0
    deny: int = 0


def flags() -> dict[str, int]:
    masks = {"ALL", "NONE", "DEFAULT_EVERYONE", "KEPT_IN_TIMEOUT"}
    named = {name: value for name, value in vars(p).items() if name.isupper() and isinstance(value, int)}
    return {name: value for name, value in named.items() if name not in masks and name[0] != "_"}


def test_flags_are_single_bits_in_order_with_bit_47_left_out() -> None:
    assert list(flags().values()) == [1 << bit for bit in range(53) if bit != 47]
    assert sum(flags().values()) == p.ALL


def test_the_newer_flags_have_their_documented_bits() -> None:
    assert p.CREATE_GUILD_EXPRESSIONS == 0x80000000000
    assert p.CREATE_EVENTS == 0x100000000000
    assert p.PIN_MESSAGES == 0x8000000000000
    assert p.BYPASS_SLOWMODE == 0x10000000000000


def test_a_new_guild_starts_with_discords_default() -> None:
    assert p.DEFAULT_EVERYONE == 2248473465835073 & p.ALL


def test_the_owner_may_do_everything() -> None:
    assert base_permissions(OWNER, OWNER, 0, []) == p.ALL


def test_base_is_the_union_of_everyones_and_the_roles() -> None:
    assert base_permissions(OWNER, MEMBER, p.VIEW_CHANNEL, [p.SPEAK, p.STREAM]) == p.VIEW_CHANNEL | p.SPEAK | p.STREAM


def test_an_administrators_role_gives_everything() -> None:
    assert base_permissions(OWNER, MEMBER, 0, [p.ADMINISTRATOR]) == p.ALL


def test_overwrites_do_not_reach_administrators() -> None:
    assert channel_permissions(p.ADMINISTRATOR, [Overwrite(MEMBER, deny=p.ALL)], GUILD, [], MEMBER) == p.ALL


@pytest.mark.parametrize(
    ("overwrites", "may_speak"),
    [
        ([], True),
        ([Overwrite(GUILD, deny=p.SPEAK)], False),
        ([Overwrite(GUILD, deny=p.SPEAK), Overwrite(ROLE_A, allow=p.SPEAK)], True),
        ([Overwrite(ROLE_A, allow=p.SPEAK), Overwrite(GUILD, deny=p.SPEAK)], True),
        ([Overwrite(ROLE_A, deny=p.SPEAK), Overwrite(ROLE_B, allow=p.SPEAK)], True),
        ([Overwrite(ROLE_B, allow=p.SPEAK), Overwrite(ROLE_A, deny=p.SPEAK)], True),
        ([Overwrite(MEMBER, deny=p.SPEAK), Overwrite(ROLE_A, allow=p.SPEAK)], False),
        ([Overwrite(ROLE_A, deny=p.SPEAK), Overwrite(MEMBER, allow=p.SPEAK)], True),
        ([Overwrite(MEMBER, allow=p.SPEAK, deny=p.SPEAK)], True),
        ([Overwrite(99, deny=p.SPEAK), Overwrite(OWNER, deny=p.SPEAK)], True),
    ],
)
def test_overwrites_apply_from_everyone_over_roles_to_the_member(overwrites: list[Overwrite], may_speak: bool) -> None:
    left = channel_permissions(p.SPEAK | p.STREAM, overwrites, GUILD, [ROLE_A, ROLE_B], MEMBER)
    assert left == (p.SPEAK if may_speak else 0) | p.STREAM


def test_nothing_is_left_in_an_unseen_channel() -> None:
    assert implicit(p.ALL & ~p.ADMINISTRATOR & ~p.VIEW_CHANNEL, TEXT) == 0


def test_who_cannot_send_cannot_mention_attach_embed_or_read_aloud() -> None:
    sending = p.MENTION_EVERYONE | p.SEND_TTS_MESSAGES | p.ATTACH_FILES | p.EMBED_LINKS
    assert implicit(p.VIEW_CHANNEL | p.ADD_REACTIONS | sending, TEXT) == p.VIEW_CHANNEL | p.ADD_REACTIONS
    able = p.VIEW_CHANNEL | p.SEND_MESSAGES | sending
    assert implicit(able, TEXT) == able


@pytest.mark.parametrize("kind", [VOICE, STAGE])
def test_a_voice_channel_without_connect_can_only_be_seen(kind: int) -> None:
    assert implicit(p.VIEW_CHANNEL | p.SEND_MESSAGES | p.MANAGE_CHANNELS, kind) == p.VIEW_CHANNEL
    assert implicit(p.VIEW_CHANNEL | p.CONNECT | p.MANAGE_CHANNELS, kind) == (
        p.VIEW_CHANNEL | p.CONNECT | p.MANAGE_CHANNELS
    )


def test_in_a_thread_sending_is_its_own_permission() -> None:
    assert implicit(p.VIEW_CHANNEL | p.SEND_MESSAGES | p.ATTACH_FILES, THREAD) == p.VIEW_CHANNEL
    able = p.VIEW_CHANNEL | p.SEND_MESSAGES_IN_THREADS | p.ATTACH_FILES
    assert implicit(able, THREAD) == able | p.SEND_MESSAGES


@pytest.mark.parametrize("kind", [TEXT, VOICE, THREAD])
def test_administrators_keep_everything(kind: int) -> None:
    assert implicit(p.ALL, kind) == p.ALL


def test_administrator_in_an_overwrite_means_nothing() -> None:
    assert implicit(p.ADMINISTRATOR | p.VIEW_CHANNEL, TEXT) == p.ADMINISTRATOR | p.VIEW_CHANNEL
    assert implicit(p.ADMINISTRATOR, TEXT) == p.NONE


def test_a_timed_out_member_may_look_and_read() -> None:
    assert timed_out(p.NONE, p.ALL & ~p.ADMINISTRATOR) == p.VIEW_CHANNEL | p.READ_MESSAGE_HISTORY
    assert timed_out(p.NONE, p.VIEW_CHANNEL | p.SEND_MESSAGES) == p.VIEW_CHANNEL


def test_administrators_cannot_be_timed_out() -> None:
    assert timed_out(p.ALL, p.ALL) == p.ALL


def test_an_overwrite_that_allows_everything_does_not_protect_from_a_timeout() -> None:
    assert timed_out(p.VIEW_CHANNEL, p.ALL) == p.VIEW_CHANNEL | p.READ_MESSAGE_HISTORY
